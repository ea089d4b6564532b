"""What tests of faults share: break something from outside the servers, and see what becomes of a change."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tests.e2e.reading import ci_messages
from xenci.apply.screen import Screen
from xenci.demo import changes, commands, propose, watch
from xenci.demo.lab import Lab
from xenci.demo.site import CI_ACCOUNT, Site, SiteError

GOOD = changes.CHANGES[0]
NODES = ("node1", "node2", "node3")
LASTING = """\
import pathlib
import time
import unittest


class Lasting(unittest.TestCase):
    def test_lasts(self):
        pathlib.Path("/tmp/begun").touch()
        while not pathlib.Path("/tmp/end").exists():
            time.sleep(0.1)
"""
"""A test program that says when it has begun, and lasts until it is told to end."""
T = TypeVar("T")


def until(ask: Callable[[], T], patience: float = 300.0) -> T:
    """The first true answer, asked for each half second; a server that does not answer gives none."""
    deadline = time.monotonic() + patience
    why = "every answer was empty"
    while True:
        try:
            if answer := ask():
                return answer
        except SiteError as error:
            why = str(error)
        assert time.monotonic() < deadline, f"nothing within {patience:.0f} s: {why}"
        time.sleep(0.5)


def inside(lab: Lab, host: str, command: str) -> str:
    """Run a command on a host of the lab, past its sshd, and return what it printed."""
    words = ["podman", "exec", f"{lab.container_prefix}-{host}", "sh", "-euc", command]
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=180).stdout


def kill(lab: Lab, host: str, unit: str) -> None:
    """End all processes of a unit at once; whether systemd starts it again is the unit's own affair."""
    inside(lab, host, f"systemctl kill --signal KILL {unit}")


@contextlib.contextmanager
def down(lab: Lab, host: str, unit: str) -> Iterator[None]:
    """While inside, a killed unit stays down."""
    inside(lab, host, f"systemctl kill --signal KILL {unit}; systemctl stop {unit}")
    try:
        yield
    finally:
        inside(lab, host, f"systemctl start {unit}")


@contextlib.contextmanager
def unreachable(lab: Lab, *hosts: str, ports: str = "22", source: str = "") -> Iterator[None]:
    """While inside, the hosts refuse TCP ports to everybody or one address, standing connections too."""
    rule = f"{source and f'ip saddr {source}'} tcp dport {{ {ports} }} reject with tcp reset;"
    chain = f"type filter hook input priority -100; policy accept; {rule}"
    with contextlib.ExitStack() as stack:
        for host in hosts:
            inside(lab, host, f"nft 'table inet fault {{ chain input {{ {chain} }}; }}'")
            stack.callback(inside, lab, host, "nft delete table inet fault")
        yield


@contextlib.contextmanager
def slow(site: Site, host: str, service: str, seconds: float, *ports: int) -> Iterator[None]:
    """While inside, what a service says to the review server, and hears, is so many seconds late."""
    program = (Path(__file__).parent / "slow_link.py").read_text(encoding="utf-8")
    review = site.addresses["review"]
    rule = f"meta skuid {service} ip daddr {review} tcp dport {{}} redirect to :{{}};"
    rules = " ".join(rule.format(port, 20000 + port) for port in ports)
    with contextlib.ExitStack() as stack:
        # Removed last: what a link says at its end must still find its way.
        inside(site.lab, host, "nft add table ip fault")
        stack.callback(inside, site.lab, host, "nft delete table ip fault")
        for port in ports:
            words = ["podman", "exec", "--interactive", f"{site.lab.container_prefix}-{host}", "python3"]
            words += ["-c", program, str(20000 + port), review, str(port), str(seconds)]
            link = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.enter_context(link)
            assert link.stdin
            assert link.stdout
            stack.callback(link.stdin.close)
            assert link.stdout.readline() == "listening\n"
        chain = f"type nat hook output priority -100; {rules}"
        inside(site.lab, host, f"nft 'table ip fault {{ chain output {{ {chain} }}; }}'")
        yield


def connections(site: Site) -> list[str]:
    """The CI's SSH connections, as the review server numbers them; its event stream is one."""
    admin = commands.desk(site, "admin")
    ssh = ("ssh", site.addresses["review"], "gerrit", "show-connections")
    listed = admin.run(admin.directory, *ssh).splitlines()
    return [line.split()[0] for line in listed if f" {CI_ACCOUNT} " in line]


def hang_up(site: Site) -> None:
    """The review server ends the CI's SSH connections."""
    admin = commands.desk(site, "admin")
    ours = connections(site)
    assert ours
    admin.run(admin.directory, "ssh", site.addresses["review"], "gerrit", "close-connection", *ours)
    until(lambda: not set(ours).intersection(connections(site)))


def proposed(site: Site) -> propose.Proposed:
    """A change that deserves +1, and that Zuul hears of: an event that comes before its listener is lost."""
    until(lambda: connections(site))
    return propose.propose(commands.desk(site, "alice"), GOOD)


def voted(site: Site, change: propose.Proposed) -> watch.Watched:
    """The change with its vote."""
    with watch.Stream(commands.desk(site, "admin")).open() as stream:
        return watch.wait(stream, site, [change], Screen())[0]


class PatchSet(Protocol):
    """What was pushed for review, whoever pushed it."""

    @property
    def number(self) -> int: ...
    @property
    def patchset(self) -> int: ...


def items(site: Site, change: PatchSet) -> list[dict[str, Any]]:
    """Where Zuul has the change in a pipeline; empty before and after."""
    found: list[dict[str, Any]] = site.tenant(f"status/change/{change.number},{change.patchset}")
    return found


def running(site: Site, change: PatchSet, *before: str, name: str = "") -> str:
    """The build of a change that an executor works on, other than those before; empty while there is none.

    :param name: of the job, where only its builds are meant.
    """
    for item in items(site, change):
        for job in item["jobs"]:
            meant = name in ("", job["name"])
            if meant and job.get("start_time") and job.get("uuid") not in (None, *before):
                return str(job["uuid"])
    return ""


def the_message(site: Site, change: PatchSet) -> str:
    """The CI's one comment on a change, once Zuul has nothing more to do with it."""
    until(lambda: not items(site, change))
    (message,) = ci_messages(site, change.number)
    return str(message["message"])
