"""Lease the whole host, and bring it back to what it was.

Order: wish (no new guest is made), record, baseline, snapshot in the place of the root, way in. After a kill
at any step the next `lease` of the name goes on, `release` undoes it or restarts the host, and whatever else
restarts it ends the lease.
"""

from __future__ import annotations

import os
import shutil
import syslog
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from xenci.guest import baseline, root, xen
from xenci.guest.audit import audit
from xenci.guest.command import run
from xenci.guest.errors import GuestError
from xenci.guest.host import Host
from xenci.guest.lease_state import Lease, boot_id
from xenci.guest.records import write
from xenci.guest.request import Request
from xenci.guest.root import Root

KEYS = Path("etc/ssh/authorized_keys/xen_host_lease")
# Role xen_host writes the rules; only a leased root has them where the firewall is read from.
RULES, RULES_IN_USE = Path("etc/xenci-lease.nft"), Path("etc/nftables.d/xen_host_lease.nft")
REASON_LENGTH = 255
SAME = ("labels", "authorized_keys")


def why_not(host: Host) -> str:
    """Return why this host can't be leased, "" if it can."""
    if not host.config.lease_user:
        return "it is not offered (xen_host_lease)"
    if host.config.storage.backend != "reflink":
        return "its guests' disks are volumes, and the boot loader needs a file that it can write"
    return host.root.why_not()


def report(host: Host) -> dict[str, Any]:
    """Return whether this host can be leased, and by whom it is, or waits to be."""
    reason = why_not(host)
    try:
        record, wanted = host.lease.get(), host.lease.wanted_by()
    except GuestError as error:
        return {"lease": not reason, "leased": {"name": "", "state": "broken", "reason": error.message}}
    state = {"name": record.name, "state": record.state} if record else {}
    return {"lease": not reason, "leased": state or ({"name": wanted, "state": "emptying"} if wanted else {})}


def busy(host: Host) -> str:
    """Return why no guest can be made, "" if one can. The caller holds the lock of everything."""
    reason = host.lease.claim()
    # Whoever has the host may have removed the record of it.
    if not reason and host.config.lease_user and host.root.switched():
        return "the host is leased"
    return reason


def lease(host: Host, request: Request) -> dict[str, Any]:
    """Hand the host over; `full` while guests or another lease are on it."""
    name = request["name"]
    reason = why_not(host)
    if reason:
        raise GuestError("unsupported", f"this host can't be leased: {reason}")
    with host.locks.lease():
        record = host.lease.get()
        if record is None:
            record = claim(host, request)
        elif record.name != name:
            raise GuestError("full", f"the host is leased by {record.name}")
        same(record, request)
        created = record.state == "preparing"
        if record.state == "returning" or (created and record.boot != boot_id()):
            raise GuestError("deleted", f"lease {name} has ended: the host comes back from it")
        if created:
            prepare(host, record)
    outside = {"xen": xen.info(), "xl_list": "the whole host"}
    return {"created": created, "lease": asdict(record), "outside": outside}


def same(record: Lease, request: Request) -> None:
    """Refuse a second request for a name that wants something else."""
    for name in SAME:
        if name in request.fields and request[name] != getattr(record, name):
            raise GuestError("exists", f"lease {record.name} is there with other {name}")


def claim(host: Host, request: Request) -> Lease:
    """Write the record, once the host is empty."""
    name = request["name"]
    if host.drained():
        raise GuestError("drained", f"this host takes no guests: {host.drained()}")
    with host.locks.everything():
        wanted = host.lease.wanted_by()
        if wanted not in ("", name):
            raise GuestError("full", f"the host is to be leased by {wanted}")
        host.lease.want(name)
        guests = len(host.records.names())
    if guests:
        raise GuestError("full", f"{guests} guests are left; no more are made until lease {name} has ended")
    left = audit(host, Request("audit", {"clean": True}))["findings"]
    if left:
        host.lease.want_no_more(name)
        shown = "; ".join(f"{one['kind']} {one['name']}: {one['detail']}" for one in left)
        raise GuestError("bad_state", f"what is of no guest is on the host: {shown}")
    record = Lease(
        name=name,
        state="preparing",
        boot=boot_id(),
        since=int(time.time()),
        user=host.config.lease_user,
        authorized_keys=request["authorized_keys"],
        labels=request.get("labels", {}),
        host_keys=host_keys(),
    )
    with host.locks.everything():
        host.lease.put(record)
    return record


def host_keys() -> list[str]:
    """Return dom0's public SSH host keys."""
    files = sorted((root.ROOT / "etc/ssh").glob("ssh_host_*_key.pub"))
    keys = [" ".join(file.read_text(encoding="ascii").split()[:2]) for file in files]
    if not keys:
        raise GuestError("bad_state", "dom0 has no SSH host key")
    return keys


