"""Guests and their state, as callers see them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from xenci.guest import names, xen
from xenci.guest.errors import GuestError
from xenci.guest.host import Host
from xenci.guest.records import Record, to_reply
from xenci.guest.request import Request


def shown(host: Host, record: Record, domains: list[xen.Domain]) -> dict[str, Any]:
    """Return a guest; a running one whose domain is gone is `dead`, with dom0's word on why."""
    uuid = names.domain_uuid(record.name)
    lives = any(domain.uuid == uuid and domain.alive for domain in domains)
    if record.state in ("running", "booting") and not lives:
        return to_reply(record, state="dead", reason=host.death(record.name))
    return to_reply(record)


def listing(host: Host, request: Request) -> dict[str, Any]:
    """Return every guest that has a record, and the lease of the whole host.

    What has a record that can't be read has nothing but name, state and reason.
    """
    del request
    # Records before domains: a guest that is deleted meanwhile shows as dead, none is left out.
    found: list[Record] = []
    guests: list[dict[str, Any]] = []
    for name in host.records.names():
        try:
            record = host.records.get(name)
        except GuestError as error:
            guests.append({"name": name, "state": "broken", "reason": error.message})
            continue
        found.extend([record] if record else [])
    domains = xen.domains() if found else []
    return {"guests": guests + [shown(host, record, domains) for record in found], "leases": leases(host)}


def leases(host: Host) -> list[dict[str, Any]]:
    """Return the lease: a list of one, or of none."""
    try:
        record = host.lease.get()
    except GuestError as error:
        return [{"name": "", "state": "broken", "reason": error.message}]
    return [asdict(record)] if record else []
