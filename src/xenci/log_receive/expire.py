"""Remove builds that are older than their time, and uploads that never ended."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from xenci.log_receive.path import is_build
from xenci.log_receive.receive import INCOMING

DAY = 86400
# Deepest folder that can be a build's: change[-2:]/change/patchset/pipeline/job/build.
DEPTH = 6


def expire(root: Path, days: float, now: float | None = None) -> list[str]:
    """Remove builds uploaded more than `days` days ago and the parents that this empties; return their paths.

    A build goes in one step: it is renamed out of the reader's sight before its files are deleted. What is
    no build is left alone. `now` is seconds since 1970.
    """
    moment = time.time() if now is None else now
    incoming = root / INCOMING
    incoming.mkdir(mode=0o700, exist_ok=True)
    removed = []
    for path in sorted(builds(root)):
        if (root / path).stat().st_mtime > moment - days * DAY:
            continue
        grave = tempfile.mkdtemp(dir=incoming)
        os.rename(root / path, grave)
        shutil.rmtree(grave)
        prune(root, (root / path).parent)
        removed.append(path)
    for left in incoming.iterdir():
        if left.stat().st_mtime < moment - DAY:
            shutil.rmtree(left)
    return removed


def builds(root: Path, below: str = "", depth: int = DEPTH) -> Iterator[str]:
    """Yield the builds' paths relative to `root`; links are not followed."""
    with os.scandir(root / below) as entries:
        folders = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    for name in folders:
        path = f"{below}/{name}" if below else name
        if is_build(path):
            yield path
        elif depth > 1:
            yield from builds(root, path, depth - 1)


def prune(root: Path, folder: Path) -> None:
    """Remove empty folders upwards, not the root itself; an upload that comes between makes its own again."""
    while folder != root:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
