"""Start a guest again: dead, or (`clean`) as it was when it was made."""

from __future__ import annotations

from typing import Any

from xenci.guest import xen
from xenci.guest.create import start as start_domain
from xenci.guest.create import undone, wait
from xenci.guest.errors import GuestError
from xenci.guest.host import Host
from xenci.guest.listing import shown
from xenci.guest.request import Request


def start(host: Host, request: Request) -> dict[str, Any]:
    """Start a guest whose domain is gone; with `clean` true end it and give it a fresh clone before.

    It keeps its address, host keys and machine-id. A kill in between leaves it `creating`: the next create of
    the same name makes it anew, the next delete removes it.
    """
    guest, clean = request["name"], request.get("clean", False)
    with host.locks.guest(guest):
        record = host.known(guest)
        if record.state in ("creating", "deleting"):
            raise GuestError(
                "bad_state", f"guest {guest} is half {record.state}: delete it, or create it again"
            )
        if xen.alive(guest) and not clean:
            return {"started": False, "guest": shown(host, record, xen.domains())}
        image = host.images.get(record.image, record.version)
        record.state = "creating"
        host.records.put(record)
        xen.destroy(guest)
        try:
            if clean:
                host.store.clone(image, guest, record.disk_mib)
            start_domain(host, record, image)
        except GuestError as error:
            raise undone(host, record, error) from error
    wait(host, record, request.get("ssh_timeout", host.config.boot_timeout))
    return {"started": True, "guest": shown(host, record, xen.domains())}
