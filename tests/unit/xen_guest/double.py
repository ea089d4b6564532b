#!/usr/bin/python3 -ISE
"""Stands in for the programs of dom0: linked into a folder on PATH under each one's name.

State is kept in files beside that folder, so that processes share it as they share a real host. Real `xl` and
LVM are only imitated where xenci-guest looks; what it prints has the shape of Xen 4.17's and LVM 2.03's.
"""

# ruff: noqa: T201, S606  # it is a program that prints, and runs the real ssh-keygen
from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

NAME = Path(sys.argv[0]).name
ARGUMENTS = sys.argv[1:]
STATE = Path(sys.argv[0]).parent.parent / "xen"
REAL = "/usr/bin:/bin:/usr/sbin:/sbin"


def flag(name: str) -> str | None:
    """Return what a test has set for the doubles, None if it has not."""
    file = STATE / name
    return file.read_text() if file.exists() else None


def fail(text: str, status: int = 1) -> None:
    sys.stderr.write(text + "\n")
    sys.exit(status)


def domains() -> list[dict]:
    return [json.loads(file.read_text()) for file in sorted((STATE / "domains").iterdir())]


def xl_list() -> None:
    print(
        "Name                                        ID   Mem VCPUs\tState\tTime(s)"
        "   UUID                            Reason-Code\tSecurity Label"
    )
    dom0 = {
        "name": "Domain-0",
        "domid": 0,
        "memory": 1024,
        "vcpus": 1,
        "uuid": "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
    }
    for domain in [dom0, *domains()]:
        print(
            f"{domain['name']:<40} {domain['domid']:5d} {domain['memory']:5d} {domain['vcpus']:5d}     "
            f"{domain.get('state', '-b----')}  {12.5:8.1f} {domain['uuid']} {'-':>8} {'-':>16}"
        )


def xl_create() -> None:
    text = Path(ARGUMENTS[1]).read_text()
    values = dict(re.findall(r"^(\w+) = (.*)$", text, re.MULTILINE))
    name, uuid = values["name"].strip('"'), values["uuid"].strip('"')
    for event in ("on_poweroff", "on_reboot", "on_crash"):
        if values[event] != '"destroy"':
            fail(f"{event} is {values[event]}")
    for target in re.findall(r"target=([^\",]+)", values["disk"]):
        volume = re.fullmatch(r"/dev/vg/(.+)", target)
        if not (STATE / "volumes" / volume[1] if volume else Path(target)).exists():
            fail(f"libxl: error: Disk vdev: {target}: No such file or directory")
    for path in (values["kernel"], values["ramdisk"]):
        if not Path(path.strip('"')).exists():
            fail(f"libxl: error: {path}: No such file or directory")
    memory = int(values["memory"])
    if memory + sum(domain["memory"] for domain in domains()) > int(flag("memory") or 100000):
        fail("libxl: error: libxl_mem.c:604: failed to free memory for the domain")
    if any(domain["name"] == name or domain["uuid"] == uuid for domain in domains()):
        fail(f'libxl: error: Domain with name "{name}" already exists.')
    domid = int((STATE / "next").read_text())
    (STATE / "next").write_text(str(domid + 1))
    domain = {"name": "(null)", "domid": domid, "memory": memory, "vcpus": int(values["vcpus"]), "uuid": uuid}
    file = STATE / "domains" / f"{domid:05d}"
    file.write_text(json.dumps(domain))
    if slow := flag("slow_create"):
        unlock()
        time.sleep(float(slow))
        lock()
    hotplug = int(flag("hotplug_timeouts") or 0)
    if hotplug:
        (STATE / "hotplug_timeouts").write_text(str(hotplug - 1))
        fail("libxl: error: killing execution of /etc/xen/scripts/vif-bridge online because of timeout")
    file.write_text(json.dumps({**domain, "name": name}))
    highest = max(int(flag("highest") or 0), len(domains()))
    (STATE / "highest").write_text(str(highest))
    log = STATE / "log" / f"xl-{name}.log"
    log.write_text(f"Waiting for domain {name} (domid {domid}) to die [pid 1]\n")
    with (STATE / "log" / f"guest-{name}.log").open("a") as console:
        console.write(f"[    0.000000] Linux version 6.1 of {name}\n")
        if flag("crash"):
            console.write("Kernel panic - not syncing: Attempted to kill init!\n")
            log.open("a").write(f"Domain {domid} has shut down, reason code 3 0x3\n")
            file.unlink()


