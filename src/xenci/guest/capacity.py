"""What this host can carry, and what it carries. The limits are hard: they are kept here, under the lock."""

from __future__ import annotations

from typing import Any

from xenci.guest.config import Slot
from xenci.guest.errors import GuestError
from xenci.guest.host import Host
from xenci.guest.records import Record

# What is limited, and the field of a record that uses it.
LIMITS = {"memory_mib": "memory_mib", "vcpus": "vcpus", "storage_mib": "disk_mib"}


def totals(host: Host) -> dict[str, int]:
    """Return the limits."""
    return {**{name: getattr(host.config, name) for name in LIMITS}, "guests": len(host.config.slots)}


def used(records: list[Record]) -> dict[str, int]:
    """Return what records use: those of guests half made and half removed too."""
    sums = {name: sum(getattr(record, field) for record in records) for name, field in LIMITS.items()}
    return {**sums, "guests": len(records)}


def require(host: Host, records: list[Record], needs: dict[str, int]) -> Slot:
    """Return the slot for one more guest, or raise `full` with the numbers. The caller holds the lock."""
    limits, taken = totals(host), used(records)
    for name, need in {**needs, "guests": 1}.items():
        if need > limits[name]:
            raise GuestError("bad_request", f"{name} is {need}: this host has {limits[name]} in all")
        if taken[name] + need > limits[name]:
            raise GuestError(
                "full", f"{name}: {taken[name]} of {limits[name]} are in use, {need} more are needed"
            )
    macs = {record.mac for record in records}
    addresses = {record.address for record in records}
    for slot in host.config.slots:
        if slot.mac not in macs and slot.address not in addresses:
            return slot
    raise GuestError("full", f"all {len(host.config.slots)} addresses are in use")


def report(host: Host) -> dict[str, Any]:
    """Return limits and use, for people and for a scheduler."""
    with host.locks.everything():
        taken = used(list(host.records.all()))
    return {"total": totals(host), "used": taken}
