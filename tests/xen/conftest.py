"""A lab with one Xen host, which the role has configured, and a golden image on it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Command
from tests.xen.host import NAME, ROOT, Timer, XenHost
from xenci.demo import secrets
from xenci.demo.lab import Lab
from xenci.demo.site import Site

TIMER = pytest.StashKey[Timer]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lab", default=NAME, help="the lab; it is made, and goes away at the end")
    parser.addoption("--subnet", default="10.206.0.0/24", help="its subnet")
    parser.addoption(
        "--variant", help="another Xen host, with the inventory in tests/xen/variants: trixie, leasable"
    )
    parser.addoption("--keep-lab", action="store_true", help="leave it for the next run, with what is on it")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Only a host that was made for it can be leased: `make test-lease`."""
    about_leases = collection_path.name.startswith("test_lease")
    return True if about_leases and config.getoption("--variant") != "leasable" else None


@pytest.fixture(scope="session")
def bare(request: pytest.FixtureRequest) -> Iterator[XenHost]:
    """The host as the lab makes it: a Debian on which nothing is configured."""
    timer = request.config.stash[TIMER] = Timer()
    option = request.config.getoption
    lab = Lab(option("--lab"), ROOT)
    secrets.ensure(lab, option("--subnet"))
    shutil.copy(ROOT / "inventories/xen/hosts.yml", lab.inventory / "xen.yml")
    if variant := option("--variant"):
        shutil.copytree(ROOT / "tests/xen/variants" / variant, lab.inventory, dirs_exist_ok=True)
    try:
        with timer("hosts of the lab"):
            made = Command("lab", "up", "--lab", lab.name)
            assert made.finish() == 0, made.tail
        host = XenHost(lab, timer)
        host.give_keys()
        subprocess.run([ROOT / "tools/wheel"], check=True)
        yield host
    finally:
        if not option("--keep-lab"):
            with timer("remove the lab"):
                gone = Command("lab", "down", "--lab", lab.name)
                assert gone.finish() == 0, gone.tail
    if not option("--keep-lab"):
        routes = subprocess.run(["ip", "-json", "route"], capture_output=True, text=True, check=True).stdout
        assert str(host.network) not in {route["dst"] for route in json.loads(routes)}


@pytest.fixture(scope="session")
def host(bare: XenHost) -> XenHost:
    """The host as production's playbooks make it; in a lab of a demo they have run."""
    if bare.lab.applied.exists():
        return bare
    with bare.timer("base, first run"):
        bare.playbook("playbooks/configure_base.yml")
    with bare.timer("role xen_host, first run, with the boot into Xen"):
        bare.playbook("playbooks/configure_xen_host.yml", "--diff")
    return bare


@pytest.fixture(scope="session")
def image(host: XenHost) -> str:
    """A golden image on the host, tried there by its own role; returns its name."""
    if not host.lab.applied.exists():
        with host.timer("role golden_image, first run: build unless cached, carry, import, boot a guest"):
            host.playbook("playbooks/configure_golden_image.yml")
    return host.image


@pytest.fixture(scope="session")
def site(host: XenHost, image: str) -> Site:
    """A whole CI around the Xen host."""
    lab = host.lab
    if not lab.applied.exists():
        with host.timer("a whole CI, and its first votes, both from guests"):
            up = Command("demo", "up", "--lab", lab.name, "--xen")
            assert up.finish() == 0, up.tail
    return Site(lab)


@pytest.fixture
def request_(host: XenHost, image: str) -> dict[str, Any]:
    """What a guest is made with, without its name."""
    keys = [(host.lab.keys / "zuul_node.pub").read_text(encoding="utf-8").strip()]
    return {"image": image, "type": "pv", "memory_mib": 256, "vcpus": 1, "authorized_keys": keys}


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """What needs less of the host comes first: it must not find more."""
    items.sort(key=lambda item: sum(stage in item.fixturenames for stage in ("host", "image", "site")))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell what took how long."""
    for what, seconds in config.stash[TIMER].seconds if TIMER in config.stash else []:
        terminalreporter.write_line(f"{seconds:7.1f} s  {what}")
