"""kill -9 at every step: whatever is left, the next delete or audit cleans it."""

from __future__ import annotations

import itertools
import signal
import time
from typing import Any

import pytest

from tests.unit.xen_guest.dom0 import GUEST, Dom0

CREATE = {"operation": "create", "name": "g1", **GUEST}
DELETE = {"operation": "delete", "name": "g1"}
# Fewer, and the program does so little that something is wrong with the counting.
LEAST_STEPS = {"create": 15, "delete": 5}


def killed_at(dom0: Dom0, request: dict[str, Any], step: int) -> bool:
    """Run a request that is killed at a step; False if it ended before."""
    process = dom0.start(request, kill=step)
    output, errors = process.communicate(timeout=60)
    assert errors == b""
    if process.returncode == 0:
        return False
    assert (process.returncode, output) == (-signal.SIGKILL, b"")
    return True


def prove_clean(dom0: Dom0) -> None:
    reply = dom0.ask("audit")
    assert reply["clean"], reply
    locks = dom0.left()
    # A lock's file may outlive who held it: it holds nobody up.
    assert set(locks) <= {"locks"}, locks


@pytest.mark.parametrize("cleaner", ["delete", "audit", "create"])
def test_create_killed(dom0: Dom0, cleaner: str) -> None:
    for step in itertools.count(1):
        if not killed_at(dom0, CREATE, step):
            break
        if cleaner == "create":
            made = dom0.create("g1")
            assert made["ok"], (step, made)
            assert len(dom0.domains()) == 1
        if cleaner == "audit":
            # Only a guest whose domain was started is still given its time to boot.
            assert dom0.ask("audit", clean=True)["ok"]
            assert all(guest["state"] in ("booting", "running") for guest in dom0.ask("list")["guests"]), step
        dom0.ask("delete", name="g1")
        prove_clean(dom0)
    assert step > LEAST_STEPS["create"]


@pytest.mark.parametrize("cleaner", ["delete", "audit", "create"])
def test_delete_killed(dom0: Dom0, cleaner: str) -> None:
    for step in itertools.count(1):
        assert dom0.create("g1")["ok"]
        if not killed_at(dom0, DELETE, step):
            break
        if cleaner == "create":
            assert dom0.create("g1")["guest"]["state"] == "running"
        if cleaner == "audit":
            running = any(guest["state"] == "running" for guest in dom0.ask("list")["guests"])
            assert dom0.ask("audit", clean=True)["ok"]
            assert bool(dom0.left().get("domains")) == running, step
        dom0.ask("delete", name="g1")
        prove_clean(dom0)
    assert step > LEAST_STEPS["delete"]


def test_record_goes_last(dom0: Dom0) -> None:
    """Wherever a delete is killed: while `list` does not show the guest, nothing of it is there."""
    for step in itertools.count(1):
        assert dom0.create("g1")["ok"]
        if not killed_at(dom0, DELETE, step):
            break
        if not dom0.ask("list")["guests"]:
            assert set(dom0.left()) <= {"locks"}
        dom0.ask("delete", name="g1")


@pytest.mark.parametrize("command", ["xl create", "cp --reflink=always", "ssh-keygen -q", "lvcreate --snapshot"])
def test_command_that_outlives_who_ran_it(dom0: Dom0, command: str) -> None:
    """A command that is still at work when its caller is killed must not bring back what a delete removed."""
    used = command.split()[0] not in {"reflink": {"lvcreate"}, "lvm_thin": {"cp"}}[dom0.backend]
    dom0.set("kill", f"before {command}")
    dom0.set("linger", "0.7")
    process = dom0.start(CREATE)
    dom0.set("victim", str(process.pid))
    process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGKILL if used else 0)
    assert dom0.ask("delete", name="g1")["deleted"]
    prove_clean(dom0)
    time.sleep(0.8 if used else 0)  # were it not waited for, it would strike now
    prove_clean(dom0)


@pytest.mark.parametrize("operation", ["import", "remove"])
def test_image_operations_killed(dom0: Dom0, operation: str) -> None:
    dom0.add_image("fedora", "1")
    source = str(dom0.root / "source/fedora-1")
    take_in = {"operation": "import", "image": "fedora", "version": "1", "source": source}
    remove = {"operation": "remove", "image": "fedora"}
    for step in itertools.count(1):
        first, second = (remove, take_in) if operation == "import" else (take_in, remove)
        assert dom0.end(dom0.start(first, "--operator"))["ok"]
        process = dom0.start(second, "--operator", kill=step)
        process.communicate(timeout=60)
        if process.returncode == 0:
            break
        assert dom0.ask("audit", clean=True)["clean"], step
        assert dom0.end(dom0.start(take_in, "--operator"))["ok"]
        assert dom0.create("g1", image="fedora")["ok"]
        dom0.ask("delete", name="g1")
    assert step > 5
