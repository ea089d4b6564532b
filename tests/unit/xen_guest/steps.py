"""Kill a request (SIGKILL) at the Nth thing that it does to the world.

What it does is seen through Python's audit events (PEP 578), so the program needs no hook for this. It runs
in a fork of the tests' process: that is a process like any other, without the wait for Python's start.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from typing import Any

from tests.unit.xen_guest.dom0 import Dom0
from xenci.guest.__main__ import answer

CHANGES = {
    "os.chmod",
    "os.fork",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.truncate",
    "shutil.rmtree",
    "socket.connect",
}


def ask_here(dom0: Dom0, operation: str, operator: bool = False, **fields: Any) -> dict[str, Any]:
    """Return the reply to a request that is answered in this process; PATH must lead to the doubles."""
    request = json.dumps({"operation": operation, **fields}).encode()
    return answer(io.BytesIO(request), dom0.root / "xenci-guest.json", operator)


def killed_at(dom0: Dom0, step: int, operation: str, operator: bool = False, **fields: Any) -> bool:
    """Answer a request in a fork that is killed at a step; False if it had fewer steps, and succeeded."""
    child = os.fork()
    if not child:
        try:
            _kill_at(step)
            os._exit(0 if ask_here(dom0, operation, operator, **fields)["ok"] else 1)
        finally:
            os._exit(2)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return bool(status)


def _kill_at(step: int) -> None:
    """Have this process killed at a step; what it forks itself is not counted."""
    here, left = os.getpid(), step

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        writes = (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_CREAT | os.O_TRUNC)
        )
        if (event in CHANGES or writes) and os.getpid() == here:
            left -= 1
            if not left:
                os.kill(here, signal.SIGKILL)

    sys.addaudithook(count)
