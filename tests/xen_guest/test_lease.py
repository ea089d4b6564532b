"""Leasing the whole host: who gets it, what stays of it, and when guests return."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from tests.xen_guest.dom0 import GUEST, KEY, Dom0
from tests.xen_guest.leased import LEASE, RULES, Leased
from xenci.guest import lease_state, root
from xenci.guest.request import OPERATOR


@pytest.fixture
def host(new_dom0: Callable[..., Dom0], monkeypatch: pytest.MonkeyPatch) -> Iterator[Leased]:
    """A host that can be leased, with an image and room for two guests."""
    leased = Leased(new_dom0(), monkeypatch)
    yield leased
    os.close(leased.handle)


def create(host: Leased, name: str = "g1") -> dict[str, object]:
    return host.ask("create", name=name, **GUEST)


def test_an_empty_host_is_handed_over(host: Leased) -> None:
    reply = host.lease()
    assert reply["ok"], reply
    lease = reply["lease"]
    assert (reply["created"], lease["name"], lease["state"], lease["user"]) == (True, "l1", "leased", "zuul")
    assert (lease["host_keys"], lease["labels"]) == ([" ".join(KEY.split()[:2])], LEASE["labels"])
    assert reply["outside"]["xen"]["version"] == "4.17.5"
    keys = host.root / "etc/ssh/authorized_keys/xen_host_lease"
    assert (keys.read_text(), keys.stat().st_mode & 0o777) == (f"{KEY}\n", 0o644)
    assert (host.dom0.xen / "ruleset").read_text() == f"{RULES}rules of the lease\n"
    # What boots next is not what the lease may change.
    assert (host.running(), host.subvolumes()) == (root.LEASED, {"@", root.LEASED})
    assert not (host.fs / "@/etc/ssh/authorized_keys/xen_host_lease").exists()
    assert [one["name"] for one in host.ask("list")["leases"]] == ["l1"]
    assert host.ask("capacity")["leased"] == {"name": "l1", "state": "leased"}


def test_asking_again_changes_nothing(host: Leased) -> None:
    first = host.lease()["lease"]
    reply = host.lease()
    assert (reply["created"], reply["lease"]) == (False, first)
    other = host.ask("lease", name="l1", authorized_keys=[KEY], labels={"a": "b"})
    assert other["error"]["code"] == "exists"


def test_nobody_else_gets_a_leased_host(host: Leased) -> None:
    host.lease()
    for reply in (host.lease("l2"), create(host)):
        assert reply["error"]["code"] == "full", reply  # type: ignore[index]
        assert "leased by l1" in reply["error"]["message"]  # type: ignore[index]
    assert host.ask("release", name="l2") == {"ok": True, "released": False, "returning": False}
    assert not host.restarting()


def test_a_record_that_the_lease_removed_lets_nobody_in(host: Leased) -> None:
    host.lease()
    (host.root / "state/lease.json").unlink()
    assert create(host)["error"]["code"] == "full"  # type: ignore[index]
    host.release()
    host.prove_clean()


def test_guests_leave_first_and_none_comes(host: Leased, monkeypatch: pytest.MonkeyPatch) -> None:
    assert create(host)["ok"]
    reply = host.lease()
    assert (reply["error"]["code"], reply["error"]["retry"]) == ("full", True)
    assert "1 guests are left" in reply["error"]["message"]
    assert host.ask("capacity")["leased"] == {"name": "l1", "state": "emptying"}
    assert "gets empty" in create(host, "g2")["error"]["message"]  # type: ignore[index]
    assert "to be leased by l1" in host.lease("l2")["error"]["message"]
    # Who asked, and never again, holds nobody up for ever.
    later = time.time() + lease_state.WISH_SECONDS
    monkeypatch.setattr(time, "time", lambda: later)
    assert create(host, "g2")["ok"]
    host.ask("delete", name="g2")
    host.lease()
    host.ask("delete", name="g1")
    assert host.lease()["ok"]


def test_a_wish_is_taken_back(host: Leased) -> None:
    assert create(host)["ok"]
    host.lease()
    assert host.ask("release", name="l1") == {"ok": True, "released": False, "returning": False}
    assert create(host, "g2")["ok"]


def test_a_lease_ends_with_the_host_as_it_was(host: Leased) -> None:
    host.lease()
    (host.root / "etc/motd").write_text("dirt\n")
    (host.root / "etc/new").mkdir()
    (host.root / "boot/xen-4.17-amd64.gz").unlink()
    (host.root / "packages").write_text("other 1 ii\n")
    (host.root / "var/own.subvolume/inner.subvolume").mkdir(parents=True)
    host.dom0.set("ruleset", "table inet dirt\n")
    assert host.ask("release", name="l1") == {"ok": True, "released": True, "returning": True}
    assert host.restarting()
    assert host.ask("list")["leases"][0]["state"] == "returning"
    assert host.lease()["error"]["code"] == "deleted"
    host.boot(settle=False)
    # Not looked at yet: nobody gets it, and whoever waits for the end goes on waiting.
    assert create(host)["error"]["code"] == "full"  # type: ignore[index]
    assert host.lease()["error"]["code"] == "deleted"
    assert host.ask("release", name="l1")["returning"]
    assert host.ask("settle", OPERATOR) == {"ok": True, "settled": "l1", "findings": []}
    assert host.ask("release", name="l1") == {"ok": True, "released": False, "returning": False}
    host.prove_clean()
    assert create(host)["ok"]


def test_every_boot_that_is_not_planned_ends_a_lease(host: Leased) -> None:
    host.lease()
    (host.root / "etc/motd").write_text("dirt\n")
    assert host.boot()["settled"] == "l1"
    host.prove_clean()


@pytest.mark.parametrize(
    "given", [{}, {"xen": "/boot/new.gz", "xen_options": "loglvl=all", "kernel_options": "quiet"}]
)
def test_a_planned_boot_is_the_leases_own_and_the_next_is_not(host: Leased, given: dict[str, str]) -> None:
    host.lease()
    (host.root / "boot/new.gz").write_text("another Xen")
    reply = host.ask("boot", OPERATOR, **given)
    assert reply["ok"], reply
    lines = (host.root / "boot/grub/xenci_lease.cfg").read_text().splitlines()
    if given:
        assert lines[1] == "multiboot2 /@xenci-leased/boot/new.gz placeholder loglvl=all"
        assert lines[2].endswith(" placeholder quiet")
    else:
        assert lines[1] == "multiboot2 /@xenci-leased/boot/xen-4.17-amd64.gz placeholder dom0_mem=1024M"
        assert lines[2].endswith(" root=UUID=4a6d-uuid rootflags=subvol=@xenci-leased ro quiet panic=30")
    assert lines[-1] == "boot"
    assert host.boot() == {"ok": True, "settled": ""}
    assert host.running() == root.LEASED
    assert host.lease()["created"] is False
    assert (host.dom0.xen / "ruleset").read_text() == f"{RULES}rules of the lease\n"
    assert host.boot()["settled"] == "l1"
    host.prove_clean()


def test_boots_that_can_not_be(host: Leased) -> None:
    assert host.ask("boot", OPERATOR)["error"]["message"] == "the host is not leased"
    assert host.ask("boot")["error"]["code"] == "not_allowed"
    host.lease()
    reply = host.ask("boot", OPERATOR, kernel="/boot/none")
    assert reply["error"]["message"] == "kernel is /boot/none: there is no such file"
    for field, value in (("xen_options", "a; boot"), ("kernel_options", "$root"), ("xen", "/boot/../etc")):
        assert host.ask("boot", OPERATOR, **{field: value})["error"]["code"] == "bad_request"


def spoil_boot_sectors(host: Leased) -> None:
    content = host.device.read_bytes()
    host.device.write_bytes(b"loader" + content[6:])


def spoil_image(host: Leased) -> None:
    next((host.dom0.root / "images").glob("*/*/root.img")).write_bytes(b"other")


def spoil_xen(host: Leased) -> None:
    host.dom0.set("xen_options", "dom0_mem=1G")


def spoil_baseline(host: Leased) -> None:
    (host.fs / "@/state/lease-baseline.json").write_text("{")


def spoil_toolstack(host: Leased) -> None:
    host.dom0.set("xl_down")


def spoil_record(host: Leased) -> None:
    (host.fs / "@/state/lease.json").write_text("{")


def spoil_file(host: Leased) -> None:
    (host.fs / "@/etc/motd").write_text("other\n")
    (host.fs / "@/etc/more").write_text("")


def spoil_disks(host: Leased) -> None:
    (host.fs / "@/etc/nftables.d/more.nft").write_text("table inet more\n")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_boot_sectors, "the audit after lease l1 found: disk boot sectors has changed"),
        (spoil_image, "root.img has changed"),
        (spoil_xen, "l1 found: xen xen_commandline has changed"),
        (spoil_baseline, "it could not be made: "),
        (spoil_toolstack, "it could not be made: Xen does not answer"),
        (spoil_record, "lease ? found: the record "),
        (spoil_file, "l1 found: file /etc/more is new (and 1 more)"),
        (spoil_disks, "l1 found: file /etc/nftables.d/more.nft is new (and 1 more)"),
    ],
)
def test_what_did_not_come_back_takes_the_host_out_of_service(
    host: Leased, spoil: Callable[[Leased], None], says: str
) -> None:
    host.lease()
    spoil(host)
    host.ask("release", name="l1")
    assert host.boot()["findings"]
    assert host.ask("release", name="l1") == {"ok": True, "released": False, "returning": False}
    (host.dom0.xen / "xl_down").unlink(missing_ok=True)
    capacity = host.ask("capacity")
    assert says in capacity["drained"]
    assert capacity["leased"] == {}
    assert (host.root / "state/lease-findings.txt").read_text()
    assert create(host)["error"]["code"] == "drained"  # type: ignore[index]
    assert host.lease()["error"]["code"] == "drained"
    assert host.ask("resume", OPERATOR)["ok"]
    assert host.lease("l3")["ok"]


def test_what_is_of_nobody_is_not_handed_over(host: Leased) -> None:
    foreign = host.dom0.xen / "domains/00009"
    foreign.write_text(
        '{"name": "x", "domid": 9, "memory": 1, "vcpus": 1, "uuid": "%s"}'
        % ("0" * 8 + "-0000" * 3 + "-" + "0" * 12)
    )
    reply = host.lease()
    assert reply["error"]["code"] == "bad_state"
    assert "domain x: not made by this program" in reply["error"]["message"]
    foreign.unlink()
    assert create(host)["ok"]


def test_a_failure_leaves_nothing(host: Leased) -> None:
    host.dom0.set("full")
    assert host.lease()["error"]["code"] == "storage_failed"
    host.dom0.unset("full")
    host.prove_clean()
    assert host.lease()["ok"]


def test_hosts_that_can_not_be_leased(host: Leased) -> None:
    host.dom0.set("root_kind", "ext4")
    reply = host.lease()
    assert reply["error"]["code"] == "unsupported"
    assert "its root file system is ext4" in reply["error"]["message"]
    assert host.ask("capacity")["lease"] is False
    host.dom0.unset("root_kind")
    assert host.ask("capacity")["lease"] is True
    host.dom0.config["lease_user"] = ""
    host.dom0.write_config()
    assert "not offered (xen_host_lease)" in host.lease()["error"]["message"]
    assert host.ask("release", name="l1")["released"] is False
    assert host.ask("capacity")["lease"] is False
