"""Builds of a whole CI in guests of the Xen host: what they leave, and what comes of them when one dies."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import review
from tests.e2e.faults import GOOD, LASTING, inside, items, kill, proposed, running, the_message, until, voted
from tests.xen.host import HOST, XenHost
from xenci.demo import hosts, report
from xenci.demo.site import Site
from xenci.guest import names

PATIENCE = 900.0
"""Seconds for what an emulated guest does: boot, and be deleted."""

JOB = "xen-guest-tests"
# The project's other tests run on a static node, where this one has nothing to wait for.
IN_A_GUEST = '@unittest.skipUnless(pathlib.Path("/sys/hypervisor/uuid").exists(), "not in a guest of Xen")'


@pytest.fixture(autouse=True)
def nothing_stays(host: XenHost) -> Iterator[None]:
    """After each test dom0 is alone again, and the audit finds nothing."""
    yield
    until(lambda: not guests(host), PATIENCE)
    assert [line.split()[0] for line in host.ssh("xl list").stdout.splitlines()[1:]] == ["Domain-0"]
    reply = host.operator("audit")
    assert reply["clean"], reply["findings"]


def guests(host: XenHost) -> list[dict[str, Any]]:
    """The host's guests, in whatever state."""
    found: list[dict[str, Any]] = host.operator("list")["guests"]
    return found


def at_work(host: XenHost, before: str = "") -> dict[str, Any]:
    """The guest in which a lasting test has begun, other than the one of that name before; waits for it."""

    def one() -> dict[str, Any] | None:
        up = [guest for guest in guests(host) if guest["state"] == "running" and guest["name"] != before]
        return next((guest for guest in up if host.job(guest, "test -e /tmp/begun").returncode == 0), None)

    return until(one, PATIENCE) or {}


def lasting(site: Site) -> review.Change:
    """A change whose test in the guest lasts until it is told to end."""
    program = LASTING.replace("class ", f"{IN_A_GUEST}\nclass ")
    return review.propose(site, "hypervisor-tools", {"tests/test_xen.py": program})


def ended_well(site: Site, change: review.Change, first: str) -> None:
    """The change gets its vote from another build than the first, and one comment, which names only that."""
    until(lambda: review.verified(site, change) == GOOD.verified, PATIENCE)
    until(lambda: not items(site, change))
    (message,) = review.said(site, change)
    assert first not in message
    assert message.count(": SUCCESS in ") == 2


def test_the_logs_show_the_guest_from_inside_and_from_dom0(host: XenHost, site: Site) -> None:
    change = proposed(site)
    name = until(lambda: guests(host), PATIENCE)[0]["name"]
    assert voted(site, change).vote == GOOD.verified
    (build,) = site.tenant(f"builds?change={change.number}&job_name={JOB}&complete=true")
    uuid = names.domain_uuid(name)
    assert uuid in report.log(site, build, "tests.txt")
    outside = report.log(site, build, "dom0.txt")
    assert f"on Xen host {host.address}" in outside
    assert uuid in outside


def test_a_launcher_that_dies_during_a_boot(host: XenHost, site: Site) -> None:
    change = proposed(site)
    until(lambda: [guest for guest in guests(host) if guest["state"] == "booting"], PATIENCE)
    kill(site.lab, "ci", "zuul-launcher")
    assert voted(site, change).vote == GOOD.verified
    assert the_message(site, change).count(": SUCCESS in ") == 2


def test_a_guest_that_dies_during_its_job(host: XenHost, site: Site) -> None:
    change = lasting(site)
    guest = at_work(host)
    first = running(site, change, name=JOB)
    host.ssh(f"xl destroy {guest['name']}")
    second = at_work(host, guest["name"])
    host.job(second, "touch /tmp/end")
    ended_well(site, change, first)
    # What the guest said last stands in the logs of its build, below dom0's word on its death.
    (build,) = [one for one in site.tenant(f"builds?change={change.number}") if one["uuid"] == first]
    console = report.log(site, build, "console-node.txt")
    heading, _, said = console.partition("\n")
    assert f"Guest {guest['name']} on Xen host {host.address}, dead, says dom0: " in heading
    assert "Linux version" in said
    assert "had died before: " in inside(site.lab, "ci", "journalctl --unit zuul-launcher --output cat")


@contextlib.contextmanager
def frozen(host: XenHost) -> Iterator[None]:
    """While inside, the whole Xen host stands still, as behind a dead switch."""
    process = int(hosts.machines(host.lab)[HOST].split()[0])
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_host_that_is_cut_off_during_a_job(host: XenHost, site: Site) -> None:
    change = lasting(site)
    guest = at_work(host)
    first = running(site, change, name=JOB)
    with frozen(host):
        # The executor gives the build up, not the change.
        until(lambda: running(site, change, name=JOB) != first, PATIENCE)
    second = at_work(host, guest["name"])
    host.job(second, "touch /tmp/end")
    ended_well(site, change, first)
