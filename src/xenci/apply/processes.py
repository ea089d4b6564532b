"""Leave nothing behind when killed; find and end what a killed run has left all the same.

Ansible's workers each start a session of their own, so no process group holds them all; what every one
of them has is the environment that ansible-runner gave them. Hence a mark there, which a later run looks for.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path

MARK = "XENCI_RUN_STATE"
"""Name of the environment variable that holds a run's state directory."""

SPARED = frozenset({"conmon", "runc", "crun", "netavark", "aardvark-dns", "systemd"})
"""What keeps containers alive must outlive the run that made them, should it inherit its environment."""


def tied(command: Sequence[str]) -> list[str]:
    """The command, made so that it gets SIGTERM when what starts it ends, however that ends.

    What starts it is a thread: the one that calls `Popen` must live as long as the command is wanted.
    Where there is no setpriv, which is Linux's, the command stays as it is.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *command] if setpriv else list(command)


def left_behind(state: Path, connections: bool = False) -> list[int]:
    """Processes, other than this one and its parents, that carry the mark of this state directory.

    :param connections: include the ssh connections that Ansible keeps open on purpose for the next run.
    """
    wanted = f"{MARK}={state}".encode()
    own = _ancestors(os.getpid())
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in own:
            continue
        try:
            marked = wanted in (entry / "environ").read_bytes().split(b"\0")
            name = (entry / "comm").read_text().strip()
            kept = b"[mux]" in (entry / "cmdline").read_bytes()
            same_namespace = os.readlink(entry / "ns" / "pid") == os.readlink("/proc/self/ns/pid")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if marked and same_namespace and name not in SPARED and (connections or not kept):
            found.append(int(entry.name))
    return found


def end(state: Path, connections: bool = False, patience: float = 20.0) -> int:
    """End what is left behind, by force after `patience` seconds; return how many there were."""
    first = left_behind(state, connections)
    for number, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        remaining = left_behind(state, connections)
        for pid in remaining:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + wait
        while remaining and time.monotonic() < deadline:
            time.sleep(0.1)
            remaining = left_behind(state, connections)
        if not remaining:
            break
    return len(first)


def _ancestors(pid: int) -> set[int]:
    chain = set()
    while pid > 0 and pid not in chain:
        chain.add(pid)
        status = Path(f"/proc/{pid}/status").read_text()
        pid = int(next(line for line in status.splitlines() if line.startswith("PPid:")).split()[1])
    return chain
