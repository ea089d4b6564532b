"""What the lab's hosts import when Python starts: modules from zip files are compiled once."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from xenci.paths import checkout

FILES = checkout() / "roles/lab_hosts/files"
# Python's own, as on a host: it has to stand on what Debian's has inside.
PYTHON = "/usr/bin/python3"


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    """A zip file with a module."""
    path = tmp_path / "payload.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("sent.py", "print('said')\n")
    return path


def imported(payload: Path, directory: Path, *before: str) -> str:
    """What it says where the module of `payload` is imported."""
    lines = (
        "import sys, xenci_compile_once as once",
        f"once.DIRECTORY = {str(directory)!r}",
        *before,
        f"sys.path.insert(0, {str(payload)!r})",
        "import sent",
    )
    command = [PYTHON, "-c", "\n".join(lines)]
    return subprocess.run(
        command,
        env={"PYTHONPATH": str(FILES), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


REFUSE = "once.compile_source = None"


def test_it_is_compiled_once(payload: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert imported(payload, kept) == "said\n"
    (one,) = kept.iterdir()
    assert imported(payload, kept, REFUSE) == "said\n"
    assert list(kept.iterdir()) == [one]


def test_a_changed_module_is_compiled(payload: Path, tmp_path: Path) -> None:
    imported(payload, tmp_path / "kept")
    with zipfile.ZipFile(payload, "w") as file:
        file.writestr("sent.py", "print('changed')\n")
    assert imported(payload, tmp_path / "kept") == "changed\n"
    assert len(list((tmp_path / "kept").iterdir())) == 2


@pytest.mark.parametrize("left", [b"", b"x", b"\xe3\x00"])
def test_what_a_lost_machine_left_is_made_anew(payload: Path, tmp_path: Path, left: bytes) -> None:
    imported(payload, tmp_path / "kept")
    (one,) = (tmp_path / "kept").iterdir()
    one.write_bytes(left)
    assert imported(payload, tmp_path / "kept") == "said\n"
    assert imported(payload, tmp_path / "kept", REFUSE) == "said\n"


def test_who_may_not_write_imports_all_the_same(payload: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert imported(payload, tmp_path / "file" / "kept") == "said\n"
