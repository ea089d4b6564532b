"""A whole demo, made by the command itself; `--lab` and `--subnet` say which."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from xenci.demo import hosts
from xenci.demo.lab import Lab
from xenci.demo.site import Site

ROOT = Path(__file__).resolve().parents[2]
XENCI = ROOT / ".venv" / "bin" / "xenci"
MOMENTS = {
    "hosts": "> Hosts of the lab",
    # A package manager is at work inside the hosts from here on, and goes on when the run is killed.
    "site.yml": "python_venv : install | Copy what it is made from: changed review",
    "votes": "== votes",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lab", default="e2e", help="lab to test; it is made if it is not there")
    parser.addoption("--subnet", default="10.203.0.0/24", help="its subnet")


class Command:
    """A running `xenci …` whose output can be waited for."""

    def __init__(self, *arguments: str) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [str(XENCI), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            # As from a shell: under make it would say how to go on with make.
            env={name: value for name, value in os.environ.items() if name != "MAKELEVEL"},
        )

    def read_until(self, text: str) -> None:
        """Read until a line holds `text`."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            sys.stdout.write(line)
            self.lines.append(line.rstrip("\n"))
            if text in line:
                return
        pytest.fail(f"ended without {text!r}:\n" + "\n".join(self.lines[-30:]))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the command alone."""
        self._process.send_signal(number)

    def finish(self) -> int:
        """Read the rest and return the exit code."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            sys.stdout.write(line)
            self.lines.append(line.rstrip("\n"))
        return self._process.wait()

    @property
    def tail(self) -> str:
        """The end of the output."""
        return "\n".join(self.lines[-40:])


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Lab:
    """Names and files of the lab."""
    return Lab(request.config.getoption("--lab"), ROOT)


@pytest.fixture(scope="session")
def demo_up(lab: Lab, request: pytest.FixtureRequest) -> Callable[[], Command]:
    """Start `xenci demo up` for this lab."""
    subnet = () if lab.inventory.exists() else ("--subnet", request.config.getoption("--subnet"))
    return lambda: Command("demo", "up", "--lab", lab.name, *subnet)


def kill_at(run: Command, moment: str, lab: Lab) -> int:
    """Let a run come to a moment, kill it, and return its exit code."""
    run.read_until(MOMENTS[moment])
    if moment == "hosts":
        deadline = time.monotonic() + 120
        while not hosts.running(lab):
            assert time.monotonic() < deadline, "no host came up"
    run.signal(signal.SIGKILL)
    return run.finish()


@pytest.fixture(scope="session")
def killed(lab: Lab, demo_up: Callable[[], Command]) -> dict[str, int]:
    """Kill the demo while hosts are made, in the middle of site.yml and while it waits; moment → exit code.

    A lab that is there already is only killed while it waits.
    """
    moments = ["votes"] if lab.applied.exists() else list(MOMENTS)
    return {moment: kill_at(demo_up(), moment, lab) for moment in moments}


@pytest.fixture(scope="session")
def finished(killed: dict[str, int], demo_up: Callable[[], Command]) -> Command:
    """The run after the kills, at its end."""
    run = demo_up()
    assert run.finish() == 0, run.tail
    return run


@pytest.fixture(scope="session")
def report(finished: Command, lab: Lab) -> dict[str, Any]:
    """What that run wrote down."""
    content: dict[str, Any] = json.loads(lab.report.read_text())
    return content


@pytest.fixture(scope="session")
def site(report: dict[str, Any], lab: Lab) -> Site:
    """The services, as their users see them."""
    return Site(lab)


@pytest.fixture
def foreign() -> Iterator[list[list[str]]]:
    """Commands that remove what a test makes beside the lab; run at its end."""
    commands: list[list[str]] = []
    yield commands
    for command in reversed(commands):
        subprocess.run(command, check=True, capture_output=True)
