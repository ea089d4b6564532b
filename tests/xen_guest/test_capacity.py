"""Capacity is hard."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from tests.xen_guest.dom0 import GUEST, Dom0
from tests.xen_guest.steps import ask_here, use_doubles_here


def be_served(dom0: Dom0, name: str) -> bool:
    """Ask until there is room for a guest, then delete it; False if anything else happens."""
    while True:
        reply = ask_here(dom0, "create", name=name, **GUEST)
        if reply["ok"]:
            return bool(ask_here(dom0, "delete", name=name)["deleted"])
        if reply["error"]["code"] != "full":
            return False
        time.sleep(0.05)  # as a caller does who was told to come again


def test_forty_requests_two_at_a_time(new_dom0: Callable[..., Dom0], monkeypatch: pytest.MonkeyPatch) -> None:
    dom0 = new_dom0(slots=2)
    use_doubles_here(dom0, monkeypatch)
    clients = []
    for number in range(40):
        client = os.fork()
        if not client:
            try:
                os._exit(0 if be_served(dom0, f"g{number}") else 1)
            finally:
                os._exit(2)
        clients.append(client)
    assert [os.waitpid(client, 0)[1] for client in clients] == [0] * 40
    assert int((dom0.xen / "highest").read_text()) == 2
    assert int((dom0.xen / "next").read_text()) == 41
    assert dom0.left() == {}


@pytest.mark.parametrize(
    ("limits", "fields", "said"),
    [
        ({"memory_mib": 600}, {}, "memory_mib: 512 of 600 are in use, 256 more are needed"),
        ({"vcpus": 2}, {}, "vcpus: 2 of 2 are in use, 1 more are needed"),
        ({"storage_mib": 5}, {"disk_mib": 2}, "storage_mib: 4 of 5 are in use, 2 more are needed"),
        ({}, {}, "guests: 2 of 2 are in use, 1 more are needed"),
    ],
)
def test_limits(dom0: Dom0, limits: dict[str, int], fields: dict[str, int], said: str) -> None:
    dom0.config["capacity"].update(limits)
    dom0.write_config()
    assert dom0.create("g1", **fields)["ok"]
    assert dom0.create("g2", **fields)["ok"]
    error = dom0.create("g3", **fields)["error"]
    assert (error["code"], error["retry"], error["message"]) == ("full", True, said)
    assert dom0.ask("delete", name="g1")["ok"]
    assert dom0.create("g3", **fields)["guest"]["address"] == "127.77.0.10"


def test_what_never_fits_is_no_reason_to_wait(dom0: Dom0) -> None:
    error = dom0.create("g1", memory_mib=5000)["error"]
    assert (error["code"], error["retry"]) == ("bad_request", False)
    assert error["message"] == "memory_mib is 5000: this host has 4096 in all"


def test_capacity_is_told(dom0: Dom0) -> None:
    dom0.create("g1")
    reply = dom0.ask("capacity")
    assert reply["total"] == {"memory_mib": 4096, "vcpus": 16, "storage_mib": 1000, "guests": 2}
    assert reply["used"] == {"memory_mib": 256, "vcpus": 1, "storage_mib": 1, "guests": 1}
    assert reply["xen"]["version"] == "4.17.5"


def test_record_that_can_not_be_read_stops_creates(dom0: Dom0) -> None:
    dom0.create("g1")
    (dom0.root / "state/records/g1.json").write_text('{"name": "g1"')
    error = dom0.create("g2")["error"]
    assert (error["code"], "delete guest g1" in error["message"]) == ("bad_state", True)
    assert dom0.ask("list")["guests"][0]["state"] == "broken"
    assert not dom0.ask("audit")["clean"]
    assert dom0.ask("delete", name="g1")["deleted"]
    assert dom0.create("g2")["ok"]


def test_slots_that_change_keep_what_is_in_use(dom0: Dom0) -> None:
    dom0.create("g1")
    dom0.config["network"]["slots"] = [
        {"mac": "00:16:3e:4d:00:0a", "address": "127.77.0.50"},
        {"mac": "00:16:3e:4d:00:51", "address": "127.77.0.51"},
    ]
    dom0.write_config()
    assert dom0.create("g2")["guest"]["address"] == "127.77.0.51"
