"""kill -9 at every step: whatever is left, the next delete, audit or create cleans it."""

from __future__ import annotations

import itertools
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.xen_guest.dom0 import GUEST, Dom0
from tests.xen_guest.steps import ask_here, killed_at, use_doubles_here
from xenci.guest.request import OPERATOR

# With fewer steps than this, something is wrong with the counting.
LEAST_STEPS = {"create": 25, "delete": 8}


@pytest.fixture(autouse=True)
def doubles_here(dom0: Dom0, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are answered in this process and its forks."""
    use_doubles_here(dom0, monkeypatch)


def prove_clean(dom0: Dom0, step: int = 0) -> None:
    reply = ask_here(dom0, "audit")
    assert reply["clean"], (step, reply)
    # A lock's file may outlive who held it: it holds nobody up.
    assert set(dom0.left()) <= {"locks"}, (step, dom0.left())


def clean_each_way(dom0: Dom0, step: int, saved: Path) -> None:
    """From one state after a kill: delete, audit and create each lead to a whole guest or none."""
    keep(dom0, saved)
    ask_here(dom0, "delete", name="g1")
    prove_clean(dom0, step)

    bring_back(dom0, saved)
    assert ask_here(dom0, "audit", clean=True)["ok"]
    # Only a guest whose domain was started is still there, and is given its time to boot.
    left = ask_here(dom0, "list")["guests"]
    assert all(guest["state"] in ("booting", "running") for guest in left), (step, left)
    assert len(dom0.domains()) == len(left), step
    ask_here(dom0, "delete", name="g1")
    assert set(dom0.left()) <= {"locks"}, step

    bring_back(dom0, saved)
    made = ask_here(dom0, "create", name="g1", **GUEST)
    assert made["ok"], (step, made)
    assert made["guest"]["state"] == "running"
    assert [domain["name"] for domain in dom0.domains()] == ["g1"]
    ask_here(dom0, "delete", name="g1")
    assert set(dom0.left()) <= {"locks"}, step


# What requests change; the rest of the host stays.
PARTS = ("xen", "disks", "state", "run")


def keep(dom0: Dom0, saved: Path) -> None:
    for part in PARTS:
        shutil.rmtree(saved / part, ignore_errors=True)
        shutil.copytree(dom0.root / part, saved / part)


def bring_back(dom0: Dom0, saved: Path) -> None:
    for part in PARTS:
        shutil.rmtree(dom0.root / part)
        shutil.copytree(saved / part, dom0.root / part)


def test_create_killed(dom0: Dom0, tmp_path: Path) -> None:
    for step in itertools.count(1):
        if not killed_at(dom0, step, "create", name="g1", **GUEST):
            break
        clean_each_way(dom0, step, tmp_path / "saved")
    assert step > LEAST_STEPS["create"]


def test_delete_killed(dom0: Dom0, tmp_path: Path) -> None:
    for step in itertools.count(1):
        assert ask_here(dom0, "create", name="g1", **GUEST)["ok"]
        if not killed_at(dom0, step, "delete", name="g1"):
            break
        # The record goes last: while `list` does not show the guest, nothing of it is there.
        if not ask_here(dom0, "list")["guests"]:
            assert set(dom0.left()) <= {"locks"}, step
        clean_each_way(dom0, step, tmp_path / "saved")
    assert step > LEAST_STEPS["delete"]


@pytest.mark.parametrize("operation", ["import", "remove"])
def test_image_operations_killed(dom0: Dom0, operation: str) -> None:
    dom0.add_image("fedora", "1")
    fields: dict[str, dict[str, Any]] = {
        "import": {"image": "fedora", "version": "1", "source": str(dom0.root / "source/fedora-1")},
        "remove": {"image": "fedora"},
    }
    for step in itertools.count(1):
        first = "remove" if operation == "import" else "import"
        assert ask_here(dom0, first, OPERATOR, **fields[first])["ok"]
        if not killed_at(dom0, step, operation, OPERATOR, **fields[operation]):
            break
        assert ask_here(dom0, "audit", clean=True)["clean"], step
        assert ask_here(dom0, "import", OPERATOR, **fields["import"])["ok"]
        assert ask_here(dom0, "create", name="g1", **{**GUEST, "image": "fedora"})["ok"]
        ask_here(dom0, "delete", name="g1")
    assert step > LEAST_STEPS["delete"]


@pytest.mark.parametrize(
    "command", ["xl create", "cp --reflink=always", "ssh-keygen -q", "lvcreate --snapshot"]
)
def test_command_that_outlives_who_ran_it(dom0: Dom0, command: str) -> None:
    """A command that is still at work when its caller is killed must not bring back what a delete removed."""
    used = command.split()[0] not in {"reflink": {"lvcreate"}, "lvm_thin": {"cp"}}[dom0.backend]
    dom0.set("kill", command)
    dom0.set("linger", "0.7")
    process = dom0.start({"operation": "create", "name": "g1", **GUEST})
    dom0.set("victim", str(process.pid))
    process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGKILL if used else 0)
    assert ask_here(dom0, "delete", name="g1")["deleted"]
    prove_clean(dom0)
    time.sleep(0.8 if used else 0)  # were it not waited for, it would strike now
    prove_clean(dom0)
