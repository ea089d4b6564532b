"""What the job xen-boot-test chooses for the next boot, on doubles of what it calls."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from xenci.paths import checkout

PROGRAM = checkout() / "infra/roles/xen_boot/files/xen_boot.sh"
DOUBLES = {
    "sudo": r"""echo "$*" >>"$HOME/sudo"
case $1 in
    xl) echo "xen_commandline        : dom0_mem=1G" ;;
    xenci-guest) cat >"$HOME/request"; echo '{"ok": true}' ;;
esac""",
    "dpkg-deb": 'basename "${2%%_*}"',
    "dpkg": 'cat "$HOME/files"',
}
OPTIONS = {"operation": "boot", "xen_options": "dom0_mem=1G xenci_build=b7"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a commit, in a home with doubles."""
    for name, text in DOUBLES.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/bash\n{text}\n")
        program.chmod(0o755)
    repository = tmp_path / "src/xen"
    repository.mkdir(parents=True)
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], [*author, "commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", "-C", str(repository), *words], check=True)
    return repository


def run(project: Path, command: str, *patterns: str) -> subprocess.CompletedProcess[str]:
    """Run the program as the role does."""
    home = project.parents[1]
    return subprocess.run(
        ["bash", "-s", "src/xen", "b7", command, "xen-boot", *patterns],
        input=PROGRAM.read_text(),
        env={"PATH": f"{home}/bin:{os.defpath}", "HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_in_the_folder_is_booted(project: Path) -> None:
    done = run(project, "mkdir xen-boot; touch xen-boot/xen.gz xen-boot/initrd")
    assert done.returncode == 0, done.stdout + done.stderr
    home = project.parents[1]
    assert json.loads((home / "request").read_text()) == {
        "xen": "/boot/xenci-build-xen.gz",
        "initrd": "/boot/xenci-build-initrd",
        **OPTIONS,
    }
    assert "install -m 0644 xen-boot/xen.gz /boot/xenci-build-xen.gz" in (home / "sudo").read_text()
    assert "commit: " in (home / "zuul-output/logs/xen-boot.txt").read_text()


def test_packages_are_installed_and_what_is_in_them_is_booted(project: Path) -> None:
    home = project.parents[1]
    (home / "files").write_text("/boot/vmlinuz-6.9\n/boot/xen-4.21-amd64.gz\n/usr/sbin/xl\n")
    done = run(project, "touch xen_1.deb tools_1.deb", "xen_*.deb", "tools_*.deb")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((home / "request").read_text()) == {
        "kernel": "/boot/vmlinuz-6.9",
        "initrd": "/boot/initrd.img-6.9",
        "xen": "/boot/xen-4.21-amd64.gz",
        **OPTIONS,
    }
    assert "--reinstall ./xen_1.deb ./tools_1.deb" in (home / "sudo").read_text()


@pytest.mark.parametrize(
    ("command", "patterns", "says"),
    [
        ("mkdir xen-boot", [], "xen-boot has none of xen.gz, vmlinuz and initrd"),
        ("true", ["xen_*.deb"], "no package matches xen_*.deb"),
        ("false", [], "command: false"),
    ],
)
def test_nothing_to_boot(project: Path, command: str, patterns: list[str], says: str) -> None:
    done = run(project, command, *patterns)
    assert done.returncode == 1
    assert says in done.stdout + done.stderr
    assert not (project.parents[1] / "request").exists()
