"""Audit sees what is left, and removes what is ours."""

from __future__ import annotations

import json
import os

from tests.xen_guest.dom0 import GUEST, Dom0
from xenci.guest.names import UUID_PREFIX, domain_uuid


def kinds(dom0: Dom0, **fields: bool) -> list[tuple[str, str]]:
    return [(finding["kind"], finding["name"]) for finding in dom0.ask("audit", **fields)["findings"]]


def add_domain(dom0: Dom0, name: str, uuid: str) -> None:
    domain = {"name": name, "domid": 77, "memory": 1, "vcpus": 1, "uuid": uuid}
    (dom0.xen / "domains/00077").write_text(json.dumps(domain))


def test_running_guest_is_no_finding(dom0: Dom0) -> None:
    dom0.create("g1")
    assert kinds(dom0) == []
    assert kinds(dom0, clean=True) == []
    assert len(dom0.domains()) == 1


def test_parts_without_record(dom0: Dom0) -> None:
    dom0.create("g1")
    (dom0.root / "state/records/g1.json").unlink()
    assert kinds(dom0) == [("domain", "g1")]
    reply = dom0.ask("audit", clean=True)
    assert (reply["clean"], reply["removed"]) == (
        True,
        [f"{what} of guest g1" for what in ("domain 1", "disk", "seed")],
    )
    assert dom0.left() == {}


def test_domain_of_ours_without_a_name(dom0: Dom0) -> None:
    add_domain(dom0, "(null)", f"{UUID_PREFIX}00-4000-8000-000000000000")
    assert kinds(dom0) == [("domain", "(null)")]
    assert dom0.ask("audit", clean=True)["removed"] == ["domain 77"]
    assert dom0.domains() == []


def test_foreign_domain_is_told_and_left_alone(dom0: Dom0) -> None:
    add_domain(dom0, "db server", "11111111-2222-3333-4444-555555555555")
    assert kinds(dom0, clean=True) == [("domain", "db server")]
    assert len(dom0.domains()) == 1


def test_name_of_a_guest_on_a_foreign_domain_protects_it(dom0: Dom0) -> None:
    add_domain(dom0, "g1", "11111111-2222-3333-4444-555555555555")
    assert dom0.ask("delete", name="g1") == {"ok": True, "deleted": False, "removed": [], "death": ""}
    assert len(dom0.domains()) == 1
    assert dom0.create("g1")["error"]["code"] == "xen_failed"
    assert dom0.left() == {"domains": ["g1"]}


def test_traces_of_dead_domains(dom0: Dom0) -> None:
    dom0.set("stale_local_domain", "0 12")
    dom0.set("stale_local_domain_0_backend_vif", "13")
    dom0.set("stale_vm", f"{domain_uuid('gone')} 11111111-2222-3333-4444-555555555555")
    assert kinds(dom0) == [
        ("xenstore", "/local/domain/0/backend/vif/13"),
        ("xenstore", "/local/domain/12"),
        ("xenstore", f"/vm/{domain_uuid('gone')}"),
    ]


def test_unfinished_record(dom0: Dom0) -> None:
    (dom0.root / "state/records/g1.json.new").write_text("{")
    assert kinds(dom0) == [("record", "g1.json.new")]
    assert dom0.ask("audit", clean=True)["clean"]
    assert dom0.left() == {}


def test_audit_leaves_a_guest_alone_that_is_being_made(dom0: Dom0) -> None:
    dom0.set("slow_create", "2")
    process = dom0.start({"operation": "create", "name": "g1", **GUEST})
    while not dom0.domains():
        assert process.poll() is None
    reply = dom0.ask("audit", clean=True)
    assert (reply["clean"], reply["removed"]) == (True, [])
    assert dom0.end(process)["guest"]["state"] == "running"


def test_guest_that_boots_is_given_its_time(dom0: Dom0) -> None:
    dom0.create("g1")
    record = dom0.root / "state/records/g1.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "state": "booting"}))
    assert dom0.ask("audit", clean=True)["removed"] == []
    long_ago = record.stat().st_mtime - dom0.config["boot_timeout"] - 61
    os.utime(record, (long_ago, long_ago))
    assert kinds(dom0) == [("record", "g1")]
    assert dom0.ask("audit", clean=True)["clean"]
    assert dom0.left() == {}


def test_xenstore_that_does_not_answer_is_no_clean_host(dom0: Dom0) -> None:
    dom0.set("xenstore_down")
    error = dom0.ask("audit")["error"]
    assert (error["code"], "XenStore does not answer" in error["message"]) == ("xen_failed", True)
