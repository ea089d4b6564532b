"""Prove that nothing is left of guests that are gone, and remove what is."""

from __future__ import annotations

import time
from typing import Any

from xenci.guest import image_store, names, traces, xen
from xenci.guest.errors import GuestError
from xenci.guest.host import Host
from xenci.guest.records import Record
from xenci.guest.request import Request

# A trace counts when it is still there after so many looks: guests come and go while an audit runs.
LOOKS, PAUSE = 3, 1.0


def audit(host: Host, request: Request) -> dict[str, Any]:
    """Return what is there without an owner.

    With `clean` true what is ours is removed, and what stays is returned. Guests that somebody works on at
    this moment are left out.
    """
    clean = request.get("clean", False)
    removed: list[str] = []
    found = [(kind, name, detail) for name, (kind, detail) in left_guests(host, clean, removed).items()]
    found += [("domain", name, "not made by this program") for name in foreign()]
    for domain in lost_domains(host):
        if clean:
            xen.destroy_domain(domain)
            removed.append(f"domain {domain.domid}")
        else:
            found.append(("domain", domain.name, f"domain {domain.domid} is of no guest"))
    for path in host.records.unfinished():
        if clean:
            with host.locks.everything():
                path.unlink(missing_ok=True)
            removed.append(path.name)
        else:
            found.append(("record", path.name, "unfinished"))
    removed += image_store.clean(host) if clean else []
    for name, path in image_store.leftovers(host):
        found.append(("image", name, f"{path.name} is left of an import or a removal"))
    for name, version in image_store.lost_volumes(host):
        found.append(("image", name, f"the volume of version {version} has no image"))
    found += [(kind, name, f"of domain {owner}, which is gone") for kind, name, owner in lasting_orphans()]
    findings = [dict(zip(("kind", "name", "detail"), finding)) for finding in sorted(found)]
    return {"clean": not findings, "findings": findings, "removed": removed}


def left_guests(host: Host, clean: bool, removed: list[str]) -> dict[str, tuple[str, str]]:
    """Return what is left of guests; with `clean` remove it, and tell that in `removed`.

    What is seen without the guest's lock may just come or go: it is looked at again with it.
    """
    found = {}
    for guest in sorted(suspects(host)):
        if host.locks.is_free(guest):
            with host.locks.guest(guest):
                again = suspects(host).get(guest)
                if again and clean:
                    removed.extend(f"{what} of guest {guest}" for what in host.remove(guest))
                elif again:
                    found[guest] = again
    return found


def suspects(host: Host) -> dict[str, tuple[str, str]]:
    """Return guests of which something is there that should not be, with kind and detail."""
    parts: dict[str, tuple[str, str]] = {}
    for name in host.store.guests():
        parts[name] = ("disk", "it has no record")
    for name in host.guests_with_folder():
        parts[name] = ("seed", "it has no record")
    for domain in xen.domains():
        if names.GUEST.fullmatch(domain.name) and domain.uuid == names.domain_uuid(domain.name):
            parts[domain.name] = ("domain", f"domain {domain.domid} has no record")
    for name in host.records.names():
        parts.pop(name, None)
        try:
            record = host.records.get(name)
        except GuestError as error:
            parts[name] = ("record", error.message)
            continue
        if record and abandoned(host, record):
            parts[name] = ("record", f"nobody works on it, and it is half done: {record.state}")
    return parts


def abandoned(host: Host, record: Record) -> bool:
    """Tell whether whoever makes or removes a guest has left it; only asked when nobody holds its lock.

    Waiting for its SSH server needs no lock: a guest that boots is given its time.
    """
    if record.state == "booting":
        return time.time() > host.records.written(record.name) + host.config.boot_timeout + 60
    return record.state != "running"


def lost_domains(host: Host) -> list[xen.Domain]:
    """Return domains of ours whose guest can't be told: `xl create` was killed before it named them."""
    nameless = [domain for domain in xen.domains() if domain.ours]
    known = {*host.records.names(), *host.guests_with_folder(), *host.store.guests()}
    uuids = {names.domain_uuid(name) for name in known}
    return [
        domain
        for domain in nameless
        if domain.uuid not in uuids
        and not (names.GUEST.fullmatch(domain.name) and domain.uuid == names.domain_uuid(domain.name))
    ]


def foreign() -> list[str]:
    """Return the names of domains that this program has not made."""
    return [domain.name for domain in xen.domains() if domain.domid and not domain.ours]


def lasting_orphans() -> set[traces.Trace]:
    """Return the traces that stay."""
    found = traces.orphans()
    for _ in range(LOOKS - 1):
        if not found:
            break
        time.sleep(PAUSE)
        found &= traces.orphans()
    return found
