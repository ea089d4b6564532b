"""Addresses of guests: stable under growth, disjoint, and refused with the numbers where they don't fit."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from plugins.filter.xen_guest_slots import KEPT, xen_guest_slots

# A loaded machine is no fault of the filter.
patient = settings(deadline=None)


@st.composite
def sites(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments that fit."""
    prefix = draw(st.integers(8, 28))
    network = ipaddress.IPv4Network((draw(st.integers(0, 2**32 - 1)), prefix), strict=False)
    part_prefix = draw(st.integers(max(prefix, 20), 29))
    count, size = 2 ** (part_prefix - prefix), 2 ** (32 - part_prefix)
    numbers = draw(st.lists(st.integers(0, count - 1), unique=True, max_size=8))
    slots = draw(st.integers(0, min(size - KEPT, 50)))
    parts = {f"xen{number}": number for number in numbers}
    return {"network": str(network), "parts": parts, "slots": slots, "part_prefix": part_prefix}


def pairs(plan: dict[str, Any]) -> list[tuple[str, str]]:
    return [(slot["mac"], slot["address"]) for host in plan.values() for slot in host["slots"]]


@patient
@given(sites())
def test_every_slot_is_its_own(site: dict[str, Any]) -> None:
    plan = xen_guest_slots(**site)
    whole = ipaddress.IPv4Network(site["network"])
    assert set(plan) == set(site["parts"])
    parts = [ipaddress.IPv4Network(host["network"]) for host in plan.values()]
    for number, part in enumerate(parts):
        assert part.subnet_of(whole)
        assert not any(part.overlaps(other) for other in parts[:number])
    for host in plan.values():
        part = ipaddress.IPv4Network(host["network"])
        assert len(host["slots"]) == site["slots"]
        usable = set(map(str, list(part)[2:-1]))
        assert {slot["address"] for slot in host["slots"]} <= usable
    for column in zip(*pairs(plan), strict=True):
        assert len(set(column)) == len(column)


@patient
@given(sites(), st.data())
def test_growing_changes_nothing_that_was_there(site: dict[str, Any], data: st.DataObject) -> None:
    assume(site["parts"])
    size = 2 ** (32 - site["part_prefix"])
    fewer = dict(list(site["parts"].items())[: data.draw(st.integers(1, len(site["parts"])))])
    more = {**site, "slots": data.draw(st.integers(site["slots"], min(size - KEPT, 60)))}
    before, after = xen_guest_slots(**{**site, "parts": fewer}), xen_guest_slots(**more)
    for host in before:
        assert after[host]["network"] == before[host]["network"]
        assert after[host]["slots"][: site["slots"]] == before[host]["slots"]


@patient
@given(sites())
def test_a_host_that_goes_changes_nothing(site: dict[str, Any]) -> None:
    assume(len(site["parts"]) > 1)
    before = xen_guest_slots(**site)
    gone, *rest = site["parts"]
    after = xen_guest_slots(**{**site, "parts": {host: site["parts"][host] for host in rest}})
    assert after == {host: plan for host, plan in before.items() if host != gone}


@patient
@given(sites(), st.data())
def test_taken_addresses_are_never_given(site: dict[str, Any], data: st.DataObject) -> None:
    given_ = pairs(xen_guest_slots(**site))
    assume(given_)
    address = data.draw(st.sampled_from(given_))[1]
    with pytest.raises(AnsibleFilterError, match=f"belong to the gateway \\({address}\\)"):
        xen_guest_slots(**site, taken={"the gateway": address})


def test_example() -> None:
    plan = xen_guest_slots("10.77.0.0/22", {"xen1": 1, "xen2": 3}, {"xen1": 2, "xen2": 1})
    assert plan == {
        "xen1": {
            "network": "10.77.0.32/27",
            "slots": [
                {"mac": "00:16:3e:4d:00:22", "address": "10.77.0.34"},
                {"mac": "00:16:3e:4d:00:23", "address": "10.77.0.35"},
            ],
        },
        "xen2": {
            "network": "10.77.0.96/27",
            "slots": [{"mac": "00:16:3e:4d:00:62", "address": "10.77.0.98"}],
        },
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"network": "10.77.0.1/22"},
            "the guest network is 10.77.0.1/22: it has host bits, its network is 10.77.0.0/22",
        ),
        ({"network": "fd00::/64"}, "it must be IPv4"),
        ({"network": "ten"}, "the guest network is 'ten'"),
        ({"network": "10.0.0.0/7"}, "its prefix length must be from 8 to 28"),
        ({"part_prefix": 30}, "part_prefix is 30: in 10.77.0.0/22 it must be a number from 22 to 29"),
        ({"part_prefix": 21}, "part_prefix is 21"),
        ({"parts": {"xen1": 32}}, "the part of xen1 is 32: 10.77.0.0/22 has 32 parts of /27, 0 to 31"),
        ({"parts": {"xen1": 1, "xen2": 1}}, "xen1 and xen2 both have part 1"),
        ({"parts": {"xen1": -1}}, "the part of xen1 is -1"),
        ({"parts": {"xen1": True}}, "the part of xen1 is True"),
        ({"parts": ["xen1"]}, "parts is ['xen1']"),
        ({"slots": 30}, "xen1 is to have 30 guest slots: a /27 has 29"),
        ({"slots": {"xen2": 1}}, "the slots of xen1 are None"),
        (
            {"taken": {"the stack": "10.77.0.0/25"}},
            "3 of the guest addresses of xen1 (10.77.0.34 to 10.77.0.36 in 10.77.0.32/27) belong to "
            "the stack (10.77.0.0/25)",
        ),
    ],
)
def test_refusals(change: dict[str, Any], said: str) -> None:
    arguments = {"network": "10.77.0.0/22", "parts": {"xen1": 1}, "slots": 3, **change}
    with pytest.raises(AnsibleFilterError) as refused:
        xen_guest_slots(**arguments)
    assert said in str(refused.value)


def test_taken_but_not_by_a_slot_is_fine() -> None:
    """The host's own address and the parts of nobody may lie in the guest network."""
    taken = {"the gateway": "10.77.0.33", "the stack": "10.77.0.128/25"}
    assert xen_guest_slots("10.77.0.0/22", {"xen1": 1}, 3, taken=taken)
