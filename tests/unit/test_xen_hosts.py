"""`xenci xen` as an operator types it: Ansible, modules and xenci-guest are real, on a dom0 of doubles."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.xen_guest.dom0 import SOURCE, Dom0, ssh_servers
from xenci import cli, xen_hosts
from xenci.cli import errors

Run = Callable[..., tuple[int, str, str]]
HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


@pytest.fixture(scope="module")
def dom0(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dom0]:
    """A host with an image and a guest, whose program is on PATH."""
    with ssh_servers() as port:
        host = Dom0(tmp_path_factory.mktemp("xen") / "dom0", "reflink", port)
        assert host.add_image()["ok"]
        assert host.create("g1")["ok"]
        program = host.root / "sbin/xenci-guest"
        program.parent.mkdir()
        program.write_text(
            f"#!/bin/sh\nPATH={host.root}/bin:/usr/bin:/bin PYTHONPATH={SOURCE} "
            f'exec {sys.executable} -m xenci.guest --config {host.root}/xenci-guest.json "$@"\n'
        )
        program.chmod(0o755)
        yield host


@pytest.fixture
def run(
    dom0: Dom0, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """``run(*arguments, hosts=…)``: exit code, output and errors of `xenci xen`, on a site of one host."""
    monkeypatch.setenv("PATH", f"{dom0.root}/sbin:{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str, hosts: dict[str, dict[str, object]] | None = None) -> tuple[int, str, str]:
        there = {"xen1": HERE} if hosts is None else hosts
        inventory = tmp_path / "hosts.json"
        inventory.write_text(
            json.dumps({"all": {"children": {"xen_host": {"hosts": there}, "disabled": {}}}})
        )
        code = cli.main(["xen", *arguments, "-i", str(inventory)])
        said = capfd.readouterr()
        return code, said.out, said.err

    return call


def test_hosts_for_people(run: Run) -> None:
    code, text, _ = run("hosts")
    line = next(line for line in text.splitlines() if "xen1" in line)
    assert code == 0
    for figure in ("in service", "1/2", "256/4096", "1/16", "1/1000", "4.17.5", "debian-12 1"):
        assert figure in line


def test_hosts_for_programs(run: Run) -> None:
    code, text, _ = run("hosts", "--format", "json")
    host = json.loads(text)["xen1"]
    assert (code, host["ok"], host["capacity"]["used"]["guests"]) == (0, True, 1)
    assert set(host) == {"ok", "capacity", "guests", "images"}


def test_a_host_that_does_not_answer(run: Run) -> None:
    away = {"ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_ssh_common_args": "-oBatchMode=yes"}
    code, text, _ = run("hosts", hosts={"xen1": HERE, "xen2": away})
    lines = {line.split()[0]: line for line in text.splitlines() if line.strip()}
    assert code == errors.FAILED
    assert "in service" in lines["xen1"]
    assert "unreachable" in lines["xen2"]


def test_drain_and_resume(run: Run, dom0: Dom0) -> None:
    assert run("drain", "xen1", "--reason", "a new disk")[:2] == (
        0,
        "xen1 takes no more guests: a new disk\n",
    )
    assert run("drain", "xen1", "--reason", "a new disk")[1].endswith("a new disk (as before)\n")
    assert dom0.ask("capacity")["drained"] == "a new disk"
    code, text, _ = run("hosts")
    assert (code, "drained: a new disk" in text) == (0, True)
    assert run("resume", "xen1")[:2] == (0, "xen1 takes guests\n")
    assert dom0.ask("capacity")["drained"] == ""


@pytest.mark.parametrize(
    ("leased", "says"),
    [
        ({"name": "np1", "state": "leased"}, "leased by np1"),
        ({"name": "np1", "state": "emptying"}, "takes no guests: to be leased by np1"),
        ({"name": "", "state": "broken", "reason": "not JSON"}, "its lease can't be read: not JSON"),
        ({}, "in service"),
    ],
)
def test_a_lease_is_shown(leased: dict[str, str], says: str) -> None:
    assert xen_hosts.state({"capacity": {"drained": "", "leased": leased}}).plain == says


def test_drain_that_can_not_be(run: Run) -> None:
    code, _, text = run("resume", "xen9")
    assert (code, text) == (errors.UNFIT, "xenci: no Xen host xen9; the inventory has xen1\n")
    code, _, text = run("resume", "xen1", hosts={})
    assert (code, text) == (errors.UNFIT, "xenci: the inventory has no host in the group xen_host\n")
    code, _, text = run("drain", "xen1", "--reason", "ä")
    assert (code, text.startswith("xenci: xen1: reason")) == (errors.FAILED, True)


def test_audit(run: Run, dom0: Dom0) -> None:
    assert run("audit")[:2] == (0, "xen1: clean\n")
    left = dom0.root / "disks/g9.img"
    left.write_bytes(b"")
    code, text, _ = run("audit")
    assert (code, text) == (errors.FAILED, "xen1: disk g9: it has no record\n")
    code, text, _ = run("audit", "--format", "json")
    found = json.loads(text)["xen1"]["audit"]
    assert (code, found["clean"], [one["name"] for one in found["findings"]]) == (
        errors.FAILED,
        False,
        ["g9"],
    )
    left.unlink()


def test_a_host_without_the_program(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # Neither the double nor what a developer's environment has.
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    code, text, _ = run("hosts")
    assert (code, "failed: xenci-guest is not on it: apply the inventory" in text) == (errors.FAILED, True)
