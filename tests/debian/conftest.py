"""A lab whose executor is a plain Debian machine under QEMU, and another such with nothing on it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Command
from xenci.demo import secrets
from xenci.demo.lab import Lab

ROOT = Path(__file__).resolve().parents[2]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lab", default="debian", help="the lab; it is made, and goes away at the end")
    parser.addoption("--subnet", default="10.207.0.0/24", help="its subnet")
    parser.addoption("--keep-lab", action="store_true", help="leave it for the next run, with what is on it")


class Machines:
    """The lab's machines, as its controller reaches them."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def run(self, host: str, command: str, stdin: bytes = b"", patience: float = 600.0) -> str:
        """Run a command there as root, and return what it says; it must go well."""
        words = ["ssh", "-F", f"{self.lab.directory}/ssh_config", "-o", "BatchMode=yes", host, command]
        done = subprocess.run(words, input=stdin, capture_output=True, check=False, timeout=patience)
        said = (done.stdout + done.stderr).decode(errors="replace")
        assert done.returncode == 0, f"{host}: {command}: {said[-4000:]}"
        return done.stdout.decode(errors="replace")


@pytest.fixture(scope="session")
def machines(request: pytest.FixtureRequest) -> Iterator[Machines]:
    """The hosts, booted; nothing is configured on them."""
    option = request.config.getoption
    lab = Lab(option("--lab"), ROOT)
    secrets.ensure(lab, option("--subnet"))
    shutil.copy(Path(__file__).with_name("hosts.yml"), lab.inventory / "debian.yml")
    try:
        made = Command("lab", "up", "--lab", lab.name)
        assert made.finish() == 0, made.tail
        yield Machines(lab)
    finally:
        if not option("--keep-lab"):
            gone = Command("lab", "down", "--lab", lab.name)
            assert gone.finish() == 0, gone.tail
