"""What domains leave in dom0 when something went wrong: interfaces, XenStore entries, QEMU processes."""

from __future__ import annotations

import re
from pathlib import Path

from xenci.guest import names, xen
from xenci.guest.command import run
from xenci.guest.errors import GuestError

INTERFACES = Path("/sys/class/net")
PROCESSES = Path("/proc")
VIF = re.compile(r"vif(\d+)\.\d+(?:-emu)?")
BACKENDS = ("vif", "vbd", "qdisk", "console")

# A trace: what it is, its name, and the domain id or uuid that it belongs to.
Trace = tuple[str, str, str]


def _interfaces() -> set[Trace]:
    matches = (VIF.fullmatch(path.name) for path in INTERFACES.iterdir()) if INTERFACES.is_dir() else ()
    return {("interface", match[0], match[1]) for match in matches if match}


def _entries(path: str) -> list[str]:
    """Return what is below a path of XenStore, [] where there is no such path."""
    done = run(["xenstore-list", path])
    # It does not say why; a XenStore that does not answer fails in other words.
    if not done.ok and f"could not list path {path}" not in done.errors:
        raise GuestError("xen_failed", f"XenStore does not answer: {done.why()}")
    return done.output.split() if done.ok else []


def _xenstore() -> set[Trace]:
    paths = ["/local/domain", *(f"/local/domain/0/backend/{kind}" for kind in BACKENDS)]
    found = {("xenstore", f"{path}/{domid}", domid) for path in paths for domid in _entries(path)}
    vms = {
        ("xenstore", f"/vm/{uuid}", uuid) for uuid in _entries("/vm") if uuid.startswith(names.UUID_PREFIX)
    }
    return found | vms


def _processes() -> set[Trace]:
    found = set()
    for path in PROCESSES.glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode("utf-8", "replace").split("\0")
        except OSError:
            continue  # it has ended meanwhile
        if "-xen-domid" in words[:-1]:
            domid = words[words.index("-xen-domid") + 1]
            found.add(("process", f"pid {path.parent.name}: {words[0][:100]}", domid))
    return found


def orphans() -> set[Trace]:
    """Return the traces of domains that are no more; what just comes or goes may be among them."""
    traces = _interfaces() | _xenstore() | _processes()
    living = {"0"}
    for domain in xen.domains():
        living |= {str(domain.domid), domain.uuid}
    return {trace for trace in traces if trace[2] not in living}
