"""What xenci-guest does with the root for a lease, on a real btrfs of this machine: no Xen host is needed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from xenci.guest import command, root
from xenci.guest.errors import GuestError


def sh(*words: str | Path) -> str:
    """Return what a command prints."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


class Machine:
    """A btrfs whose subvolume @ is the root."""

    def __init__(self, folder: Path) -> None:
        self.mounted = folder / "root"
        self.mounted.mkdir()
        disk = folder / "disk"
        with disk.open("wb") as stream:
            stream.truncate(400 * 1024 * 1024)
        sh("mkfs.btrfs", "--quiet", disk)
        self.device = sh("losetup", "--find", "--show", disk)
        sh("mount", self.device, self.mounted)
        sh("btrfs", "subvolume", "create", self.mounted / "@")
        for name in root.WHOLE:
            (self.mounted / "@" / name).mkdir()
        (self.mounted / "@/boot/grub").mkdir()
        (self.mounted / "@/etc/motd").write_text("as it was\n")
        sh("umount", self.mounted)
        self.boot()

    def boot(self) -> None:
        """Mount what the boot loader starts."""
        sh("mount", "-o", "subvol=@", self.device, self.mounted)

    def reset(self) -> None:
        """Cut the power, and boot."""
        sh("umount", self.mounted)
        self.boot()

    def remove(self) -> None:
        """Let go of everything."""
        sh("umount", self.mounted)
        sh("losetup", "--detach", self.device)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """The machine, which the program takes for its own."""
    made = Machine(tmp_path)

    def run(argv: Sequence[str], timeout: float = 60) -> command.Done:
        return command.run([str(made.mounted) if word == "/" else word for word in argv], timeout)

    monkeypatch.setattr(root, "run", run)
    monkeypatch.setattr(root, "ROOT", made.mounted)
    uuid = sh("findmnt", "--noheadings", "--output", "UUID", made.mounted)
    devices = tmp_path / "devices"
    devices.mkdir()
    (devices / uuid).symlink_to(made.device)
    monkeypatch.setattr(root, "DEVICES", devices)
    yield made
    made.remove()


def test_what_runs_is_the_leases_and_what_boots_is_not(machine: Machine, tmp_path: Path) -> None:
    place, motd = root.Root(tmp_path, tmp_path), machine.mounted / "etc/motd"
    assert (place.why_not(), place.switched(), place.left()) == ("", False, False)
    place.switch()
    assert (place.switched(), place.why_not()) == (True, "")
    place.switch()
    motd.write_text("dirt\n")
    sh("btrfs", "subvolume", "create", machine.mounted / "home/outer")
    sh("btrfs", "subvolume", "create", machine.mounted / "home/outer/inner")
    with pytest.raises(GuestError, match="is the one that runs"):
        place.drop()
    machine.reset()
    assert (place.switched(), place.left(), motd.read_text()) == (False, True, "as it was\n")
    place.drop()
    assert not place.left()
    assert len(sh("btrfs", "subvolume", "list", machine.mounted).splitlines()) == 1
    place.switch()
    machine.reset()
    place.drop()
    assert "no error found" in sh("btrfs", "check", "--force", machine.device)


def test_the_boot_loaders_file_is_written_in_place(machine: Machine, tmp_path: Path) -> None:
    place, block = root.Root(tmp_path, tmp_path), tmp_path / root.BLOCK
    place.boot_known()
    inode = block.stat().st_ino
    assert block.read_bytes() == root.block("xenci_lease=0")
    place.switch()
    place.boot_leased("boot\n")
    assert block.read_bytes() == root.block("xenci_lease=1")
    assert (block.stat().st_ino, block.stat().st_size) == (inode, root.BLOCK_SIZE)
    assert (machine.mounted / root.SCRIPT).read_text() == "boot\n"


def test_a_folder_elsewhere_is_not_brought_back(machine: Machine, tmp_path: Path) -> None:
    (machine.mounted / "var").rmdir()
    sh("btrfs", "subvolume", "create", machine.mounted / "var")
    assert root.Root(tmp_path, tmp_path).why_not() == "/var is another file system than the root"
