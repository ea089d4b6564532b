"""Locks that die with their holder and the programs it runs: flock on files in /run."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


def _take(path: Path, flags: int) -> int:
    """Return a locked descriptor of the file that is at `path` now, not of one removed meanwhile."""
    while True:
        # Not inherited by programs: Python opens files close-on-exec.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, flags)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


class Locks:
    """The locks of this host: one for what all guests share, and for each guest its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder

    @contextlib.contextmanager
    def everything(self) -> Iterator[None]:
        """Hold what all guests share: capacity, slots, which images there are. Only for moments."""
        descriptor = _take(self.folder / "all", fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(descriptor)

    def guest(self, guest: str) -> contextlib.AbstractContextManager[None]:
        """Hold a guest; waits for whoever works on it, and for programs that a killed process left behind."""
        return self._one(self.folder / f"{guest}.lock")

    def image(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Hold an image, all its versions, for taking one in or removing one."""
        return self._one(self.folder / f"{name}.image")

    def lease(self) -> contextlib.AbstractContextManager[None]:
        """Hold the host as a whole, for handing it over or taking it back."""
        return self._one(self.folder / "whole.host")

    @contextlib.contextmanager
    def _one(self, path: Path) -> Iterator[None]:
        descriptor = _take(path, fcntl.LOCK_EX)
        try:
            yield
        finally:
            # Whoever waits for the removed file notices, and takes the new one.
            path.unlink()
            os.close(descriptor)

    def is_free(self, guest: str) -> bool:
        """Tell whether nobody works on a guest at this moment."""
        path = self.folder / f"{guest}.lock"
        if not path.exists():
            return True
        try:
            os.close(_take(path, fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