def xl_destroy() -> None:
    file = STATE / "domains" / f"{int(ARGUMENTS[1]):05d}"
    if not file.exists():
        fail(f"{ARGUMENTS[1]} is an invalid domain identifier (rc=-6)")
    file.unlink()


def xl() -> None:
    if flag("xl_down"):
        fail("xencall: error: Could not obtain handle on privileged command interface")
    if ARGUMENTS == ["info"]:
        print(
            "release                : 6.1.0\nxen_version            : 4.17.5\nfree_memory            : 2014"
        )
        print("virt_caps              : pv hvm hap")
        return
    {"list": xl_list, "create": xl_create, "destroy": xl_destroy}[ARGUMENTS[0]]()


def xenstore_list() -> None:
    kind = ARGUMENTS[0]
    if kind == "/vm":
        entries = [domain["uuid"] for domain in domains()]
    else:
        entries = [str(domain["domid"]) for domain in domains()]
    entries += (flag("stale" + kind.replace("/", "_")) or "").split()
    if not entries and kind != "/local/domain":
        fail(f"xenstore-list: could not list path {kind}: ENOENT")
    print("\n".join(entries))


def full() -> None:
    if flag("full"):
        fail(f"{NAME}: error writing: No space left on device")


def cp() -> None:
    source, target = map(Path, ARGUMENTS[-2:])
    if ARGUMENTS[0] == "--reflink=always" and flag("full"):
        target.write_bytes(source.read_bytes()[:100])  # what a full disk leaves
    full()
    target.write_bytes(source.read_bytes())


def volume(path: str) -> Path:
    return STATE / "volumes" / path.removeprefix("/dev/").removeprefix("vg/")


def lvs() -> None:
    if "lv_name" in ARGUMENTS:
        print("".join(f"  {file.name}\n" for file in (STATE / "volumes").iterdir()), end="")
    else:
        print(f"  {flag('used') or '12.50'}:3.10")


def lvcreate() -> None:
    full()
    new = volume(ARGUMENTS[ARGUMENTS.index("--name") + 1])
    if new.exists():
        fail(f'  Logical Volume "{new.name}" already exists in volume group "vg"', 5)
    origin = volume(ARGUMENTS[-1])
    if "--snapshot" in ARGUMENTS and not origin.exists():
        fail(f'  Failed to find logical volume "{ARGUMENTS[-1]}"', 5)
    new.write_bytes(origin.read_bytes() if "--snapshot" in ARGUMENTS else b"")


def dd() -> None:
    words = dict(word.split("=", 1) for word in ARGUMENTS)
    volume(words["of"]).write_bytes(Path(words["if"]).read_bytes())


def lvremove() -> None:
    volume(ARGUMENTS[-1]).unlink()


def lvextend() -> None:
    volume(ARGUMENTS[-1])


def ssh_keygen() -> None:
    os.environ["PATH"] = REAL
    status = os.spawnvp(os.P_WAIT, NAME, [NAME, *ARGUMENTS])
    if status:
        sys.exit(status)


ACTS = {
    "xl": xl,
    "xenstore-list": xenstore_list,
    "cp": cp,
    "lvs": lvs,
    "lvcreate": lvcreate,
    "lvchange": lambda: None,
    "lvextend": lvextend,
    "lvremove": lvremove,
    "dd": dd,
    "ssh-keygen": ssh_keygen,
}
LOCK = os.open(STATE / "lock", os.O_RDWR | os.O_CREAT)


def lock() -> None:
    fcntl.flock(LOCK, fcntl.LOCK_EX)


def unlock() -> None:
    fcntl.flock(LOCK, fcntl.LOCK_UN)


def kill(moment: str) -> None:
    """Kill who called, if a test wants that at this moment of this command: `before xl create`, say."""
    if flag("kill") == f"{moment} {' '.join([NAME, *ARGUMENTS[:1]])}":
        victim = STATE / "victim"
        while not victim.exists():
            time.sleep(0.01)
        os.kill(int(victim.read_text()), signal.SIGKILL)
        (STATE / "kill").unlink()
        time.sleep(float(flag("linger") or 0))


lock()
with (STATE / "calls").open("a") as calls:
    calls.write(" ".join([NAME, *ARGUMENTS]) + "\n")
unlock()
kill("before")
lock()
ACTS[NAME]()
unlock()
