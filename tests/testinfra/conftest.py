"""What the tests on running hosts share: the hosts of a lab over SSH, and what the inventory says of them."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import testinfra
import yaml

ROOT = Path(__file__).parents[2]
LAB = os.environ.get("XENCI_LAB", "demo")
SCENARIO = os.environ.get("XENCI_SCENARIO")


def inventories() -> list[str]:
    """Inventory sources of the lab, and of the scenario where one runs."""
    sources = [str(ROOT / "inventories/demo"), str(ROOT / ".lab" / LAB / "inventory")]
    if SCENARIO:
        sources += [
            str(ROOT / "molecule/default/hosts.yml"),
            str(ROOT / "molecule" / SCENARIO / "hosts.yml"),
        ]
    return sources


def playbook(path: str, *options: str, **environment: str) -> subprocess.Popen[str]:
    """A run of a playbook on the hosts of the lab, just begun."""
    words = ["ansible-playbook", f"--vault-password-file={ROOT}/.lab/{LAB}/vault-password"]
    words += [*(f"--inventory={source}" for source in inventories()), *options, path]
    variables = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), **environment}
    return subprocess.Popen(words, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True)


@functools.cache
def inventory() -> dict[str, Any]:
    """The inventory as `ansible-inventory --list` gives it."""
    password = f"--vault-password-file={ROOT}/.lab/{LAB}/vault-password"
    command = [
        "ansible-inventory",
        "--list",
        password,
        *(f"--inventory={source}" for source in inventories()),
    ]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def group(name: str) -> list[str]:
    """Hosts of a group: those of the scenario where one runs and names some in the group, else the lab's."""
    found: list[str] = inventory().get(name, {}).get("hosts", [])
    fresh = [host for host in found if host in inventory().get("scenario", {}).get("hosts", [])]
    return fresh or found


def address(host: str) -> str:
    """Address of a host of the lab."""
    config = (ROOT / ".lab" / LAB / "ssh_config.d" / host).read_text(encoding="utf-8")
    return next(line.split()[1] for line in config.splitlines() if line.strip().startswith("HostName"))


def connect(name: str) -> Any:
    """Testinfra's handle for a host of the lab."""
    return testinfra.get_host(f"ssh://{name}?ssh_config={ROOT}/.lab/{LAB}/ssh_config&controlpersist=60")


@pytest.fixture(scope="module")
def host(request: pytest.FixtureRequest) -> Any:
    """The first host of the group that the test module names in `GROUP`."""
    return connect(group(request.module.GROUP)[0])


@pytest.fixture(scope="module")
def host_address(request: pytest.FixtureRequest) -> str:
    """Its address."""
    return address(group(request.module.GROUP)[0])


@pytest.fixture
def ssh_closed(host: Any) -> Iterator[None]:
    """SSH is closed but for what roles have opened, as where `base_firewall_ssh_sources` names others."""
    listed = host.run("nft --handle list chain inet filter input")
    assert listed.rc == 0, listed.stderr
    (anybody,) = re.findall(r"^\s*tcp dport 22 accept # handle (\d+)$", listed.stdout, re.MULTILINE)
    assert host.run(f"nft delete rule inet filter input handle {anybody}").rc == 0
    yield
    assert host.run("nft --file /etc/nftables.conf").rc == 0


def scenario_vars() -> dict[str, Any]:
    """What the scenario's hosts.yml says of it."""
    hosts = yaml.safe_load((ROOT / "molecule" / str(SCENARIO) / "hosts.yml").read_text(encoding="utf-8"))
    answer: dict[str, Any] = hosts["all"]["children"]["scenario"]["vars"]
    if os.environ.get("GERRIT_WAR"):
        for name in [name for name in answer if name.endswith("_with_war")]:
            answer[name.removesuffix("_with_war")] += answer[name]
    return answer


NOT_RUN = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a real Gerrit's war, which no registry that tests can count on has."""
    if os.environ.get("GERRIT_WAR"):
        return
    left_out = [item for item in items if item.get_closest_marker("war")]
    items[:] = [item for item in items if item not in left_out]
    config.stash[NOT_RUN] = [item.name for item in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name them."""
    if names := config.stash.get(NOT_RUN, []):
        terminalreporter.write_line(f"{len(names)} checks were not run, for want of GERRIT_WAR:")
        for name in names:
            terminalreporter.write_line(f"  {name}")
