#!/usr/bin/python3 -ISE
"""Stands in for the programs of dom0: linked into a folder on PATH under each one's name.

State is kept in files beside that folder, so that processes share it as they share a real host. Real `xl` and
LVM are only imitated where xenci-guest looks; what it prints has the shape of Xen 4.17's and LVM 2.03's.
"""

# ruff: noqa: S606  # it runs the real ssh-keygen
from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REAL = "/usr/bin:/bin:/usr/sbin:/sbin"
DOM0 = {
    "name": "Domain-0",
    "domid": 0,
    "memory": 1024,
    "vcpus": 1,
    "uuid": f"{'0' * 8}{'-0000' * 3}-{'0' * 12}",
}
HEADER = (
    "Name                                        ID   Mem VCPUs\tState\tTime(s)"
    "   UUID                            Reason-Code\tSecurity Label"
)


class ProgramError(Exception):
    """How a program fails: what it says, and its status."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


class Double:
    """One run of one program."""

    def __init__(self, state: Path, name: str, arguments: list[str]) -> None:
        self.state, self.name, self.arguments = state, name, arguments
        self.output: list[str] = []
        self.locked = os.open(state / "lock", os.O_RDWR | os.O_CREAT)

    def run(self) -> str:
        """Do what the program does; return what it prints, or raise ProgramError."""
        try:
            with self.alone(), (self.state / "calls").open("a") as calls:
                calls.write(" ".join([self.name, *self.arguments]) + "\n")
            self.kill()
            with self.alone():
                getattr(self, self.name.replace("-", "_"))()
        finally:
            os.close(self.locked)
        return "".join(f"{line}\n" for line in self.output)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Programs change the state one after the other."""
        fcntl.flock(self.locked, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self.locked, fcntl.LOCK_UN)

    def flag(self, name: str) -> str | None:
        """Return what a test has set for the doubles, None if it has not."""
        file = self.state / name
        return file.read_text() if file.exists() else None

    def kill(self) -> None:
        """Kill who called, if a test wants that before this command: `xl create`, say. Then go on."""
        if self.flag("kill") == " ".join([self.name, *self.arguments[:1]]):
            victim = self.state / "victim"
            while not victim.exists():
                time.sleep(0.01)
            os.kill(int(victim.read_text()), signal.SIGKILL)
            (self.state / "kill").unlink()
            time.sleep(float(self.flag("linger") or 0))

    def domains(self) -> list[dict[str, Any]]:
        return [json.loads(file.read_text()) for file in sorted((self.state / "domains").iterdir())]

    def put(self, file: Path, domain: dict[str, Any]) -> None:
        """Write a domain whole: tests look at it at any moment."""
        (self.state / "domain.new").write_text(json.dumps(domain))
        (self.state / "domain.new").replace(file)

    def xl(self) -> None:
        if self.flag("xl_down"):
            raise ProgramError("xencall: error: Could not obtain handle on privileged command interface")
        getattr(self, f"xl_{self.arguments[0]}")()

    def xl_info(self) -> None:
        self.output += ["release                : 6.1.0", "xen_version            : 4.17.5"]
        self.output += ["free_memory            : 2014", "virt_caps              : pv hvm hap"]
        self.output += ["xen_major              : 4", "xen_minor              : 17"]
        self.output.append(f"xen_commandline        : {self.flag('xen_options') or 'dom0_mem=1024M'}")

    def xl_list(self) -> None:
        self.output.append(HEADER)
        for domain in [DOM0, *self.domains()]:
            self.output.append(
                f"{domain['name']:<40} {domain['domid']:5d} {domain['memory']:5d} {domain['vcpus']:5d}     "
                f"-b----  {12.5:8.1f} {domain['uuid']} {'-':>8} {'-':>16}"
            )

    def xl_create(self) -> None:
        text = Path(self.arguments[1]).read_text()
        values = dict(re.findall(r"^(\w+) = (.*)$", text, re.MULTILINE))
        name, uuid = values["name"].strip('"'), values["uuid"].strip('"')
        for event in ("on_poweroff", "on_reboot", "on_crash"):
            if values[event] != '"destroy"':
                raise ProgramError(f"{event} is {values[event]}")
        for target in re.findall(r"target=([^\",]+)", values["disk"]):
            if not self.volume(target).exists():
                raise ProgramError(f"libxl: error: Disk vdev: {target}: No such file or directory")
        for path in (values["kernel"], values["ramdisk"]):
            if not Path(path.strip('"')).exists():
                raise ProgramError(f"libxl: error: {path}: No such file or directory")
        memory = int(values["memory"])
        if memory + sum(domain["memory"] for domain in self.domains()) > int(self.flag("memory") or 100000):
            raise ProgramError("libxl: error: libxl_mem.c:604: failed to free memory for the domain")
        if any(domain["name"] == name or domain["uuid"] == uuid for domain in self.domains()):
            raise ProgramError(f'libxl: error: Domain with name "{name}" already exists.')
        domid = int((self.state / "next").read_text())
        (self.state / "next").write_text(str(domid + 1))
        domain = {
            "name": "(null)",
            "domid": domid,
            "memory": memory,
            "vcpus": int(values["vcpus"]),
            "uuid": uuid,
        }
        file = self.state / "domains" / f"{domid:05d}"
        self.put(file, domain)
        slow = self.flag("slow_create")
        if slow:
            fcntl.flock(self.locked, fcntl.LOCK_UN)
            time.sleep(float(slow))
            fcntl.flock(self.locked, fcntl.LOCK_EX)
        hotplug = int(self.flag("hotplug_timeouts") or 0)
        if hotplug:
            (self.state / "hotplug_timeouts").write_text(str(hotplug - 1))
            raise ProgramError(
                self.flag("timeout_says")
                or "libxl: error: killing execution of /etc/xen/scripts/vif-bridge online because of timeout"
            )
        self.put(file, {**domain, "name": name})
        highest = max(int(self.flag("highest") or 0), len(self.domains()))
        (self.state / "highest").write_text(str(highest))
        log = self.state / "log" / f"xl-{name}.log"
        log.write_text(f"Waiting for domain {name} (domid {domid}) to die [pid 1]\n")
        with (self.state / "log" / f"guest-{name}.log").open("a") as console:
            console.write(f"[    0.000000] Linux version 6.1 of {name}\n")
            if self.flag("crash"):
                console.write("Kernel panic - not syncing: Attempted to kill init!\n")
                log.write_text(f"Domain {domid} has shut down, reason code 3 0x3\n")
                file.unlink()

    def xl_destroy(self) -> None:
        file = self.state / "domains" / f"{int(self.arguments[1]):05d}"
        if not file.exists():
            raise ProgramError(f"{self.arguments[1]} is an invalid domain identifier (rc=-6)")
        file.unlink()

    def xenstore_list(self) -> None:
        if self.flag("xenstore_down"):
            raise ProgramError("xenstore-list: xs_open: Connection refused")
        path = self.arguments[0]
        key = "uuid" if path == "/vm" else "domid"
        self.output += [str(domain[key]) for domain in self.domains()]
        self.output += (self.flag("stale" + path.replace("/", "_")) or "").split()
        if not self.output and path != "/local/domain":
            raise ProgramError(f"xenstore-list: could not list path {path}")

    def full(self) -> None:
        if self.flag("full"):
            raise ProgramError(f"{self.name}: error writing: No space left on device")

    def cp(self) -> None:
        source, target = map(Path, self.arguments[-2:])
        if self.arguments[0] == "--reflink=always" and self.flag("full"):
            target.write_bytes(source.read_bytes()[:100])  # what a full disk leaves
        self.full()
        target.write_bytes(source.read_bytes())

    def volume(self, path: str) -> Path:
        """Return what stands for a path, of a volume of group vg or a file."""
        found = re.fullmatch(r"(?:/dev/)?(?:vg/)?([^/]+)", path)
        return self.state / "volumes" / found[1] if found else Path(path)

    def lvs(self) -> None:
        if "lv_name" in self.arguments:
            self.output += [f"  {file.name}" for file in (self.state / "volumes").iterdir()]
        else:
            self.output.append(f"  {self.flag('used') or '12.50'}:3.10")

    def lvcreate(self) -> None:
        self.full()
        new = self.volume(self.arguments[self.arguments.index("--name") + 1])
        if new.exists():
            raise ProgramError(f'  Logical Volume "{new.name}" already exists in volume group "vg"', 5)
        origin = self.volume(self.arguments[-1])
        if "--snapshot" in self.arguments and not origin.exists():
            raise ProgramError(f'  ProgramError to find logical volume "{self.arguments[-1]}"', 5)
        new.write_bytes(origin.read_bytes() if "--snapshot" in self.arguments else b"")

    def dd(self) -> None:
        words = dict(word.split("=", 1) for word in self.arguments)
        self.volume(words["of"]).write_bytes(Path(words["if"]).read_bytes())

    def lvremove(self) -> None:
        self.volume(self.arguments[-1]).unlink()

    def lvextend(self) -> None:
        self.volume(self.arguments[-1]).stat()
        if self.flag("extents"):
            raise ProgramError("  New size (385 extents) matches existing size (385 extents).", 5)

    def lvchange(self) -> None:
        self.volume(self.arguments[-1]).stat()

    def findmnt(self) -> None:
        """The root is a folder that another name may be given to meanwhile: see leased.py."""
        running = Path(os.readlink(self.flag("root") or "/"))
        self.output.append(f"{self.flag('root_kind') or 'btrfs'} 4a6d-uuid /{running.name}")

    def mount(self) -> None:
        target = Path(self.arguments[-1])
        if not target.is_symlink():
            target.rmdir()
            target.symlink_to(self.state.parent / "fs")

    def umount(self) -> None:
        target = Path(self.arguments[-1])
        target.unlink()
        target.mkdir()

    def subvolumes(self) -> dict[str, Path]:
        """Return what stands for subvolumes, by number: what is at the top, and folders so named inside."""
        top = Path(self.arguments[-1]).resolve()
        inner = [Path(folder) for folder, _, _ in os.walk(top) if folder.endswith(".subvolume")]
        return {str(path.stat().st_ino): path for path in [*top.iterdir(), *inner]}

    def btrfs(self) -> None:
        getattr(self, f"btrfs_{self.arguments[1]}")()

    def btrfs_sync(self) -> None:
        assert Path(self.arguments[2], "@").is_dir()

    def btrfs_snapshot(self) -> None:
        if self.flag("full"):
            raise ProgramError("ERROR: cannot snapshot '/': No space left on device")
        source, target = map(Path, self.arguments[2:])
        if target.exists():
            raise ProgramError(f"ERROR: target path already exists: {target}")
        shutil.copytree(source.resolve(), target.resolve(), symlinks=True)

    def btrfs_list(self) -> None:
        top = Path(self.arguments[-1]).resolve()
        for number, path in self.subvolumes().items():
            self.output.append(f"ID {number} gen 9 top level 5 path {path.relative_to(top)}")

    def btrfs_delete(self) -> None:
        path = self.subvolumes()[self.arguments[self.arguments.index("--subvolid") + 1]]
        if any(other != path and path in other.parents for other in self.subvolumes().values()):
            raise ProgramError(f"ERROR: Could not destroy subvolume/snapshot: Directory not empty: {path}")
        shutil.rmtree(path)

    def nft(self) -> None:
        rules = self.state / "ruleset"
        if self.arguments[0] == "--file":
            rules.write_text(rules.read_text() + Path(self.arguments[1]).read_text())
        else:
            self.output += rules.read_text().splitlines()

    def dpkg_query(self) -> None:
        self.output += Path(self.flag("root") or "/", "packages").read_text().splitlines()

    def lsblk(self) -> None:
        """The device is a disk without partitions."""
        self.output.append("")

    def systemctl(self) -> None:
        (self.state / "restarting").touch()

    def ssh_keygen(self) -> None:
        os.environ["PATH"], path = REAL, os.environ["PATH"]
        status = os.spawnvp(os.P_WAIT, self.name, [self.name, *self.arguments])
        os.environ["PATH"] = path
        if status:
            raise ProgramError("ssh-keygen failed", status)


if __name__ == "__main__":
    program = Path(sys.argv[0])
    try:
        sys.stdout.write(Double(program.parent.parent / "xen", program.name, sys.argv[1:]).run())
    except ProgramError as failure:
        sys.stderr.write(f"{failure}\n")
        sys.exit(failure.status)
