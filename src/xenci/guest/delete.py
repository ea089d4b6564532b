"""Remove a guest."""

from __future__ import annotations

from typing import Any

from xenci.guest.errors import GuestError
from xenci.guest.host import Host
from xenci.guest.request import Request


def delete(host: Host, request: Request) -> dict[str, Any]:
    """Remove a guest and all that belongs to it but its console log; one that is not there is no error."""
    guest = request["name"]
    with host.locks.guest(guest):
        try:
            record = host.records.get(guest)
        except GuestError:
            record = None  # it can't be read: removed like any other
        ran = bool(record and record.state == "running")
        if record:
            record.state = "deleting"
            host.records.put(record)
        gone = host.remove(guest)
        # A guest that ran and had no domain has died: whoever used it wants to know why.
        death = host.death(guest) if ran and not any(part.startswith("domain") for part in gone) else ""
    return {"deleted": bool(gone), "removed": gone, "death": death}
