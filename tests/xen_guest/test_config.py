"""The host's configuration: every mistake is named with file and key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.xen_guest.dom0 import Dom0
from xenci.guest.config import load
from xenci.guest.errors import GuestError

SLOT = {"mac": "00:16:3e:00:00:01", "address": "10.0.0.2"}


def changed(data: Any, path: str, value: Any) -> Any:
    *parents, last = path.split(".")
    for parent in parents:
        data = data[parent]
    data[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("images", "images", "images is 'images': it must match"),
        ("images", "/srv/../etc", "images is '/srv/../etc'"),
        ("images", 3, "images must be str, not 3"),
        ("colour", "red", "colour is not known here"),
        ("types", [], "types is []"),
        ("storage.backend", "zfs", "storage.backend is 'zfs': it must be one of reflink, lvm_thin"),
        ("storage.pool", "thin", "storage.pool is not known here"),
        ("capacity.vcpus", -1, "capacity.vcpus is -1: it must be from 0 to 65536"),
        ("capacity.vcpus", True, "capacity.vcpus must be int, not True"),
        ("network.bridge", 'br0"', "network.bridge is 'br0\"': it must match"),
        ("network.gateway", "10.0.0", "network.gateway is '10.0.0': it must be an IPv4 address"),
        ("network.dns", ["dns"], "network.dns is 'dns': it must be an IPv4 address"),
        (
            "network.slots",
            [SLOT, {**SLOT, "mac": "00:16:3e:00:00:02"}],
            "network.slots has one address twice",
        ),
        ("network.slots", [SLOT, {**SLOT, "address": "10.0.0.3"}], "network.slots has one mac twice"),
        ("network.slots", [{"mac": "x", "address": "10.0.0.3"}], "network.slots[0].mac is 'x'"),
        ("network.slots", ["x"], "network.slots[0] must be an object"),
    ],
)
def test_mistakes(new_dom0: Callable[..., Dom0], path: str, value: Any, said: str) -> None:
    dom0 = new_dom0()
    changed(dom0.config, path, value)
    dom0.write_config()
    error = dom0.ask("list")["error"]
    assert error["code"] == "bad_config"
    assert f"{dom0.root}/xenci-guest.json: {said}" in error["message"]


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(GuestError, match="No such file or directory; role xen_host writes it"):
        load(tmp_path / "none.json")


def test_no_json(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("{")
    with pytest.raises(GuestError, match="is not JSON"):
        load(tmp_path / "c.json")


def test_least_configuration(tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    least = {
        "images": "/srv/xenci/images",
        "storage": {"backend": "lvm_thin", "volume_group": "vg", "pool": "thin"},
        "capacity": {"memory_mib": 1, "vcpus": 1, "storage_mib": 1},
        "network": {"bridge": "xenbr0", "prefix": 24, "gateway": "10.0.0.1", "slots": [SLOT]},
    }
    file.write_text(json.dumps(least))
    config = load(file)
    assert (config.ssh_port, config.boot_timeout, config.types) == (22, 300, ("pv", "pvh", "hvm"))
