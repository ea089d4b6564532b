"""A guest's life, through the program as a process."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable
from typing import Any

import pytest

from tests.xen_guest.dom0 import GUEST, KEY, SILENT_PORT, Dom0
from xenci.guest.names import domain_uuid
from xenci.guest.operations import OPERATIONS


def seed(dom0: Dom0, guest: str) -> dict[str, str]:
    """Content of a guest's seed disk."""
    with tarfile.open(dom0.root / f"state/guests/{guest}/seed.tar") as archive:
        return {member.name: archive.extractfile(member).read().decode() for member in archive}  # type: ignore[union-attr]


def test_create_and_delete(dom0: Dom0) -> None:
    made = dom0.create("g1", labels={"zuul_system_id": "s1"})
    assert made["ok"], made
    guest = made["guest"]
    assert (guest["state"], guest["address"], guest["labels"]) == (
        "running",
        "127.77.0.10",
        {"zuul_system_id": "s1"},
    )
    assert [domain["name"] for domain in dom0.domains()] == ["g1"]
    assert dom0.ask("list")["guests"] == [guest]
    assert dom0.ask("delete", name="g1") == {
        "ok": True,
        "deleted": True,
        "removed": dom0_parts(1),
        "death": "",
    }
    assert dom0.left() == {}
    assert dom0.ask("list")["guests"] == []
    assert dom0.ask("audit") == {"ok": True, "clean": True, "findings": [], "removed": []}


def dom0_parts(domid: int) -> list[str]:
    return [f"domain {domid}", "disk", "seed", "record"]


def test_each_guest_is_itself(dom0: Dom0) -> None:
    guests = [dom0.create(name)["guest"] for name in ("g1", "g2")]
    seeds = [seed(dom0, guest["name"]) for guest in guests]
    for what in ("hostname", "machine-id", "network", "ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"):
        assert seeds[0][what] != seeds[1][what], what
    for guest, files in zip(guests, seeds, strict=True):
        assert guest["host_keys"] == [files["ssh_host_ed25519_key.pub"].strip()]
        assert files["authorized_keys"] == f"{KEY}\n"
        assert re.fullmatch(r"[0-9a-f]{32}\n", files["machine-id"])
        assert (
            f"ADDRESS='{guest['address']}/24'\nGATEWAY='127.77.0.1'\nDNS='127.77.0.1'\n" in files["network"]
        )
    assert "PRIVATE KEY" not in str(dom0.ask("list"))


def test_create_again_finds_it(dom0: Dom0) -> None:
    first = dom0.create("g1")
    second = dom0.create("g1")
    assert (first["created"], second["created"]) == (True, False)
    for reply in (first, second):
        heading, line = reply["outside"]["xl_list"].splitlines()
        assert heading.startswith("Name")
        assert line.split()[0] == "g1"
        assert domain_uuid("g1") in line
    assert first["guest"] == second["guest"]
    assert len(dom0.domains()) == 1


def test_same_name_and_something_else_is_refused(dom0: Dom0) -> None:
    dom0.create("g1")
    error = dom0.create("g1", memory_mib=512)["error"]
    assert error["code"] == "exists"
    assert "memory_mib 256, not 512" in error["message"]


def test_two_creates_at_once_make_one_guest(dom0: Dom0) -> None:
    dom0.set("slow_create", "0.5")
    request = {"operation": "create", "name": "g1", **GUEST}
    replies = [dom0.end(process) for process in [dom0.start(request) for _ in range(4)]]
    assert all(reply["ok"] for reply in replies), replies
    assert len({str(reply["guest"]["host_keys"]) for reply in replies}) == 1
    assert [reply["created"] for reply in replies].count(True) == 1
    assert dom0.calls().count(f"xl create {dom0.root}/state/guests/g1/xl.cfg") == 1


def test_delete_of_nothing_is_fine(dom0: Dom0) -> None:
    assert dom0.ask("delete", name="g1") == {"ok": True, "deleted": False, "removed": [], "death": ""}


def test_dead_guest_stays_dead_and_says_why(dom0: Dom0) -> None:
    dom0.create("g1")
    (next((dom0.xen / "domains").iterdir())).unlink()
    (dom0.xen / "log/xl-g1.log").write_text("Domain 1 has shut down, reason code 3 0x3\n")
    [guest] = dom0.ask("list")["guests"]
    assert (guest["state"], guest["reason"]) == ("dead", "crash")
    assert dom0.create("g1")["guest"]["state"] == "dead"
    assert dom0.domains() == []
    console = dom0.ask("console", name="g1")
    assert (console["death"], "Linux version" in console["console"]) == ("crash", True)
    assert dom0.ask("delete", name="g1")["death"] == "crash"


