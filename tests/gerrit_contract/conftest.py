"""Which Gerrit is asked, and the figures at the end of the run."""

from __future__ import annotations

import os
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.gerrit_contract import not_held
from tests.gerrit_contract.lab import lab_gerrit
from tests.gerrit_contract.replay import Replay, Result, Server

_RUN = pytest.StashKey[dict[str, Result]]()
_TIME = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gerrit contract")
    group.addoption(
        "--gerrit-url", default=os.environ.get("GERRIT_URL", ""), help="an empty Gerrit; default: the lab's"
    )
    group.addoption("--gerrit-ssh-port", type=int, default=int(os.environ.get("GERRIT_SSH_PORT", "29418")))
    group.addoption("--gerrit-canonical-url", default=os.environ.get("GERRIT_CANONICAL_URL", ""))
    group.addoption(
        "--gerrit-ca", default=os.environ.get("GERRIT_CA", ""), help="CA of its certificate (PEM)"
    )


def _brought(config: pytest.Config) -> Server | None:
    """The Gerrit that was given by URL; the administrator's password comes by environment only."""
    url = config.getoption("--gerrit-url")
    if not url:
        return None
    host = urlsplit(url).hostname or ""
    return Server(
        url,
        host,
        config.getoption("--gerrit-ssh-port"),
        admin_password=os.environ.get("GERRIT_ADMIN_PASSWORD", "secret"),
        canonical_url=config.getoption("--gerrit-canonical-url") or url,
        ca=config.getoption("--gerrit-ca") or None,
    )


@pytest.fixture(scope="session")
def is_lab(pytestconfig: pytest.Config) -> bool:
    """Whether the lab Gerrit is asked: the list of what is not held is about it alone."""
    return _brought(pytestconfig) is None


@pytest.fixture(scope="session")
def results(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """The whole replay, once."""
    folder = tmp_path_factory.mktemp("gc")
    brought = _brought(pytestconfig)
    began = time.monotonic()
    if brought:
        found = Replay(brought, _work(folder)).run()
    else:
        with lab_gerrit(folder) as server:
            found = Replay(server, _work(folder), frozenset(not_held.load().cases)).run()
    pytestconfig.stash[_RUN] = found
    pytestconfig.stash[_TIME] = time.monotonic() - began
    return found


def _work(folder: Path) -> Path:
    work = folder / "w"
    work.mkdir()
    return work


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(_RUN, None)
    if found is None:
        return
    broken = {name: result for name, result in found.items() if not result.held}
    listed = {} if _brought(config) else not_held.load().cases
    terminalreporter.section("Gerrit contract")
    for name in sorted(broken):
        terminalreporter.line(f"not held: {name}: {listed.get(name) or broken[name].differences[0]}")
    seconds = config.stash[_TIME]
    terminalreporter.line(
        f"{len(found)} cases, {len(found) - len(broken)} held, {len(broken)} not held; replayed in "
        f"{seconds:.1f} s"
    )
