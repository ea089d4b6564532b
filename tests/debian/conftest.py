"""A lab whose executor is a plain Debian machine under QEMU, and another such with nothing on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Command
from xenci.demo import secrets
from xenci.demo.lab import Lab


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lab", default="debian", help="the lab; it is made, and goes away at the end")
    parser.addoption("--subnet", default="10.207.0.0/24", help="its subnet")
    parser.addoption("--keep-lab", action="store_true", help="leave it for the next run, with what is on it")


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The hosts, booted; nothing is configured on them."""
    option = request.config.getoption
    lab = Lab(option("--lab"), ROOT)
    secrets.ensure(lab, option("--subnet"))
    shutil.copy(Path(__file__).with_name("hosts.yml"), lab.inventory / "debian.yml")
    try:
        made = Command("lab", "up", "--lab", lab.name)
        assert made.finish() == 0, made.tail
        yield lab
    finally:
        if not option("--keep-lab"):
            gone = Command("lab", "down", "--lab", lab.name)
            assert gone.finish() == 0, gone.tail
