"""The life of guests on real Xen, asked for as Zuul's launcher does and used as its executor does."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.xen.host import XenHost


def gone(host: XenHost, *names: str) -> None:
    """Delete guests, and see that nothing is left of any guest."""
    for name in names:
        assert host.launcher("delete", name=name)["deleted"], name
    reply = host.launcher("audit")
    assert reply["clean"], reply["findings"]


@pytest.mark.core
def test_a_guest_comes_and_goes_whole(host: XenHost, request_: dict[str, Any]) -> None:
    with host.timer("create, until its SSH server answers"):
        reply = host.launcher("create", name="life", **request_)
    assert reply["ok"], reply
    guest = reply["guest"]
    assert (guest["state"], guest["address"]) == ("running", host.at(194))
    with host.timer("login with the returned host key"):
        done = host.job(guest, "cat /sys/hypervisor/type /sys/hypervisor/uuid; hostname; sudo -n id -u")
    assert done.returncode == 0, done.stderr
    kind, uuid, name, user = done.stdout.split()
    assert (kind, name, user) == ("xen", "life", "0")
    # Dom0 saw the same guest.
    assert uuid in reply["outside"]["xl_list"]
    if host.wanted("xen_host_libvirt"):
        # libvirt serves the same Xen beside, and knows only guests that were made through it.
        virsh = "virsh --connect xen:///system"
        said = host.ssh(f"{virsh} version; {virsh} list --name").stdout
        release = ".".join(reply["outside"]["xen"]["version"].split(".")[:2])
        assert f"Running hypervisor: Xen {release}." in said
        assert said.split()[-1] == "Domain-0"
    assert host.job(guest, "touch ~/dirt && sudo -n rm /etc/motd").returncode == 0
    with host.timer("list"):
        assert [one["name"] for one in host.launcher("list")["guests"]] == ["life"]
    with host.timer("delete"):
        assert host.launcher("delete", name="life")["deleted"]
    with host.timer("audit"):
        reply = host.launcher("audit")
    assert reply["clean"], reply["findings"]
    assert host.launcher("list")["guests"] == []
    # What it printed stays.
    assert "systemd" in host.launcher("console", name="life", bytes=20000)["console"]


def test_the_next_of_its_name_is_another(host: XenHost, request_: dict[str, Any]) -> None:
    grown = "until sudo -n systemctl is-active -q grow-root; do sleep 1; done"
    identity = "cat /etc/machine-id; ls -A ~; df --output=size -BM / | tail -1"
    first = host.launcher("create", name="again", **request_)
    assert first["ok"], first
    before = host.job(first["guest"], f"touch ~/dirt; {identity}").stdout.split()
    assert "dirt" in before
    gone(host, "again")
    second = host.launcher("create", name="again", **request_, disk_mib=1536)
    assert second["ok"], second
    assert second["guest"]["host_keys"] != first["guest"]["host_keys"]
    assert second["guest"]["address"] == first["guest"]["address"]
    after = host.job(second["guest"], f"{grown}; {identity}")
    assert after.returncode == 0, after.stderr
    assert "dirt" not in after.stdout
    assert after.stdout.split()[0] != before[0]
    assert int(after.stdout.split()[-1].rstrip("M")) > 1300
    gone(host, "again")


def kill_at(host: XenHost, program: str, **request: Any) -> None:
    """Kill `xenci-guest` as soon as it runs a program for a request; return when that has ended by itself."""
    host.ssh("cat >/run/request", text=json.dumps(request))
    runs = f"pgrep -f '^{program}' >/dev/null"
    host.ssh(
        f"xenci-guest </run/request >/run/reply 2>&1 & pid=$!; until {runs}; do sleep 0.1; done;"
        f" kill -9 $pid; wait $pid; test $? = 137 || exit 1; while {runs}; do sleep 0.5; done"
    )


def test_a_create_that_is_killed_leaves_nothing_that_delete_does_not_find(
    host: XenHost, request_: dict[str, Any]
) -> None:
    kill_at(host, "xl create", operation="create", name="killed", **request_)
    assert [one["state"] for one in host.launcher("list")["guests"]] == ["creating"]
    with host.timer("delete what a killed create has left, and audit"):
        gone(host, "killed")


def test_a_delete_that_is_killed_leaves_nothing_that_audit_does_not_remove(
    host: XenHost, request_: dict[str, Any]
) -> None:
    reply = host.launcher("create", name="half", **request_, ssh_timeout=0)
    assert reply["ok"], reply
    kill_at(host, "xl destroy", operation="delete", name="half")
    found = host.launcher("audit")
    assert [(one["kind"], one["name"]) for one in found["findings"]] == [("record", "half")], found
    with host.timer("audit removes what a killed delete has left"):
        reply = host.launcher("audit", clean=True)
    assert reply["clean"], reply
    assert "record of guest half" in reply["removed"]
    assert host.launcher("list")["guests"] == []


def test_two_creates_of_one_name_make_one_guest(host: XenHost, request_: dict[str, Any]) -> None:
    with ThreadPoolExecutor(2) as both:
        replies = list(both.map(lambda _: host.launcher("create", name="twin", **request_), range(2)))
    assert [reply["ok"] for reply in replies] == [True, True], replies
    assert sorted(reply["created"] for reply in replies) == [False, True]
    assert replies[0]["guest"]["host_keys"] == replies[1]["guest"]["host_keys"]
    assert host.ssh("xl list | grep -c '^twin '").stdout == "1\n"
    gone(host, "twin")


def test_more_than_the_host_has_is_refused(host: XenHost, request_: dict[str, Any]) -> None:
    too_much = {**request_, "memory_mib": 1536}
    # Nobody waits for its SSH server: only its memory counts here.
    first = host.launcher("create", name="large", **too_much, ssh_timeout=0)
    assert first["ok"], first
    with host.timer("refuse a guest that does not fit"):
        reply = host.launcher("create", name="larger", **{**request_, "memory_mib": 512})
    assert reply["error"]["code"] == "full"
    assert "memory_mib: 1536 of 1792 are in use, 512 more" in reply["error"]["message"]
    gone(host, "large")


def test_a_guest_that_never_gets_ssh_leaves_nothing(host: XenHost, request_: dict[str, Any]) -> None:
    reply = host.launcher("create", name="silent", **request_, ssh_timeout=1)
    assert reply["error"]["code"] == "no_ssh"
    assert "console" in reply["error"]
    assert host.launcher("list")["guests"] == []
    gone(host)


def test_a_missing_image_is_named(host: XenHost, request_: dict[str, Any]) -> None:
    reply = host.launcher("create", name="nothing", **{**request_, "image": "debian-99"})
    assert reply["error"]["code"] == "no_such_image"
    assert f"there are: {request_['image']} " in reply["error"]["message"]
    gone(host)


def test_full_storage_is_an_error_that_leaves_nothing(host: XenHost, request_: dict[str, Any]) -> None:
    host.ssh("fallocate -l $(($(df --output=avail -B1 /srv/xenci | tail -1) - 67108864)) /srv/xenci/fill")
    try:
        reply = host.launcher("create", name="full", **request_)
    finally:
        host.ssh("rm /srv/xenci/fill")
    assert reply["error"]["code"] == "storage_full"
    assert reply["error"]["retry"]
    gone(host)


def test_a_guest_that_floods_its_console_is_held(host: XenHost, request_: dict[str, Any]) -> None:
    reply = host.launcher("create", name="flood", **request_)
    assert reply["ok"], reply
    flood = "sudo -n timeout 20 sh -c 'yes flood-flood-flood-flood >/dev/hvc0'; test $? = 124"
    with ThreadPoolExecutor(1) as beside:
        flooding = beside.submit(host.job, reply["guest"], flood)
        with host.timer("capacity, while a guest floods its console"):
            assert host.launcher("capacity")["ok"]
        done = flooding.result()
    assert done.returncode == 0, done.stderr
    host.ssh("systemctl start xenci-console-logs.service")
    sizes = host.ssh("stat -c %s /var/log/xen/console/guest-flood.log*").stdout.split()
    assert int(sizes[0]) < 9 * 1024 * 1024, sizes
    assert "flood-flood" in host.launcher("console", name="flood", bytes=1000)["console"]
    gone(host, "flood")


def test_a_guest_reaches_nothing(host: XenHost, request_: dict[str, Any]) -> None:
    reply = host.launcher("create", name="fence", **request_)
    assert reply["ok"], reply
    guest = reply["guest"]
    other = host.launcher("create", name="neighbour", **request_)
    assert other["ok"], other
    targets = {
        "dom0": host.address,
        "ci": host.at(20),
        "the machine": host.at(1),
        "another guest": other["guest"]["address"],
    }
    connect = "; ".join(
        f"timeout 5 bash -c ': </dev/tcp/{address}/22' 2>/dev/null && echo reached {name}"
        for name, address in targets.items()
    )
    assert host.job(guest, f"{connect}; true").stdout == ""
    # They are there, for whoever may reach them.
    assert host.job(other["guest"], "true").returncode == 0
    # Nor can it be somebody else: nobody learns an address that is not its own.
    send = f"import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('{host.at(77)}', 0));"
    send += f" s.sendto(b'x', ('{host.at(30)}', 9))"
    spoof = f'sudo -n ip address add {host.at(77)}/24 dev eth0 && python3 -c "{send}"'
    done = host.job(guest, spoof)
    assert done.returncode == 0, done.stderr
    neighbours = host.inside("executor", "ip", "neighbour").stdout
    assert guest["address"] in neighbours
    assert host.at(77) not in neighbours
    for container, reaches in (("executor", True), ("ci", False), ("node1", False)):
        ask = host.inside(container, "timeout", "10", "bash", "-c", f": </dev/tcp/{guest['address']}/22")
        assert (ask.returncode == 0) == reaches, container
    gone(host, "fence", "neighbour")
