"""A lab with one Xen host, which the role has configured, and a golden image on it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Command
from tests.xen.host import NAME, ROOT, SUBNET, Timer, XenHost
from xenci.demo import secrets
from xenci.demo.lab import Lab

TIMER = pytest.StashKey[Timer]()


@pytest.fixture(scope="session")
def bare(request: pytest.FixtureRequest) -> Iterator[XenHost]:
    """The host as the lab makes it: Xen runs, and nothing is configured. It goes away at the end."""
    timer = request.config.stash[TIMER] = Timer()
    lab = Lab(NAME, ROOT)
    secrets.ensure(lab, SUBNET)
    shutil.copy(ROOT / "inventories/xen/hosts.yml", lab.inventory / "xen.yml")
    with timer("hosts of the lab"):
        made = Command("lab", "up", "--lab", NAME)
        assert made.finish() == 0, made.tail
    host = XenHost(lab, timer)
    host.give_keys()
    subprocess.run([ROOT / "tools/wheel"], check=True)
    yield host
    with timer("remove the lab"):
        gone = Command("lab", "down", "--lab", NAME)
        assert gone.finish() == 0, gone.tail


@pytest.fixture(scope="session")
def host(bare: XenHost) -> XenHost:
    """The host as production's playbooks make it."""
    with bare.timer("base, first run"):
        bare.playbook("playbooks/configure_base.yml")
    with bare.timer("role xen_host, first run"):
        bare.playbook("playbooks/configure_xen_host.yml", "--diff")
    return bare


@pytest.fixture(scope="session")
def image(host: XenHost, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A golden image on the host; returns its name."""
    name, folder = "debian-12", ROOT / ".cache/golden_image/debian-12"
    with host.timer("make the golden image"):
        subprocess.run(
            [ROOT / "roles/golden_image/files/make-image", "--suite", "bookworm", "--output", folder],
            check=True,
        )
    archive = Path(tmp_path_factory.mktemp("image")) / "image.tar.gz"
    with host.timer("carry and import it"):
        files = ["manifest.json", "vmlinux", "initrd.img", "root.img"]
        subprocess.run(["tar", "-C", folder, "--sparse", "-czf", archive, *files], check=True)
        with archive.open("rb") as stream:
            host.ssh("mkdir -p /srv/xenci/new && tar -C /srv/xenci/new -xz", file=stream)
        reply = host.operator("import", image=name, version="1", source="/srv/xenci/new")
        assert reply["ok"], reply
        host.ssh("rm -rf /srv/xenci/new")
    return name


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell what took how long."""
    for what, seconds in config.stash[TIMER].seconds if TIMER in config.stash else []:
        terminalreporter.write_line(f"{seconds:7.1f} s  {what}")