def test_console_stays_when_the_guest_is_gone(dom0: Dom0) -> None:
    dom0.create("g1")
    dom0.ask("delete", name="g1")
    assert "Linux version 6.1 of g1" in dom0.ask("console", name="g1")["console"]
    assert dom0.ask("console", name="g1", bytes=3)["console"] == "g1\n"
    assert dom0.ask("console", name="g2")["console"] == ""


@pytest.mark.parametrize("kind", ["pv", "pvh", "hvm"])
def test_type_is_what_was_asked(dom0: Dom0, kind: str) -> None:
    assert dom0.create("g1", type=kind)["ok"]
    assert f'type = "{kind}"\n' in (dom0.root / "state/guests/g1/xl.cfg").read_text()


def test_type_that_host_or_image_can_not(new_dom0: Callable[..., Dom0]) -> None:
    dom0 = new_dom0(types=["pv"])
    error = dom0.create("g1", type="pvh")["error"]
    assert (error["code"], "runs here as pv" in error["message"]) == ("unsupported_type", True)
    assert dom0.left() == {}


def test_hotplug_timeout_is_a_retry(dom0: Dom0) -> None:
    dom0.set("hotplug_timeouts", "2")
    assert dom0.create("g1")["ok"]
    assert [domain["name"] for domain in dom0.domains()] == ["g1"]


def test_a_qemu_that_is_too_slow_is_a_retry(dom0: Dom0) -> None:
    dom0.set("hotplug_timeouts", "1")
    # As Xen 4.17 has said.
    said = "libxl_dm.c:3381:device_model_postconfig_done: Domain 2:Post DM startup configs failed, rc=-9"
    dom0.set("timeout_says", f"libxl: error: {said}")
    assert dom0.create("g1")["ok"]


def test_hotplug_timeouts_without_end(dom0: Dom0) -> None:
    dom0.set("hotplug_timeouts", "3")
    error = dom0.create("g1")["error"]
    assert (error["code"], "because of timeout" in error["message"]) == ("xen_failed", True)
    assert dom0.left() == {}


def test_guest_that_never_gets_ssh(dom0: Dom0) -> None:
    dom0.config["ssh_port"] = SILENT_PORT
    dom0.write_config()
    error = dom0.create("g1", ssh_timeout=1)["error"]
    assert error["code"] == "no_ssh"
    assert "no SSH server answered at 127.77.0.10 in 1 s" in error["message"]
    assert "Linux version" in error["console"]
    assert dom0.left() == {}


def test_guest_that_dies_while_it_boots(dom0: Dom0) -> None:
    dom0.config["ssh_port"] = SILENT_PORT
    dom0.write_config()
    dom0.set("crash")
    error = dom0.create("g1")["error"]
    assert (error["code"], error["reason"]) == ("died", "crash")
    assert "Kernel panic" in error["console"]
    assert dom0.left() == {}


def test_delete_does_not_wait_for_a_boot(dom0: Dom0) -> None:
    dom0.config["ssh_port"] = SILENT_PORT
    dom0.write_config()
    process = dom0.start({"operation": "create", "name": "g1", **GUEST})
    while not dom0.domains() or dom0.ask("list")["guests"][0]["state"] != "booting":
        assert process.poll() is None
    assert dom0.ask("delete", name="g1")["deleted"]
    assert dom0.end(process)["error"]["code"] == "deleted"
    assert dom0.left() == {}


def test_storage_full(dom0: Dom0) -> None:
    dom0.set("full")
    error = dom0.create("g1")["error"]
    assert (error["code"], error["retry"]) == ("storage_full", True)
    assert "No space left on device" in error["message"]
    assert dom0.left() == {}


