"""file_history: what a journal, as Debian 12 and 13 write it, tells of a file."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

Run = Callable[..., dict[str, Any]]
KEY = "ED25519 SHA256:abc"
# Program, process, text; the last is after the change.
MESSAGES = (
    ("sshd", 10, f"Accepted publickey for root from 192.0.2.7 port 40712 ssh2: {KEY}"),
    ("sshd", 10, "pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)"),
    ("sshd", 20, "Accepted publickey for bob from 192.0.2.8 port 40713 ssh2: RSA SHA256:def"),
    ("sshd", 20, "pam_unix(sshd:session): session closed for user bob"),
    ("sudo", 30, "    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/vi {path}"),
    ("sudo", 31, "    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/true"),
    ("sshd", 40, "Accepted password for carol from 192.0.2.9 port 40714 ssh2"),
    ("sshd", 10, "pam_unix(sshd:session): session closed for user root"),
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Ask about paths."""
    monkeypatch.setattr("ansible.module_utils._internal.is_controller", False)
    module = importlib.import_module("ansible_collections.xenci.stack.plugins.modules.file_history")

    def ask(*paths: object) -> dict[str, Any]:
        with patch_module_args({"paths": [str(path) for path in paths]}), pytest.raises(SystemExit):
            module.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return ask


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.conf"
    path.write_text("a\n")
    return path


@pytest.fixture
def journal(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journalctl with these messages, a second before each other, which heeds its matches and `--until`."""
    moment = file.stat().st_ctime
    entries = []
    for number, (program, process, text) in enumerate(MESSAGES):
        at = moment + (number - len(MESSAGES) + 1.5) if number < len(MESSAGES) - 1 else moment + 1
        exe = {"sshd": "/usr/lib/openssh/sshd-session" if process == 40 else "/usr/sbin/sshd"}
        entry = {
            "MESSAGE": text.format(path=file),
            "_PID": str(process),
            "__REALTIME_TIMESTAMP": str(int(at * 1e6)),
        }
        entries.append((at, exe.get(program, "/usr/bin/sudo"), json.dumps(entry)))
    binary = {"MESSAGE": [255, 1], "_PID": "1", "__REALTIME_TIMESTAMP": str(int((moment - 60) * 1e6))}
    entries.insert(0, (moment - 60, "/usr/sbin/sshd", json.dumps(binary)))
    program_ = tmp_path / "bin/journalctl"
    program_.parent.mkdir()
    program_.write_text(
        f"""#!/usr/bin/python3
import sys
entries = {entries!r}
until = min([float(word.split("@")[1]) for word in sys.argv if word.startswith("--until=")])
wanted = [word.removeprefix("_EXE=") for word in sys.argv if word.startswith("_EXE=")]
for at, exe, line in entries:
    if at <= until and (not wanted or exe in wanted):
        print(line)
"""
    )
    program_.chmod(0o755)
    monkeypatch.setenv("PATH", str(program_.parent), prepend=os.pathsep)


def test_who_was_there_and_what_sudo_ran(run: Run, file: Path, journal: None) -> None:
    result = run(file)
    (one,) = result["files"]
    assert not result["changed"]
    assert (one["path"], one["gone"], one["known"]) == (str(file), False, True)
    assert [(each["user"], each["source"], each["key"]) for each in one["sessions"]] == [
        ("root", "192.0.2.7", KEY),
        ("carol", "192.0.2.9", ""),
    ]
    assert [(each["user"], each["command"]) for each in one["commands"]] == [("alice", f"/usr/bin/vi {file}")]
    assert one["sessions"][0]["since"] < one["changed_at"]


def test_of_a_file_that_is_gone_the_folder_tells(run: Run, file: Path, journal: None) -> None:
    gone, nowhere = file.with_name("gone"), file.parent / "no/where"
    first, second = run(gone, nowhere)["files"]
    assert first["gone"]
    assert first["changed_at"].startswith("20")
    assert (second["gone"], second["changed_at"], second["sessions"]) == (True, "", [])


def test_a_host_without_a_journal(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible.module_utils.basic.AnsibleModule.get_bin_path", lambda *_, **__: None)
    (one,) = run(file)["files"]
    assert (one["known"], one["sessions"], one["commands"]) == (False, [], [])


def test_a_path_must_be_absolute(run: Run) -> None:
    result = run("etc/hosts")
    assert result["failed"]
    assert result["msg"] == "paths: etc/hosts is not absolute: write it from the root on"
