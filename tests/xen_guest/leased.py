"""A dom0 of doubles whose root is a subvolume, and what restarts it.

The root that runs is an open folder of this process: as a real one, it goes on when another gets its name.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.xen_guest.dom0 import KEY, Dom0
from tests.xen_guest.steps import ask_here, use_doubles_here
from xenci.guest import lease_state, root, traces
from xenci.guest.request import LAUNCHER, OPERATOR

FOLDERS = (*root.WHOLE, "proc", "state", "etc/ssh/authorized_keys", "etc/nftables.d", "boot/grub")
FILES = {
    "etc/motd": "Debian\n",
    "etc/ssh/ssh_host_ed25519_key.pub": f"{KEY}\n",
    "etc/xenci-lease.nft": "rules of the lease\n",
    "boot/xen-4.17-amd64.gz": "Xen",
    f"boot/vmlinuz-{os.uname().release}": "Linux",
    f"boot/initrd.img-{os.uname().release}": "initrd",
    "proc/cmdline": "placeholder root=UUID=4a6d-uuid ro rootflags=subvol=@ quiet\n",
    "packages": "bash 5.2 ii\nxen-system-amd64 4.17 ii\n",
}
RULES = "table inet filter\n"
LEASE: dict[str, Any] = {"authorized_keys": [KEY], "labels": {"zuul_node_uuid": "1"}}
# What requests change, and what a crash must be tried again from.
PARTS = ("fs", "xen", "disks", "images", "run", "lease")


class Leased:
    """The host. `root` is how everybody finds the root that runs."""

    def __init__(self, dom0: Dom0, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dom0, self.fs = dom0, dom0.root / "fs"
        for folder in FOLDERS:
            (self.fs / "@" / folder).mkdir(parents=True, exist_ok=True)
        for file, text in FILES.items():
            (self.fs / "@" / file).write_text(text)
        (self.fs / "@/etc/systemd").mkdir()
        (self.fs / "@/etc/alias").symlink_to("motd")
        self.handle = os.open(self.fs / "@", os.O_RDONLY)
        self.root = Path(f"/proc/{os.getpid()}/fd/{self.handle}")
        (dom0.root / "devices").mkdir()
        self.device = dom0.root / "devices/4a6d-uuid"
        self.device.write_bytes(b"\0" * 2**20)
        self.boot_id = dom0.root / "xen/boot_id"
        self.boot_id.write_text("boot-1\n")
        # Those of this machine come and go with other tests' containers.
        (dom0.root / "net/xenbr0").mkdir(parents=True)
        dom0.set("root", str(self.root))
        dom0.set("ruleset", RULES)
        dom0.config |= {"state": str(self.root / "state"), "lease_user": "zuul"}
        dom0.write_config()
        monkeypatch.setattr(root, "ROOT", self.root)
        monkeypatch.setattr(root, "DEVICES", self.device.parent)
        monkeypatch.setattr(traces, "INTERFACES", dom0.root / "net")
        monkeypatch.setattr(lease_state, "BOOT_ID", self.boot_id)
        use_doubles_here(dom0, monkeypatch)
        assert self.ask("settle", OPERATOR) == {"ok": True, "settled": ""}

    def ask(self, operation: str, caller: str = LAUNCHER, **fields: Any) -> dict[str, Any]:
        """Return the reply to a request."""
        return ask_here(self.dom0, operation, caller, **fields)

    def lease(self, name: str = "l1") -> dict[str, Any]:
        """Ask for the host."""
        return self.ask("lease", name=name, **LEASE)

    def running(self) -> str:
        """Return the name of the root that runs."""
        return Path(os.readlink(self.root)).name

    def subvolumes(self) -> set[str]:
        """Return the names at the top of the file system."""
        return {path.name for path in self.fs.iterdir()}

    def boot(self, settle: bool = True) -> dict[str, Any]:
        """Restart, in whatever state it is: as the boot loader's 06_xenci_lease does, then the unit."""
        block = self.dom0.root / root.BLOCK
        planned = block.read_bytes() == root.block("xenci_lease=1")
        if planned:
            block.write_bytes(root.block("xenci_lease=0"))
        # Where the script of the lease's root can't be read, the boot loader goes on with its own.
        leased = planned and (self.fs / root.LEASED / root.SCRIPT).exists()
        new = os.open(self.fs / (root.LEASED if leased else "@"), os.O_RDONLY)
        os.dup2(new, self.handle)
        os.close(new)
        shutil.rmtree(self.dom0.root / "run")
        (self.dom0.root / "run").mkdir(mode=0o700)
        for file in (self.dom0.xen / "domains").iterdir():
            file.unlink()
        (self.dom0.xen / "restarting").unlink(missing_ok=True)
        rules = "".join(file.read_text() for file in sorted((self.root / "etc/nftables.d").iterdir()))
        self.dom0.set("ruleset", RULES + rules)
        self.boot_id.write_text(f"{self.boot_id.read_text().strip()}1\n")
        return self.ask("settle", OPERATOR) if settle else {}

    def restarting(self) -> bool:
        """Whether the host was told to restart."""
        return (self.dom0.xen / "restarting").exists()

    def release(self, name: str = "l1") -> dict[str, Any]:
        """Ask for the end of a lease until it has ended, as Zuul's launcher does."""
        for _ in range(3):
            reply = self.ask("release", name=name)
            assert reply["ok"], reply
            if not reply["returning"]:
                return reply
            if self.restarting():
                self.boot()
        raise AssertionError(reply)

    def prove_clean(self, step: int = 0) -> None:
        """The host is what it was, and makes guests."""
        assert self.running() == "@", step
        assert self.subvolumes() == {"@"}, step
        for file, text in FILES.items():
            assert (self.root / file).read_text() == text, (step, file)
        assert not list((self.root / "etc/nftables.d").iterdir()), step
        assert (self.dom0.xen / "ruleset").read_text() == RULES, step
        state = {path.name for path in (self.root / "state").iterdir()}
        assert state <= {"records", "guests"}, (step, state)
        capacity = self.ask("capacity")
        assert (capacity["leased"], capacity["drained"]) == ({}, ""), (step, capacity)
        reply = self.ask("audit")
        assert reply["clean"], (step, reply)

    def keep(self, saved: Path) -> None:
        """Copy everything, to come back to it."""
        (self.dom0.xen / "running").write_text(self.running())
        for part in PARTS:
            shutil.rmtree(saved / part, ignore_errors=True)
            shutil.copytree(self.dom0.root / part, saved / part, symlinks=True)

    def bring_back(self, saved: Path) -> None:
        """Come back to it."""
        for part in PARTS:
            shutil.rmtree(self.dom0.root / part)
            shutil.copytree(saved / part, self.dom0.root / part, symlinks=True)
        new = os.open(self.fs / (self.dom0.xen / "running").read_text(), os.O_RDONLY)
        os.dup2(new, self.handle)
        os.close(new)