def test_storage_nearly_full(new_dom0: Callable[..., Dom0]) -> None:
    dom0 = new_dom0("lvm_thin", min_free_percent=5)
    dom0.set("used", "95.50")
    error = dom0.create("g1")["error"]
    assert error["code"] == "storage_full"
    assert error["message"] == "4.5 % of the guest storage are free: 5 must be"
    assert dom0.left() == {}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"image": "debian-13"}, "no image debian-13; there are: debian-12 1"),
        ({"version": "2"}, "no image debian-12 2; there are: debian-12 1"),
    ],
)
def test_image_missing(dom0: Dom0, fields: dict[str, Any], said: str) -> None:
    error = dom0.create("g1", **fields)["error"]
    assert error["code"] == "no_such_image"
    assert said in error["message"]
    assert dom0.left() == {}


def test_xen_without_memory(dom0: Dom0) -> None:
    dom0.set("memory", "300")
    assert dom0.create("g1")["ok"]
    error = dom0.create("g2")["error"]
    assert (error["code"], error["retry"]) == ("no_memory", True)
    assert dom0.ask("delete", name="g1")["ok"]
    assert dom0.left() == {}


def test_xen_down(dom0: Dom0) -> None:
    dom0.create("g1")
    dom0.set("xl_down")
    assert dom0.ask("list")["error"]["code"] == "xen_failed"
    error = dom0.ask("delete", name="g1")["error"]
    assert error["code"] == "xen_failed"
    dom0.unset("xl_down")
    assert dom0.ask("list")["guests"][0]["state"] == "deleting"
    assert dom0.ask("delete", name="g1")["deleted"]
    assert dom0.left() == {}


def test_clean_start_gives_the_first_state_back(new_dom0: Callable[..., Dom0]) -> None:
    dom0 = new_dom0()
    first = dom0.create("g1")["guest"]
    disk = dom0.root / "disks/g1.img"
    clean = disk.read_bytes()
    disk.write_bytes(b"dirt")
    identity = seed(dom0, "g1")
    reply = dom0.ask("start", "--operator", name="g1", clean=True)
    assert reply["started"]
    assert reply["guest"] == first
    assert (disk.read_bytes(), seed(dom0, "g1")) == (clean, identity)
    assert [domain["domid"] for domain in dom0.domains()] == [2]


def test_start_of_a_dead_guest_keeps_its_disk(new_dom0: Callable[..., Dom0]) -> None:
    dom0 = new_dom0()
    dom0.create("g1")
    (dom0.root / "disks/g1.img").write_bytes(b"work")
    assert not dom0.ask("start", "--operator", name="g1")["started"]
    (next((dom0.xen / "domains").iterdir())).unlink()
    assert dom0.ask("start", "--operator", name="g1")["guest"]["state"] == "running"
    assert (dom0.root / "disks/g1.img").read_bytes() == b"work"


def test_larger_disk(new_dom0: Callable[..., Dom0]) -> None:
    dom0 = new_dom0()
    assert dom0.create("g1", disk_mib=3)["guest"]["disk_mib"] == 3
    assert (dom0.root / "disks/g1.img").stat().st_size == 3 * 1024 * 1024


def test_disk_that_has_the_size_by_its_extents(new_dom0: Callable[..., Dom0]) -> None:
    dom0 = new_dom0("lvm_thin")
    dom0.set("extents")
    assert dom0.create("g1", disk_mib=3)["ok"]


def test_operator_only(dom0: Dom0) -> None:
    for request in ({"operation": "start", "name": "g1"}, {"operation": "drain", "reason": "x"}):
        assert dom0.end(dom0.start(request))["error"]["code"] == "not_allowed"


def test_a_reader_gets_consoles_and_nothing_else(dom0: Dom0) -> None:
    assert dom0.create("g1")["ok"]
    for operation in set(OPERATIONS) - {"console"}:
        fields = {"name": "g1"} if "name" in OPERATIONS[operation].shape.required else {}
        assert dom0.ask(operation, "--reader", **fields)["error"]["code"] == "not_allowed", operation
    assert "Linux version" in dom0.ask("console", "--reader", name="g1")["console"]
    assert dom0.ask("list")["guests"][0]["state"] == "running"


def test_drain_and_resume(dom0: Dom0) -> None:
    assert dom0.ask("drain", "--operator", reason="new disk")["changed"]
    assert not dom0.ask("drain", "--operator", reason="new disk")["changed"]
    error = dom0.create("g1")["error"]
    assert (error["code"], "new disk" in error["message"]) == ("drained", True)
    assert dom0.ask("capacity")["drained"] == "new disk"
    assert dom0.ask("resume", "--operator")["changed"]
    assert dom0.create("g1")["ok"]
