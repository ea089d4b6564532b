"""Kill a request (SIGKILL) at the Nth thing that it does to the world.

What it does is seen through Python's audit events (PEP 578), so the program needs no hook for this. It runs
in a fork of the tests' process, and the doubles in it too: hundreds of runs would take too long otherwise.
What a double does is no step, but before it and after it there is one.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from tests.xen_guest.dom0 import Dom0
from tests.xen_guest.double import Double, ProgramError
from xenci.guest import baseline, image_store, lease, lvm_thin, reflink, root, seed, traces, xen
from xenci.guest.__main__ import answer
from xenci.guest.command import Done
from xenci.guest.request import LAUNCHER

CHANGES = {
    "os.chmod",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.truncate",
    "shutil.rmtree",
    "socket.connect",
    "tests.command",
}
# Doubles at work in this process.
at_work = 0


def run_here(dom0: Dom0, argv: Sequence[str]) -> Done:
    """Stand in for xenci.guest.command.run: the double runs in this process."""
    global at_work
    sys.audit("tests.command")
    at_work += 1
    try:
        done = Done(tuple(argv), 0, Double(dom0.xen, argv[0], list(argv[1:])).run(), "")
    except ProgramError as failure:
        done = Done(tuple(argv), failure.status, "", f"{failure}\n")
    finally:
        at_work -= 1
    sys.audit("tests.command")
    return done


def use_doubles_here(dom0: Dom0, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every command run as a double in this process."""
    for module in (baseline, lease, root, image_store, lvm_thin, reflink, seed, traces, xen):
        monkeypatch.setattr(module, "run", lambda argv, timeout=0.0: run_here(dom0, argv))


def ask_here(dom0: Dom0, operation: str, caller: str = LAUNCHER, **fields: Any) -> dict[str, Any]:
    """Return the reply to a request that is answered in this process."""
    request = json.dumps({"operation": operation, **fields}).encode()
    return answer(io.BytesIO(request), dom0.root / "xenci-guest.json", caller)


def killed_at(dom0: Dom0, step: int, operation: str, caller: str = LAUNCHER, **fields: Any) -> bool:
    """Answer a request in a fork that is killed at a step; False if it had fewer steps, and succeeded."""
    child = os.fork()
    if not child:
        try:
            _kill_at(step)
            os._exit(0 if ask_here(dom0, operation, caller, **fields)["ok"] else 1)
        finally:
            os._exit(2)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return bool(status)


def _kill_at(step: int) -> None:
    """Have this process killed at a step."""
    left = step

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        writes = (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_CREAT | os.O_TRUNC)
        )
        if (event in CHANGES or writes) and not at_work:
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
