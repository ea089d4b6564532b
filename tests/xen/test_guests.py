"""The life of guests on real Xen, asked for as Zuul's launcher does and used as its executor does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.xen.host import XenHost


@pytest.fixture
def request_(host: XenHost, image: str) -> dict[str, Any]:
    """What a guest is made with, without its name."""
    keys = [(host.lab.keys / "zuul_node.pub").read_text(encoding="utf-8").strip()]
    return {"image": image, "type": "pv", "memory_mib": 256, "vcpus": 1, "authorized_keys": keys}


@pytest.mark.parametrize("round_", [1, 2])
def test_a_guest_comes_clean_and_goes_whole(host: XenHost, request_: dict[str, Any], round_: int) -> None:
    with host.timer(f"round {round_}: create, until its SSH server answers"):
        reply = host.launcher("create", name="life", **request_)
    assert reply["ok"], reply
    guest = reply["guest"]
    assert (guest["state"], guest["address"]) == ("running", "10.206.0.194")
    with host.timer(f"round {round_}: login with the returned host key"):
        done = host.job(guest, "cat /sys/hypervisor/type; hostname; ls -A ~; sudo -n id -u")
    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    assert words[:2] == ["xen", "life"]
    assert words[-1] == "0"
    assert "dirt" not in words
    with host.timer(f"round {round_}: make it dirty"):
        assert host.job(guest, "touch ~/dirt && sudo -n rm /etc/motd /etc/fstab -f").returncode == 0
    with host.timer(f"round {round_}: delete"):
        assert host.launcher("delete", name="life")["deleted"]
    with host.timer(f"round {round_}: audit"):
        reply = host.launcher("audit")
    assert reply["clean"], reply["findings"]
    assert host.launcher("list")["guests"] == []
    # What it printed stays.
    assert host.launcher("console", name="life", bytes=2000)["console"]


def test_a_create_that_is_killed_leaves_nothing_that_delete_does_not_find(
    host: XenHost, request_: dict[str, Any]
) -> None:
    """At the moment at which most is half done: xl is at work, and goes on when its caller is gone."""
    request = json.dumps({"operation": "create", "name": "killed", **request_})
    host.ssh("cat >/run/request", text=request)
    kill = (
        "xenci-guest </run/request >/run/reply 2>&1 & pid=$!;"
        " until pgrep -f 'xl create' >/dev/null; do sleep 0.1; done; kill -9 $pid; wait $pid; test $? = 137"
    )
    host.ssh(kill)
    with host.timer("delete what a killed create has left"):
        reply = host.launcher("delete", name="killed")
    assert reply["deleted"], reply
    with host.timer("audit after it"):
        reply = host.launcher("audit")
    assert reply["clean"], reply["findings"]


def test_more_than_the_host_has_is_refused(host: XenHost, request_: dict[str, Any]) -> None:
    too_much = {**request_, "memory_mib": 1536}
    # Nobody waits for its SSH server: only its memory counts here.
    first = host.launcher("create", name="large", **too_much, ssh_timeout=0)
    assert first["ok"], first
    with host.timer("refuse a guest that does not fit"):
        reply = host.launcher("create", name="larger", **{**request_, "memory_mib": 512})
    assert reply["error"]["code"] == "full"
    assert "memory_mib: 1536 of 1792 are in use, 512 more" in reply["error"]["message"]
    assert host.launcher("delete", name="large")["deleted"]
    assert host.launcher("audit")["clean"]


def test_a_guest_reaches_nothing(host: XenHost, request_: dict[str, Any]) -> None:
    reply = host.launcher("create", name="fence", **request_)
    assert reply["ok"], reply
    guest = reply["guest"]
    targets = {"dom0": f"{host.address}/22", "ci": "10.206.0.20/22", "the machine": "10.206.0.1/22"}
    connect = "; ".join(
        f"timeout 5 bash -c ': </dev/tcp/{target}' 2>/dev/null && echo reached {name}"
        for name, target in targets.items()
    )
    assert host.job(guest, f"{connect}; true").stdout == ""
    # Nor can it be somebody else: nobody learns an address that is not its own.
    send = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('10.206.0.77', 0));"
    send += " s.sendto(b'x', ('10.206.0.30', 9))"
    spoof = f'sudo -n ip address add 10.206.0.77/24 dev eth0 && python3 -c "{send}"'
    done = host.job(guest, spoof)
    assert done.returncode == 0, done.stderr
    neighbours = host.inside("executor", "ip", "neighbour").stdout
    assert guest["address"] in neighbours
    assert "10.206.0.77" not in neighbours
    for container, reaches in (("executor", True), ("ci", False), ("node1", False)):
        ask = host.inside(container, "timeout", "10", "bash", "-c", f": </dev/tcp/{guest['address']}/22")
        assert (ask.returncode == 0) == reaches, container
    assert host.launcher("delete", name="fence")["deleted"]
