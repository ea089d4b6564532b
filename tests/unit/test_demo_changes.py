"""The demo's changes get the votes that they promise: the project's own tests say so."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from xenci.demo.changes import CHANGES, XEN, Change, commit, git

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A Developer")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "developer@example.org")
    path = tmp_path / "hypervisor-tools"
    shutil.copytree(
        ROOT / "demo/projects/hypervisor-tools", path, ignore=shutil.ignore_patterns("__pycache__")
    )
    git(path, "init", "--quiet", "--initial-branch", "master")
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", "First commit")
    return path


def make_check(checkout: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SKIP_TESTS": ""}
    return subprocess.run(
        ["make", "check"], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )


def test_project_is_green_without_a_change(checkout: Path) -> None:
    result = make_check(checkout)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_change_gets_its_vote(change: Change, checkout: Path) -> None:
    commit(change, checkout, "20261121T030405", root=ROOT)
    assert "Run: 20261121T030405" in git(checkout, "log", "-1", "--format=%b")
    assert git(checkout, "status", "--porcelain") == ""
    result = make_check(checkout)
    assert (result.returncode == 0) == (change.verified > 0), result.stdout + result.stderr
    if change.verified < 0:
        assert "test_hash_inside_quotes_is_no_comment" in result.stderr


@pytest.mark.parametrize("change", XEN, ids=lambda change: change.name)
def test_change_for_xen_asks_the_hypervisor(change: Change, checkout: Path) -> None:
    before = make_check(checkout).stderr
    commit(change, checkout, "20261121T030405", root=ROOT)
    result = make_check(checkout)
    assert result.returncode == 0, result.stdout + result.stderr
    in_guest = Path("/sys/hypervisor/uuid").exists()
    assert "skipped" not in before
    assert ("OK (skipped=1)" in result.stderr) != in_guest


@pytest.mark.parametrize("change", [*CHANGES, *XEN], ids=lambda change: change.name)
def test_change_is_new_in_every_run_and_touches_a_driver(change: Change, checkout: Path) -> None:
    base = git(checkout, "rev-parse", "HEAD").strip()
    trees = set()
    for nonce in ("one", "two"):
        commit(change, checkout, nonce, root=ROOT)
        trees.add(git(checkout, "rev-parse", "HEAD^{tree}"))
        assert "drivers/xen/" in git(checkout, "diff", "--name-only", base)
        git(checkout, "reset", "--quiet", "--hard", base)
    assert len(trees) == 2
