"""kill -9 and power cuts at every step of a lease: the host is clean again, whoever does what next."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.xen_guest.dom0 import Dom0
from tests.xen_guest.leased import LEASE, Leased
from tests.xen_guest.steps import killed_at
from xenci.guest.request import OPERATOR

LEAST_STEPS = {"lease": 40, "release": 4, "settle": 20}


@pytest.fixture
def host(new_dom0: Callable[..., Dom0], monkeypatch: pytest.MonkeyPatch) -> Iterator[Leased]:
    """A host that can be leased."""
    leased = Leased(new_dom0(), monkeypatch)
    yield leased
    os.close(leased.handle)


def clean_each_way(host: Leased, step: int, saved: Path) -> None:
    """From one state after a kill: a release, a power cut, and the same lease once more."""
    host.keep(saved)
    host.release()
    host.prove_clean(step)

    host.bring_back(saved)
    host.boot()
    host.prove_clean(step)

    host.bring_back(saved)
    again = host.lease()
    # What a restart has ended meanwhile is not made anew.
    assert again["ok"] or again["error"]["code"] == "deleted", (step, again)
    host.release()
    host.prove_clean(step)


def test_lease_killed(host: Leased, tmp_path: Path) -> None:
    for step in itertools.count(1):
        if not killed_at(host.dom0, step, "lease", name="l1", **LEASE):
            break
        clean_each_way(host, step, tmp_path / "saved")
    assert step > LEAST_STEPS["lease"]


def test_release_killed(host: Leased, tmp_path: Path) -> None:
    for step in itertools.count(1):
        assert host.lease()["ok"]
        if not killed_at(host.dom0, step, "release", name="l1"):
            break
        clean_each_way(host, step, tmp_path / "saved")
    assert step > LEAST_STEPS["release"]


def test_settle_killed(host: Leased, tmp_path: Path) -> None:
    """Until the record is gone no guest is made, and the next boot looks again."""
    for step in itertools.count(1):
        assert host.lease()["ok"]
        host.ask("release", name="l1")
        host.boot(settle=False)
        if not killed_at(host.dom0, step, "settle", OPERATOR):
            break
        host.keep(tmp_path / "saved")
        host.boot()
        host.prove_clean(step)
        host.bring_back(tmp_path / "saved")
        host.ask("settle", OPERATOR)
        host.prove_clean(step)
    assert step > LEAST_STEPS["settle"]


def test_settle_killed_where_something_is_left(host: Leased) -> None:
    for step in itertools.count(1):
        assert host.lease()["ok"], step
        (host.fs / "@/etc/motd").write_text(f"other {step}\n")
        host.ask("release", name="l1")
        host.boot(settle=False)
        killed = killed_at(host.dom0, step, "settle", OPERATOR)
        host.boot()
        assert "file /etc/motd has changed" in host.ask("capacity")["drained"], step
        assert host.ask("list")["leases"] == [], step
        assert host.ask("resume", OPERATOR)["changed"], step
        if not killed:
            break
    assert step > LEAST_STEPS["settle"]
