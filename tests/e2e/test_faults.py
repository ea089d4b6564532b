"""What fails between an event and its vote: an executor that goes away, a node that is not the known one."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from tests.e2e.test_votes import ci_messages
from xenci.apply.screen import Screen
from xenci.demo import changes, commands, hosts, propose, watch
from xenci.demo.lab import Lab
from xenci.demo.site import Site

GOOD = changes.CHANGES[0]
NODES = ("node1", "node2", "node3")
T = TypeVar("T")


def until(ask: Callable[[], T], patience: float = 300.0) -> T:
    """The first true answer, asked for each half second."""
    deadline = time.monotonic() + patience
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"nothing within {patience:.0f} s"
        time.sleep(0.5)
    return answer


def inside(lab: Lab, host: str, command: str) -> str:
    """Run a command on a host of the lab, past its sshd, and return what it printed."""
    words = ["podman", "exec", f"{lab.container_prefix}-{host}", "sh", "-euc", command]
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=180).stdout


def proposed(site: Site) -> propose.Proposed:
    """A change that deserves +1."""
    return propose.propose(commands.desk(site, "alice"), GOOD)


def voted(site: Site, change: propose.Proposed) -> watch.Watched:
    """The change with its vote."""
    with watch.Stream(commands.desk(site, "admin")).open() as stream:
        return watch.wait(stream, site, [change], Screen())[0]


def running(site: Site, change: propose.Proposed, *before: str) -> str:
    """The build of a change that an executor works on, other than those before; empty while there is none."""
    for item in site.tenant(f"status/change/{change.number},{change.patchset}"):
        for job in item["jobs"]:
            if job.get("start_time") and job.get("uuid") not in (None, *before):
                return str(job["uuid"])
    return ""


def the_message(site: Site, change: propose.Proposed) -> str:
    """The CI's one comment on a change."""
    entry: dict[str, Any] = {"number": change.number}
    (message,) = ci_messages(site, entry)
    return str(message["message"])


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
