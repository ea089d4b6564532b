"""Runs xenci-guest and kills it (SIGKILL) at the Nth thing that it does to the world.

    python killed.py N [xenci-guest's arguments]

What it does is seen through Python's audit events (PEP 578), so the program needs no hook for this.
"""

from __future__ import annotations

import os
import signal
import sys

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
MAIN = os.getpid()
left = int(sys.argv[1])


def count(event: str, arguments: tuple[object, ...]) -> None:
    """Count changes of this process, not of what it has forked."""
    global left
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_CREAT | os.O_TRUNC)
    if (event in CHANGES or writes) and os.getpid() == MAIN:
        left -= 1
        if left == 0:
            os.kill(MAIN, signal.SIGKILL)


from xenci.guest import operations  # noqa: E402, F401  # not among what is counted
from xenci.guest.__main__ import main  # noqa: E402

sys.addaudithook(count)
sys.exit(main(sys.argv[2:]))
