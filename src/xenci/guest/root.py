"""The root file system of a host that can be leased: a subvolume of a btrfs, and what stands in for it.

For a lease, a snapshot of the root takes its name, which is the one that the boot loader starts. What runs
goes on under another name and is the lease's. So every boot that nobody planned, after a power cut or a hang,
is the way back. A lease that wants to be booted itself says so in a file that the boot loader clears before
it obeys; it is on the guests' storage, since no boot loader writes to a btrfs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xenci.guest.command import run
from xenci.guest.errors import GuestError
from xenci.guest.records import sync

ROOT = Path("/")
LEASED = "@xenci-leased"
# A subvolume at the top of the file system, as installers name it.
NAME = re.compile(r"/(@[A-Za-z0-9_.-]*)")
# What must be on the root itself: a snapshot ends where another file system begins.
WHOLE = ("boot", "etc", "home", "opt", "root", "usr", "var")
SUBVOLUME = re.compile(r"ID (\d+) gen \d+ top level \d+ path (.*)")
BTRFS_SECONDS = 300

# GRUB's environment block, as its manual calls it: a file of that size, which is only ever written in place.
# Role xen_host's 06_xenci_lease.j2 names the same.
BLOCK, BLOCK_SIZE = Path("lease/grubenv"), 1024
DEVICES = Path("/dev/disk/by-uuid")
SCRIPT = Path("boot/grub/xenci_lease.cfg")

AT_FDCWD, RENAME_EXCHANGE = -100, 2


def exchange(one: Path, other: Path) -> None:
    """Let two names change places, at once: at no moment there is only one of them."""
    sys.audit("os.rename", one, other, -1, -1)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise GuestError("storage_failed", f"{one} and {other} can't change places: {os.strerror(number)}")


def block(text: str) -> bytes:
    """Return what the boot loader's file has with a line in it."""
    return f"# GRUB Environment Block\n{text}\n".encode("ascii").ljust(BLOCK_SIZE, b"#")


@dataclass(frozen=True)
class Mount:
    """What is mounted at the root."""

    kind: str
    uuid: str
    subvolume: str


class Root:
    """The root file system. Everything may be repeated: what is done already is fine."""

    def __init__(self, folder: Path, storage: Path) -> None:
        self.top = folder / "top"
        self.block = storage / BLOCK

    def mount(self) -> Mount:
        """Return what is mounted at the root."""
        done = run(
            ["findmnt", "--noheadings", "--raw", "--output", "FSTYPE,UUID,FSROOT", "--mountpoint", "/"]
        )
        words = done.output.split()
        if not done.ok or len(words) != 3:
            raise GuestError("bad_state", f"the root file system is not known: {done.why()}")
        return Mount(*words)

    def why_not(self) -> str:
        """Return why no snapshot can bring this host back, "" if one can."""
        mount = self.mount()
        if mount.kind != "btrfs":
            return f"its root file system is {mount.kind}, and only a btrfs can be brought back"
        if not NAME.fullmatch(mount.subvolume):
            return f"its root is {mount.subvolume} of the btrfs, not a subvolume at the top such as /@"
        device = ROOT.stat().st_dev
        for folder in WHOLE:
            if (ROOT / folder).stat().st_dev != device:
                return f"/{folder} is another file system than the root"
        return ""

    def switched(self) -> bool:
        """Tell whether what runs is the lease's."""
        mount = self.mount()
        return mount.kind == "btrfs" and mount.subvolume == f"/{LEASED}"

    def switch(self) -> None:
        """Put a snapshot of the root in its place; what runs is the lease's from then on, and on disk."""
        if self.switched():
            return
        name = self._name()
        with self._opened():
            self._delete()
            self._btrfs("subvolume", "snapshot", str(ROOT), str(self.top / LEASED))
            self._btrfs("filesystem", "sync", str(self.top))
            exchange(self.top / name, self.top / LEASED)
            self._btrfs("filesystem", "sync", str(self.top))

    def left(self) -> bool:
        """Tell whether a lease's root is there beside the one that runs."""
        with self._opened():
            return (self.top / LEASED).exists()

    def drop(self) -> None:
        """Remove what a lease has left; never what runs."""
        if self.switched():
            raise GuestError("bad_state", "the lease's root is the one that runs")
        with self._opened():
            self._delete()

    def boot_known(self) -> None:
        """Have the boot loader start the known root."""
        self._write_block("xenci_lease=0")

    def boot_leased(self, script: str) -> None:
        """Have the boot loader run a script of the lease's root once, at the next boot."""
        file = ROOT / SCRIPT
        file.write_text(script, encoding="ascii")
        with self._opened():
            self._btrfs("filesystem", "sync", str(self.top))
        self._write_block("xenci_lease=1")

    def _name(self) -> str:
        match = NAME.fullmatch(self.mount().subvolume)
        if not match:
            raise GuestError("bad_state", self.why_not())
        return match[1]

    def _write_block(self, text: str) -> None:
        self.block.parent.mkdir(exist_ok=True, mode=0o700)
        with open(os.open(self.block, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as stream:
            stream.write(block(text))
            stream.flush()
            os.fsync(stream.fileno())
        sync(self.block.parent)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[None]:
        """Have the top of the file system mounted; a killed process may have left it so."""
        self.top.mkdir(exist_ok=True, mode=0o700)
        if not os.path.ismount(self.top):
            self._run("mount", "-o", "subvolid=5", str(DEVICES / self.mount().uuid), str(self.top))
        yield
        self._run("umount", str(self.top))

    def _delete(self) -> None:
        """Remove the lease's root with what is in it, by number: inner names are the lease's own."""
        done = self._btrfs("subvolume", "list", str(self.top))
        found = []
        for line in done.splitlines():
            match = SUBVOLUME.fullmatch(line)
            if not match:
                raise GuestError("storage_failed", f"a subvolume can't be read: {line[:200]!r}")
            if match[2] == LEASED or match[2].startswith(f"{LEASED}/"):
                found.append((len(match[2]), match[1]))
        for _, number in sorted(found, reverse=True):
            self._btrfs("subvolume", "delete", "--commit-after", "--subvolid", number, str(self.top))

    def _btrfs(self, *words: str) -> str:
        return self._run("btrfs", *words)

    @staticmethod
    def _run(*words: str) -> str:
        done = run(words, BTRFS_SECONDS)
        if not done.ok:
            raise GuestError("storage_failed", f"the root file system: {done.why()}")
        return done.output
