"""Whatever dies between event and vote: the right vote comes, once, or its comment says what was wrong."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e import review
from tests.e2e.faults import (
    GOOD,
    LASTING,
    NODES,
    down,
    hang_up,
    inside,
    items,
    kill,
    proposed,
    running,
    slow,
    the_message,
    unreachable,
    until,
    voted,
)
from xenci.demo import propose
from xenci.demo.lab import Lab
from xenci.demo.site import Site

Good = Callable[[propose.Proposed], str]
# They come back in the reverse order.
SERVICES = [
    ("ci", "zuul-web"),
    ("ci", "zuul-launcher"),
    ("ci", "postgresql@15-main"),
    ("ci", "zookeeper"),
]
BUILDS = "/var/lib/zuul-executor/builds"


@pytest.fixture
def good(site: Site, request: pytest.FixtureRequest) -> Good:
    """The comment of a change that got its +1; how long that took from now on is noted in `recovery.json`."""
    file = site.lab.directory / "recovery.json"

    def wait(change: propose.Proposed) -> str:
        over = time.monotonic()
        assert voted(site, change).vote == GOOD.verified
        known = json.loads(file.read_text()) if file.exists() else {}
        known[request.node.name] = round(time.monotonic() - over, 1)
        file.write_text(json.dumps(known, indent=2))
        message = the_message(site, change)
        assert message.count(": SUCCESS in ") == 1
        return message

    return wait


def test_services_that_die_while_a_job_runs(site: Site, good: Good) -> None:
    """All but executor and scheduler, at once: each has to find the others again."""
    change = proposed(site)
    until(lambda: running(site, change))
    with contextlib.ExitStack() as dead:
        for host, unit in SERVICES:
            dead.enter_context(down(site.lab, host, unit))
    message = good(change)
    # The result has arrived in the database too, and Zuul's web server shows it.
    (build,) = until(lambda: site.tenant(f"builds?change={change.number}&result=SUCCESS"))
    assert build["uuid"] in message


def test_an_executor_that_is_killed_during_a_job(site: Site, good: Good) -> None:
    change = proposed(site)
    first = until(lambda: running(site, change))
    kill(site.lab, "executor", "zuul-executor")
    second = until(lambda: running(site, change, first))
    assert second in good(change)


def test_a_scheduler_that_is_killed_after_the_enqueue(site: Site, good: Good) -> None:
    change = proposed(site)
    until(lambda: items(site, change))
    kill(site.lab, "ci", "zuul-scheduler")
    good(change)


def test_a_scheduler_that_is_killed_before_the_report(site: Site, good: Good) -> None:
    change = proposed(site)
    build = until(lambda: running(site, change))
    with down(site.lab, "ci", "zuul-scheduler"):
        # The executor ends the build meanwhile, and nobody reads its result.
        until(lambda: build not in inside(site.lab, "executor", f"ls {BUILDS}"))
    assert build in good(change)


def test_a_launcher_that_is_down_when_nodes_are_wanted(site: Site, good: Good) -> None:
    with down(site.lab, "ci", "zuul-launcher"):
        change = proposed(site)
        until(lambda: [each for each in site.tenant("nodeset-requests") if each["state"] == "requested"])
    good(change)


# A test of the project under test that lasts until it is told to end, and says by a file that it has begun.
@contextlib.contextmanager
def on_nodes(lab: Lab, command: str, after: str) -> Iterator[None]:
    """Run a command on every node, and another one at the end."""
    for node in NODES:
        inside(lab, node, command)
    try:
        yield
    finally:
        for node in NODES:
            inside(lab, node, after)


def test_a_node_that_goes_away_during_a_job(site: Site) -> None:
    """The build is lost with its node, and begins anew on one that can be reached."""
    gone = "rm -f /tmp/begun /tmp/end"
    with on_nodes(site.lab, gone, gone):
        change = review.propose(site, "hypervisor-tools", {"tests/test_lasting.py": LASTING})
        begun = "test ! -e /tmp/begun || echo begun"
        busy = until(lambda: [node for node in NODES if inside(site.lab, node, begun)])
        first = running(site, change)
        with unreachable(site.lab, *busy), on_nodes(site.lab, "touch /tmp/end", "true"):
            for node in busy:
                inside(site.lab, node, "pkill --signal KILL --uid zuul sshd")
            until(lambda: running(site, change, first))
        until(lambda: review.verified(site, change) == GOOD.verified)
    until(lambda: not items(site, change))
    (message,) = review.said(site, change)
    assert first not in message
    assert message.count(": SUCCESS in ") == 1


def test_a_review_server_far_away(site: Site, good: Good) -> None:
    """A fifth of a second each way, as on another continent, for the scheduler's queries and its vote."""
    with slow(site, "ci", "zuul-scheduler", 0.2, 443, 29418):
        good(proposed(site))


def test_a_review_server_that_is_away_for_a_while(site: Site, good: Good) -> None:
    change = proposed(site)
    until(lambda: running(site, change))
    with unreachable(site.lab, "review", ports="443, 29418", source=site.addresses["ci"]):
        hang_up(site)
    good(change)
    good(proposed(site))


def test_nodes_that_nobody_reaches(site: Site) -> None:
    with unreachable(site.lab, *NODES):
        change = proposed(site)
        # Zuul has tried as often as it may.
        assert voted(site, change).vote == -1
    assert ": RETRY_LIMIT in " in the_message(site, change)


def test_a_log_server_that_is_down_at_the_upload(site: Site) -> None:
    with unreachable(site.lab, "logs"):
        change = proposed(site)
        assert voted(site, change).vote == -1
    message = the_message(site, change)
    assert ": POST_FAILURE in " in message
    assert "the logs of this build could not be uploaded" in message
