"""The job infra-lint, run here as on a node: it fails on a broken inventory and comments on its lines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.runs.infra.play import INFRA, ROOT, play
from tests.runs.lint.conftest import made  # noqa: F401

SITE = "inventory/group_vars/all/site.yml"


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:  # noqa: F811
    """A node's home with the repositories, and the environment that `tools/lint-venv` makes."""
    sources = tmp_path / "src/review.demo.test"
    shutil.copytree(made, sources / "infra")
    venv = sources / "xenci/.venv"
    (venv / "etc").mkdir(parents=True)
    (venv / "bin").symlink_to(ROOT / ".venv/bin")
    (venv / "etc/installed-lint").touch()
    (tmp_path / "zuul-output/logs").mkdir(parents=True)
    return tmp_path


def project(name: str) -> dict[str, str]:
    """What Zuul says of a project."""
    return {"short_name": name, "src_dir": f"src/review.demo.test/{name}"}


INFRA_SOURCE = project("infra")["src_dir"]
ZUUL = {
    "zuul": {"project": project("infra"), "projects": {name: project(name) for name in ("infra", "xenci")}}
}


def test_a_broken_inventory(home: Path) -> None:
    path = home / INFRA_SOURCE / SITE
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("site_thirdparty_mode: vote", "site_thirdparty_mode: loud"), encoding="utf-8"
    )
    line = text[: text.index("site_thirdparty_mode")].count("\n") + 1
    done = play(INFRA / "playbooks/infra_lint/run.yml", home, ZUUL)
    assert done.returncode == 2, done.stdout + done.stderr
    returned = json.loads((home / "returned.json").read_text(encoding="utf-8"))
    # Nothing of Zuul's but comments: no address of logs, no jobs to leave out.
    assert set(returned["zuul"]) == {"file_comments"}
    ((file, (comment,)),) = returned["zuul"]["file_comments"].items()
    assert (file, comment["line"]) == (SITE, line)
    assert "silent, sandbox, comment, vote" in comment["message"]
    assert f"{SITE}:{line}: " in (home / "zuul-output/logs/lint.txt").read_text(encoding="utf-8")


def test_a_linter_that_does_not_run_is_no_success(home: Path) -> None:
    shutil.rmtree(home / INFRA_SOURCE / "inventory")
    done = play(INFRA / "playbooks/infra_lint/run.yml", home, ZUUL)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "no such directory: inventory" in (home / "zuul-output/logs/lint.txt").read_text(encoding="utf-8")
    assert not (home / "returned.json").exists()
