"""What fails between an event and its vote: an executor that goes away, a node that is not the known one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.e2e.faults import GOOD, NODES, inside, proposed, running, the_message, until, voted
from xenci.demo import hosts
from xenci.demo.site import Site


def test_a_change_whose_executor_goes_away_gets_one_vote(site: Site) -> None:
    change = proposed(site)
    first = until(lambda: running(site, change))
    inside(site.lab, "executor", "systemctl restart zuul-executor")
    # The build went with its executor; Zuul starts it again.
    second = until(lambda: running(site, change, first))
    # Told to finish, it ends what it has begun, and then itself.
    inside(site.lab, "executor", "/opt/zuul/bin/xenci-zuul executor -c /etc/zuul/executor.conf graceful")
    try:
        assert voted(site, change).vote == GOOD.verified
        until(lambda: "inactive" in inside(site.lab, "executor", "systemctl is-active zuul-executor || true"))
    finally:
        inside(site.lab, "executor", "systemctl start zuul-executor")
    assert second in the_message(site, change)
    assert "SUCCESS" in the_message(site, change)


@pytest.fixture
def strangers(site: Site) -> Iterator[float]:
    """Every job node has another SSH host key than the inventory knows; the time since which it does."""
    keys = "cd /etc/ssh; rm -rf known; mkdir known; mv ssh_host_* known; ssh-keygen -qA; systemctl reload ssh"
    back = "cd /etc/ssh; rm ssh_host_*; mv known/* .; rmdir known; systemctl reload ssh"
    for node in NODES:
        inside(site.lab, node, keys)
    yield time.time()
    for node in NODES:
        inside(site.lab, node, back)


def test_no_job_runs_on_a_node_whose_host_key_is_not_the_known_one(site: Site, strangers: float) -> None:
    assert set(NODES) < set(hosts.addresses(site.lab))
    change = proposed(site)
    # Not the change's fault, but to Zuul a node that can't be reached at any try is a failure like others.
    assert voted(site, change).vote == -1
    assert ": RETRY_LIMIT in " in the_message(site, change)
    for node in NODES:
        journal = inside(site.lab, node, f"journalctl --unit ssh --since @{strangers:.0f} --output cat")
        assert "Accepted publickey for zuul" not in journal
    # The executor was there and went away again.
    assert "Connection closed by" in "".join(
        inside(site.lab, node, f"journalctl --unit ssh --since @{strangers:.0f} --output cat")
        for node in NODES
    )
