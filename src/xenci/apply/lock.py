"""A lock that goes with its process, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO


class BusyError(Exception):
    """Another run holds the lock."""

    def __init__(self, what: str, pid: str) -> None:
        super().__init__(f"another run (process {pid}) works on {what}; wait for it or stop it")


@contextlib.contextmanager
def held(path: Path, what: str, patience: float = 0) -> Iterator[None]:
    """Hold a lock file for this process.

    :param what: what it guards, as the message to a second run calls it.
    :param patience: seconds to wait for it.
    :raises BusyError: when another process holds it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Python's descriptors are not inherited, so no child of a killed run keeps the lock.
    with path.open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + patience
        while not _taken(file):
            if time.monotonic() >= deadline:
                file.seek(0)
                raise BusyError(what, file.read().strip() or "unknown")
            time.sleep(0.2)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool:
    """Whether a process holds a lock file. One that doesn't is not kept waiting by the question."""
    if not path.exists():
        return False
    with path.open("r", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
