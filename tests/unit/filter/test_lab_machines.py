"""Hosts of the inventory as machines of a lab."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.filter.lab_machines import lab_machines


def test_a_container_has_no_size() -> None:
    assert lab_machines(["ci"], {"ci": {"ansible_host": "10.9.0.20", "lab_memory": 1}}) == [
        {"name": "ci", "address": "10.9.0.20", "kind": "container"}
    ]


def test_a_machine_has_one_unless_it_says_otherwise() -> None:
    variables: dict[str, Any] = {"ansible_host": "10.9.0.60", "lab_kind": "vm", "lab_memory": 4096}
    variables |= {"lab_packages": ["xfsprogs"]}
    assert lab_machines(["xen1"], {"xen1": variables}) == [
        {
            "name": "xen1",
            "address": "10.9.0.60",
            "kind": "vm",
            "memory": 4096,
            "vcpus": 2,
            "disk": 12,
            "root": "ext4",
            "release": "",
            "packages": ["xfsprogs"],
        }
    ]


def test_a_host_without_an_address() -> None:
    with pytest.raises(KeyError, match="ansible_host"):
        lab_machines(["ci"], {"ci": {}})
