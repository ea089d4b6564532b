"""What a failed build's logs say of its guest: the base job asks dom0, by an ssh that leads to the double."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runs.infra.play import play
from tests.xen_guest.dom0 import SOURCE, Dom0

HOST = "192.0.2.50"


@pytest.fixture
def dom0(new_dom0: Callable[..., Dom0]) -> Dom0:
    """A host: where its guests' disks are is nothing to their consoles."""
    return new_dom0()


@pytest.fixture
def home(dom0: Dom0, tmp_path: Path) -> Path:
    """A node's home, with an ssh that notes what it is given and asks as the executors' key does on dom0."""
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    asked = shlex.join(
        [sys.executable, "-m", "xenci.guest", "--reader", "--config", f"{dom0.root}/xenci-guest.json"]
    )
    (home / "bin/ssh").write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" >{home}/words\n'
        f"PATH={dom0.root}/bin:$PATH PYTHONPATH={SOURCE} exec {asked}\n"
    )
    (home / "bin/ssh").chmod(0o755)
    (home / "play.yml").write_text(
        "[{hosts: localhost, gather_facts: false, roles: [{role: guest_console,"
        " vars: {guest_console_directory: /keys}}]}]"
    )
    return home


def run(home: Path, node: dict[str, Any]) -> str:
    """Run the role for one node; what it has written."""
    variables = {"zuul": {"executor": {"log_root": str(home)}}, "zuul_node": node}
    done = play(home / "play.yml", home, variables, PATH=f"{home}/bin:/usr/bin:/bin")
    assert done.returncode == 0, done.stdout
    file = home / "console-localhost.txt"
    return file.read_text(encoding="utf-8") if file.exists() else ""


def guest(name: str) -> dict[str, Any]:
    """What Zuul says of a node that is a guest."""
    return {"host_id": HOST, "node_properties": {"xen": {"guest": name}}}


def test_a_dead_guest(dom0: Dom0, home: Path) -> None:
    assert dom0.create("g1")["ok"]
    (next((dom0.xen / "domains").iterdir())).unlink()
    (dom0.xen / "log/xl-g1.log").write_text("Domain 1 has shut down, reason code 3 0x3\n")
    text = run(home, guest("g1"))
    assert text.startswith(
        f"Guest g1 on Xen host {HOST}, dead, says dom0: crash. The end of its console:\n\n"
    )
    assert "Linux version 6.1 of g1" in text
    returned = json.loads((home / "returned.json").read_text())
    assert returned["xen_guests"] == {"localhost": {"host": HOST, "death": "crash"}}
    words = (home / "words").read_text().splitlines()
    assert words[-3:] == ["--", HOST, "xenci-guest"]
    assert {
        "StrictHostKeyChecking=yes",
        "UserKnownHostsFile=/keys/known_hosts",
        "IdentityFile=/keys/id_ed25519",
    } < set(words)


def test_a_living_guest(dom0: Dom0, home: Path) -> None:
    assert dom0.create("g1")["ok"]
    assert run(home, guest("g1")).startswith(f"Guest g1 on Xen host {HOST}, alive.")


def test_a_host_that_does_not_answer(home: Path) -> None:
    (home / "bin/ssh").write_text("#!/bin/sh\necho 'ssh: connect: timed out' >&2\nexit 255\n")
    text = run(home, guest("g1"))
    assert text == f"No console of localhost: Xen host {HOST} gave no answer: ssh: connect: timed out\n"


def test_a_host_that_refuses(home: Path) -> None:
    text = run(home, guest("../x"))
    assert text.startswith(f"No console of localhost: Xen host {HOST} refused: name is")


def test_a_node_that_is_no_guest(home: Path) -> None:
    assert run(home, {"host_id": None, "node_properties": {}}) == ""
    assert not (home / "words").exists()
