"""How a job asks the bastion: with an ssh in the place of ssh that notes what it is given."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.runs.infra.play import INFRA, play
from xenci import secrets

KEY = secrets.private_key()
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKLF33Kbg"
SSH = """#!/bin/sh
set -eu
for word; do printf '%s\\n' "$word"; done >"$NOTES/words"
for word; do
    case $word in
        -i*) cp -p "${word#-i}" "$NOTES/key" ;;
        -oUserKnownHostsFile=*) cp "${word#*=}" "$NOTES/known" ;;
    esac
done
echo "the bastion's answer"
exit "$CODE"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("bin", "notes", "work"):
        (tmp_path / name).mkdir()
    (tmp_path / "bin/ssh").write_text(SSH, encoding="utf-8")
    (tmp_path / "bin/ssh").chmod(0o755)
    # Zuul runs the playbook where it is; what is rendered lies beside it.
    shutil.copytree(INFRA / "playbooks/bastion", tmp_path / "playbooks")
    (tmp_path / "playbooks/site.yml").write_text(
        "---\nsite_bastion_user: asker\n"
        f"site_bastion_address: 192.0.2.60\nsite_bastion_host_key: {HOST_KEY}\n",
        encoding="utf-8",
    )
    return tmp_path


def ask(home: Path, name: str, code: int, **more: Any) -> tuple[int, str]:
    """Run a request's playbook, with the exit code that the bastion answers; status and output."""
    variables = {
        "zuul": {"change": "12", "patchset": "3", "executor": {"work_root": str(home / "work")}},
        "bastion_key": {"key": KEY.strip()},
        **more,
    }
    path = f"{home / 'bin'}:/usr/bin:/bin"
    done = play(
        home / f"playbooks/{name}.yml", home, variables, PATH=path, NOTES=str(home / "notes"), CODE=str(code)
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "request_"), [("plan", "plan 12,3"), ("deploy", "apply"), ("drift", "drift")]
)
def test_what_is_asked(home: Path, name: str, request_: str) -> None:
    code, output = ask(home, name, 0)
    assert code == 0, output
    words = (home / "notes/words").read_text(encoding="utf-8").splitlines()
    assert words[-2:] == ["asker@192.0.2.60", request_]
    for option in ("BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "IdentityAgent=none"):
        assert f"-o{option}" in words
    assert (home / "notes/known").read_text(encoding="utf-8") == f"192.0.2.60 {HOST_KEY}\n"
    assert (home / "notes/key").read_text(encoding="utf-8") == KEY
    assert (home / "notes/key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("name", "code", "good"),
    [
        ("plan", 2, True),
        ("plan", 1, False),
        ("plan", 5, False),
        ("deploy", 2, False),
        ("drift", 2, False),
        ("drift", 255, False),
    ],
)
def test_what_its_answer_means(home: Path, name: str, code: int, good: bool) -> None:
    status, output = ask(home, name, code)
    assert (status == 0) is good, output
    # The key is gone, and was never shown.
    assert not (home / "work/bastion_key").exists()
    assert KEY.splitlines()[1] not in output


def test_a_job_can_not_send_the_request_elsewhere(home: Path) -> None:
    """What is rendered outranks what a job says of itself: only `-e` of the test is stronger."""
    playbook = (home / "playbooks/plan.yml").read_text(encoding="utf-8")
    before = "  vars:\n    site_bastion_address: 203.0.113.9\n  vars_files:\n"
    (home / "playbooks/plan.yml").write_text(playbook.replace("  vars_files:\n", before), encoding="utf-8")
    code, output = ask(home, "plan", 0)
    assert code == 0, output
    assert "asker@192.0.2.60" in (home / "notes/words").read_text(encoding="utf-8")


def test_a_bad_change_number_is_one_word(home: Path) -> None:
    """Nothing is put together for a shell here; the bastion refuses what is no request."""
    zuul = {"change": "12; id", "patchset": "3", "executor": {"work_root": str(home / "work")}}
    code, output = ask(home, "plan", 64, zuul=zuul)
    assert code == 2, output
    assert (home / "notes/words").read_text(encoding="utf-8").splitlines()[-1] == "plan 12; id,3"
    assert json.dumps(KEY.strip())[5:40] not in output
