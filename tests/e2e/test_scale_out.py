"""Three ZooKeeper servers, two schedulers, executors and launchers: any one may die, and votes still come."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import ROOT, Command
from tests.e2e.faults import GOOD, down, inside, proposed, the_message, until, voted
from xenci.demo.lab import Lab
from xenci.demo.site import Site

NAME, SUBNET = "e2e-scale", "10.205.0.0/24"
HOSTS = {
    "zuul-scheduler": ["ci", "ci2"],
    "zuul-launcher": ["ci", "ci2"],
    "zuul-executor": ["executor", "executor2"],
    "zookeeper": ["ci", "ci2", "ci3"],
}
MODE = (
    "echo srvr | timeout 5 openssl s_client -quiet -connect 127.0.0.1:2281 -cert {0}/zookeeper.pem"
    " -key {0}/zookeeper.pem -CAfile {0}/ca.crt 2>/dev/null | sed -n 's/^Mode: //p'"
).format("/etc/xenci/pki")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A lab of its own, from the demo's inventory and `inventories/scale_out`; it goes away at the end.

    The second executor comes when everything runs.
    """
    lab = Lab(NAME, ROOT)
    made = Command("lab", "up", "--lab", NAME, "--subnet", SUBNET)
    assert made.finish() == 0, made.tail
    for name in ("hosts.yml", "executor2.yml"):
        shutil.copy(ROOT / "inventories/scale_out" / name, lab.inventory / f"scale_out_{name}")
        up = Command("demo", "up", "--lab", NAME)
        assert up.finish() == 0, up.tail
    yield Site(lab)
    gone = Command("demo", "down", "--lab", NAME)
    assert gone.finish() == 0, gone.tail


def components(site: Site) -> dict[str, list[str]]:
    """Hosts of each kind of Zuul's services that are running, without their domain."""
    answer = site.get(f"{site.zuul}api/components").json()
    return {
        f"zuul-{kind}": sorted(each["hostname"].split(".")[0] for each in found if each["state"] == "running")
        for kind, found in answer.items()
    }


def whole(site: Site) -> bool:
    """Whether every service of Zuul is at work, and ZooKeeper has all its servers."""
    zuul = components(site)
    return all(zuul.get(unit) == hosts for unit, hosts in HOSTS.items() if unit != "zookeeper") and sorted(
        inside(site.lab, host, MODE).strip() for host in HOSTS["zookeeper"]
    ) == ["follower", "follower", "leader"]


def test_every_service_is_at_work(site: Site) -> None:
    until(lambda: whole(site), 60)
    health = Command("health", "--lab", NAME)
    assert health.finish() == 0, health.tail
    assert any("executor running, executor2 running" in line for line in health.lines)


@pytest.mark.parametrize(
    ("unit", "host"), [(unit, host) for unit in HOSTS if unit != "zookeeper" for host in HOSTS[unit]]
)
def test_the_other_one_is_enough(unit: str, host: str, site: Site) -> None:
    until(lambda: whole(site))
    with down(site.lab, host, unit):
        change = proposed(site)
        assert voted(site, change).vote == GOOD.verified
        assert ": SUCCESS in " in the_message(site, change)


def test_zookeeper_without_its_leader(site: Site) -> None:
    until(lambda: whole(site))
    (leader,) = [host for host in HOSTS["zookeeper"] if inside(site.lab, host, MODE).strip() == "leader"]
    with down(site.lab, leader, "zookeeper"):
        change = proposed(site)
        assert voted(site, change).vote == GOOD.verified
        assert ": SUCCESS in " in the_message(site, change)


def test_all_are_back(site: Site) -> None:
    until(lambda: whole(site))
