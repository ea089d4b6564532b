"""Xen's toolstack: everything that is asked of `xl`."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from xenci.guest import names
from xenci.guest.command import Done, run
from xenci.guest.errors import GuestError

# A line of `xl list -v` (tools/xl/xl_info.c). The name is "(null)" while xl is still at it.
LINE = re.compile(
    r"(?P<name>.+?)\s+(?P<domid>\d+)\s+(?P<memory>\d+)\s+(?P<vcpus>\d+)\s+(?P<state>[a-zA-Z?-]{6})\s+[\d.]+"
    r"\s+(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s.*"
)
# What libxl says when a hotplug script needs more than its 40 seconds, or QEMU more than it gives that
# (rc is libxl's ERROR_TIMEDOUT).
TOO_SLOW = re.compile(r"killing execution of .* because of timeout|\brc=-9\b")
NO_MEMORY = re.compile(
    r"(not enough|failed to free) memory|not enough free memory|Cannot allocate memory", re.IGNORECASE
)
CREATE_TRIES = 3
CREATE_SECONDS = 180
DESTROY_SECONDS = 120

# What xl's monitor writes into xl-NAME.log. Numbers: xen/include/public/sched.h.
SHUTDOWN = re.compile(r"has (?:been )?shut down, reason code (\d+)")
REASONS = {0: "poweroff", 1: "reboot", 2: "suspend", 3: "crash", 4: "watchdog", 5: "soft_reset"}


@dataclass(frozen=True)
class Domain:
    """A domain that Xen knows. `alive` is false once it has shut down or is being torn down."""

    name: str
    domid: int
    uuid: str
    memory_mib: int
    alive: bool

    @property
    def ours(self) -> bool:
        """Whether this program made it."""
        return self.uuid.startswith(names.UUID_PREFIX)


def domains() -> list[Domain]:
    """Return every domain, dom0 too."""
    done = run(["xl", "list", "-v"])
    if not done.ok:
        raise GuestError("xen_failed", f"Xen does not answer: {done.why()}")
    found = []
    for line in done.output.splitlines()[1:]:
        match = LINE.fullmatch(line.rstrip() + " ")
        if not match:
            raise GuestError("xen_failed", f"`xl list -v` has a line of another shape: {line[:200]!r}")
        state = match["state"]
        found.append(
            Domain(
                match["name"],
                int(match["domid"]),
                match["uuid"],
                int(match["memory"]),
                alive=state[3] != "s" and state[5] != "d",
            )
        )
    return found


def find(guest: str) -> list[Domain]:
    """Return the domains of a guest: one, none, or what a killed `xl create` left beside it."""
    uuid = names.domain_uuid(guest)
    return [domain for domain in domains() if domain.uuid == uuid]


def alive(guest: str) -> bool:
    """Tell whether a guest's domain runs."""
    return any(domain.alive for domain in find(guest))


def create(guest: str, config: Path) -> None:
    """Start a guest. A host that was too slow for libxl is a reason to try again."""
    for attempt in range(CREATE_TRIES):
        done = run(["xl", "create", str(config)], CREATE_SECONDS)
        if done.ok:
            return
        destroy(guest)
        if attempt + 1 == CREATE_TRIES or not _slow(done):
            break
    code = "no_memory" if NO_MEMORY.search(done.errors) else "xen_failed"
    raise GuestError(code, f"the guest did not start: {done.why()}", log=done.errors[-4000:])


def _slow(done: Done) -> bool:
    return done.status is None or bool(TOO_SLOW.search(done.errors))


def destroy(guest: str) -> list[Domain]:
    """End a guest's domains, however they are; return them when Xen has let go of them."""
    found = find(guest)
    for domain in found:
        destroy_domain(domain)
    return found


def destroy_domain(domain: Domain) -> None:
    """End a domain; returns when Xen has let go of it."""
    done = run(["xl", "destroy", str(domain.domid)], DESTROY_SECONDS)
    deadline = time.monotonic() + DESTROY_SECONDS
    while any(other.domid == domain.domid for other in domains()):
        # xl may fail on a domain that goes away by itself: what counts is that it is gone.
        if not done.ok or time.monotonic() > deadline:
            raise GuestError(
                "xen_failed", f"domain {domain.domid} ({domain.name}) does not end: {done.why()}"
            )
        time.sleep(0.5)


def death(guest: str, xl_logs: Path) -> str | None:
    """Return dom0's word on why a guest's last life ended: `poweroff`, `reboot`, `crash`, ...

    None where nothing is known. xl starts a new log with every start of a guest.
    """
    try:
        log = (xl_logs / f"xl-{guest}.log").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    codes = SHUTDOWN.findall(log)
    return REASONS.get(int(codes[-1]), f"code {codes[-1]}") if codes else None


def outside(guest: str) -> dict[str, object]:
    """Return what dom0 sees of a guest: Xen itself, and its line of `xl list -v` under the heading."""
    done = run(["xl", "list", "-v"])
    uuid = names.domain_uuid(guest)
    lines = [line for number, line in enumerate(done.output.splitlines()) if not number or uuid in line]
    return {"xen": info(), "xl_list": "\n".join(lines)}


def facts() -> dict[str, str]:
    """Return what `xl info` says."""
    done = run(["xl", "info"])
    if not done.ok:
        raise GuestError("xen_failed", f"Xen does not answer: {done.why()}")
    pairs = (line.partition(":") for line in done.output.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def info() -> dict[str, object]:
    """Return Xen's version and free memory (MiB)."""
    values = facts()
    return {
        "version": values.get("xen_version"),
        "free_memory_mib": int(values.get("free_memory") or 0),
        "kernel": values.get("release"),
        "capabilities": values.get("virt_caps", "").split(),
    }