def prepare(host: Host, record: Lease) -> None:
    """Keep what the host is like, and let somebody in."""
    place = host.root
    try:
        if not place.switched():
            place.boot_known()
            baseline.keep(host, host.lease.baseline)
            place.switch()
        let_in(record)
    except (GuestError, OSError) as error:
        failure = error if isinstance(error, GuestError) else GuestError("storage_failed", str(error))
        # Once the snapshot is the root that boots, only a boot undoes it.
        if not place.switched():
            undo(host, place)
        raise failure from error
    record.state = "leased"
    host.lease.put(record)
    host.lease.want_no_more(record.name)


def let_in(record: Lease) -> None:
    """Open the way in, and close that to where guests can't get either."""
    keys = root.ROOT / KEYS
    write(keys, "".join(f"{key}\n" for key in record.authorized_keys).encode("ascii"))
    # sshd reads it as the user that logs in.
    os.chmod(keys, 0o644)
    rules = root.ROOT / RULES_IN_USE
    shutil.copyfile(root.ROOT / RULES, rules)
    done = run(["nft", "--file", str(rules)])
    if not done.ok:
        raise GuestError("bad_state", f"the firewall of the lease: {done.why()}")


def undo(host: Host, place: Root) -> None:
    """Forget a lease that nobody was let in by."""
    place.drop()
    host.lease.remove()


def release(host: Host, request: Request) -> dict[str, Any]:
    """End a lease: the host restarts into what it was. One that is not there is no error.

    `returning` is true until the host has been looked at: the caller asks again.
    """
    name = request["name"]
    with host.locks.lease():
        place = host.root
        switched = bool(host.config.lease_user) and place.switched()
        try:
            record = host.lease.get()
        except GuestError:
            record = None  # whoever had the host has spoilt it
        theirs = record.name == name if record else switched
        if not theirs:
            host.lease.want_no_more(name)
            return {"released": False, "returning": False}
        if not switched and record and record.boot == boot_id():
            undo(host, place)
            return {"released": True, "returning": False}
        if switched:
            if record:
                record.state = "returning"
                host.lease.put(record)
            restart()
    return {"released": True, "returning": True}


def restart() -> None:
    """Restart the host. What stops in an orderly shutdown is the lease's, and may never end."""
    done = run(["systemctl", "reboot", "--force"])
    if not done.ok:
        raise GuestError("bad_state", f"the host does not restart: {done.why()}")


def settle(host: Host, request: Request) -> dict[str, Any]:
    """After a boot: see whether the host is what it was before a lease, and let guests return.

    If it is not, or that can't be told, it takes no guests, and says why.
    """
    del request
    if why_not(host):
        return {"settled": ""}
    place = host.root
    with host.locks.lease():
        if place.switched():
            return {"settled": ""}
        try:
            record = host.lease.get()
            name = record.name if record else ""
        except GuestError as error:
            return end(host, place, "?", [error.message])
        if record and record.boot == boot_id():
            return {"settled": ""}
        if not name and not place.left():
            place.boot_known()
            host.lease.remove()
            return {"settled": ""}
        return end(host, place, name or "?", look(host))


def look(host: Host) -> list[str]:
    """Return what a lease has left behind. Without a baseline nobody was let in."""
    if not host.lease.baseline.exists():
        return []
    try:
        left = audit(host, Request("audit", {"clean": True}))["findings"]
        orphans = [f"{one['kind']} {one['name']}: {one['detail']}" for one in left]
        return baseline.differences(host, host.lease.baseline) + orphans
    except (GuestError, OSError) as error:
        return [f"it could not be made: {error}"]


def end(host: Host, place: Root, name: str, found: list[str]) -> dict[str, Any]:
    """Forget a lease, its record last; what was found takes the host out of service first."""
    try:
        place.boot_known()
        place.drop()
    except (GuestError, OSError) as error:
        found = [*found, str(error)]
    if found:
        for line in found:
            syslog.syslog(syslog.LOG_ERR, f"the audit after lease {name} found: {line!a}")
        write(host.lease.findings, "".join(f"{line}\n" for line in found).encode("utf-8", "replace"))
        write(host.drained_file, reason(name, found).encode("ascii"))
    host.lease.remove()
    return {"settled": name, "findings": found}


def reason(name: str, found: list[str]) -> str:
    """Return why the host takes no guests."""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    head = f"the audit after lease {name} found: "
    first = found[0].encode("ascii", "backslashreplace").decode("ascii").replace("\n", " ")
    return f"{head}{first[: REASON_LENGTH - len(head) - len(more)]}{more}"
