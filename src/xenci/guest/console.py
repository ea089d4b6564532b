"""The console log of a guest, which xenconsoled writes; it stays when the guest is gone."""

from __future__ import annotations

import os
from typing import Any

from xenci.guest import xen
from xenci.guest.host import Host
from xenci.guest.request import Request

DEFAULT_BYTES = 64 * 1024


def tail(host: Host, guest: str, size: int) -> str:
    """Return the end of the log, at most `size` bytes, "" if there is none. A guest may print anything."""
    try:
        with (host.config.console_logs / f"guest-{guest}.log").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - size))
            return log.read(size).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def console(host: Host, request: Request) -> dict[str, Any]:
    """Return the end of the log, and dom0's word on the guest's death if it is dead."""
    guest = request["name"]
    return {
        "name": guest,
        "console": tail(host, guest, request.get("bytes", DEFAULT_BYTES)),
        "death": "" if xen.alive(guest) else host.death(guest),
    }
