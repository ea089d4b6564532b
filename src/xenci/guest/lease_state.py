"""What the host knows of its lease: the record, and the wish for one while guests are left."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from xenci.guest.errors import GuestError
from xenci.guest.records import new_file, sync, write

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# A wish is said again every few seconds; nobody waits any more when it was not for so long.
WISH_SECONDS = 600


def boot_id() -> str:
    """Return what tells this boot from others."""
    return BOOT_ID.read_text(encoding="ascii").strip()


@dataclass
class Lease:
    """A lease. Times are seconds since 1970.

    preparing: nobody has been let in. leased: somebody has. returning: the host is about to restart.
    The known root is made while it is `preparing`, so that is what a boot into it finds.
    """

    name: str
    state: str
    boot: str
    since: int
    user: str
    authorized_keys: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    host_keys: list[str] = field(default_factory=list)


class LeaseState:
    """The files of it."""

    def __init__(self, folder: Path) -> None:
        self.record, self.wish = folder / "lease.json", folder / "lease-wish.json"
        self.baseline, self.findings = folder / "lease-baseline.json", folder / "lease-findings.txt"

    def get(self) -> Lease | None:
        """Return the lease, None if there is none; `bad_state` if it can't be read."""
        try:
            return Lease(**json.loads(self.record.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise GuestError("bad_state", f"the record {self.record} can't be read: {error}") from error

    def put(self, lease: Lease) -> None:
        """Write it: after a crash there is the old one or the new one."""
        write(self.record, json.dumps(asdict(lease), indent=1).encode("ascii"))

    def remove(self) -> None:
        """Forget the lease, its record last."""
        for file in (self.wish, self.baseline, self.record):
            new_file(file).unlink(missing_ok=True)
            file.unlink(missing_ok=True)
        sync(self.record.parent)

    def wanted_by(self) -> str:
        """Return who waits for the host to be empty, "" if nobody does."""
        try:
            wish = json.loads(self.wish.read_bytes())
            lasts = 0 <= time.time() - wish["time"] < WISH_SECONDS
            return str(wish["name"]) if lasts else ""
        except FileNotFoundError:
            return ""
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise GuestError("bad_state", f"{self.wish} can't be read: {error}; remove it") from error

    def want(self, name: str) -> None:
        """Let the host get empty for a lease."""
        write(self.wish, json.dumps({"name": name, "time": int(time.time())}).encode("ascii"))

    def want_no_more(self, name: str) -> None:
        """Take a wish back, and what a killed request has left of writing."""
        for file in (self.wish, self.baseline, self.record):
            new_file(file).unlink(missing_ok=True)
        if self.wanted_by() == name:
            self.wish.unlink()

    def claim(self) -> str:
        """Return why no guest can be made, "" if one can."""
        lease = self.get()
        if lease:
            return f"the host is leased by {lease.name}"
        wanted = self.wanted_by()
        return f"the host is to be leased by {wanted}, and gets empty for it" if wanted else ""
