"""What makes a machine unfit, and what doesn't."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from xenci.demo import machine
from xenci.demo.lab import Lab

OWN = {"name": "xenci-demo", "network_interface": "podman1", "subnets": [{"subnet": "10.201.0.0/24"}]}
OTHER = {"name": "podman", "network_interface": "podman0", "subnets": [{"subnet": "10.88.0.0/16"}]}
SIX = {"name": "six", "network_interface": "podman6", "subnets": [{"subnet": "fd00::/64"}]}
DEFAULT = {"dst": "default", "dev": "eth0"}
ROUTES = [DEFAULT, {"dst": "192.0.2.0/24", "dev": "eth0"}, {"dst": "10.201.0.0/24", "dev": "podman1"}]


@pytest.mark.parametrize(
    ("subnet", "networks", "routes", "reasons"),
    [
        ("10.201.0.0/24", [OWN, OTHER, SIX], ROUTES, 0),
        ("10.201.0.0/24", [OTHER], [DEFAULT], 0),
        ("10.88.7.0/24", [OTHER], [DEFAULT], 1),
        ("10.0.0.0/8", [OTHER], [DEFAULT], 1),
        ("10.201.0.0/24", [{**OWN, "name": "foreign"}], ROUTES, 1),
        ("192.0.2.0/24", [OWN], ROUTES, 1),
        ("10.5.0.0/24", [], [{"dst": "10.5.0.7", "dev": "vpn0"}], 1),
        ("10.5.0.0/24", [{"name": "none", "subnets": None}], [DEFAULT], 0),
    ],
)
def test_a_subnet_that_is_taken(
    subnet: str, networks: list[dict[str, Any]], routes: list[dict[str, Any]], reasons: int
) -> None:
    assert len(list(machine.taken(subnet, "xenci-demo", networks, routes))) == reasons


@pytest.mark.parametrize(
    ("name", "subnet", "words"),
    [
        ("Demo", "10.201.0.0/24", "lower-case"),
        ("a" * 32, "10.201.0.0/24", "at most 31"),
        ("demo", "10.201.0.0", "too small"),
        ("demo", "10.201.0.1/24", "host bits"),
        ("demo", "nonsense", "give a network such as"),
        ("demo", "8.8.8.0/24", "not a private one"),
    ],
)
def test_arguments_that_cannot_be(name: str, subnet: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(machine.UnfitError) as caught:
        machine.check(Lab(name, tmp_path), subnet)
    assert words in "; ".join(caught.value.reasons)


@pytest.mark.parametrize(
    ("mounts", "other"),
    [
        ([{"Destination": "/root/.ssh/authorized_keys", "Source": "/here/.lab/demo/keys/lab.pub"}], ""),
        (
            [{"Destination": "/root/.ssh/authorized_keys", "Source": "/there/.lab/demo/keys/lab.pub"}],
            "/there",
        ),
        ([{"Destination": "/root/.cache/pip", "Source": "/there"}], ""),
        (None, ""),
    ],
)
def test_a_lab_of_another_checkout(mounts: list[dict[str, str]] | None, other: str) -> None:
    assert machine.made_in(Lab("demo", Path("/here")), [{"Mounts": mounts}]) == other


def test_available_memory() -> None:
    text = "MemTotal:        8000000 kB\nMemFree:          100000 kB\nMemAvailable:    6291456 kB\n"
    assert machine.available_memory(text) == 6144
    assert machine.available_memory("") == 0
