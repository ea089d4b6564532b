"""Propose the demo's changes, as a developer does."""

from __future__ import annotations

import dataclasses
import secrets
import time
from pathlib import Path
from typing import Any

from xenci.demo import changes
from xenci.demo.desk import Desk


@dataclasses.dataclass
class Proposed:
    """A change on the review server. Times are seconds since the epoch."""

    change: changes.Change
    number: int
    patchset: int
    commit: str
    url: str
    pushed: float
    log: list[str] = dataclasses.field(default_factory=list)


def propose(desk: Desk, change: changes.Change) -> Proposed:
    """Commit a change that no run has proposed before, and push it with git-review.

    :raises xenci.demo.desk.GitError: with git-review's own words.
    """
    clone = desk.clone(change.project)
    nonce = secrets.token_hex(4)
    desk.run(clone, "git", "checkout", "--quiet", "-B", f"{change.name}-{nonce}", "origin/master")
    setup(desk, clone)
    commit = changes.commit(change, clone, nonce, root=desk.site.lab.root)
    began = time.time()
    said = review(desk, clone)
    entry = found(desk, commit)
    number = int(entry["_number"])
    return Proposed(
        change=change,
        number=number,
        patchset=int(entry["revisions"][commit]["_number"]),
        commit=commit,
        url=f"{desk.site.review}c/{change.project}/+/{number}",
        pushed=began,
        log=said.splitlines(),
    )


def edited(desk: Desk, clone: Path, message: str) -> int:
    """Commit what was edited in a clone, push it with git-review, and return the change's number."""
    setup(desk, clone)
    desk.run(clone, "git", "add", "--all")
    desk.run(clone, "git", "commit", "--quiet", "--file", "-", stdin=message)
    review(desk, clone)
    return int(found(desk, desk.run(clone, "git", "rev-parse", "HEAD").strip())["_number"])


def setup(desk: Desk, clone: Path) -> None:
    """Make git-review's remote and fetch the hook that adds a Change-Id; nothing the second time."""
    desk.run(clone, "git", "review", "--setup")


def review(desk: Desk, clone: Path) -> str:
    """Push for review, and return what git-review said."""
    return desk.run(clone, "git", "review", "--yes", "master")


def found(desk: Desk, commit: str) -> dict[str, Any]:
    """The change of a commit, as the review server gives it."""
    (entry,) = desk.gerrit(f"changes/?q=commit:{commit}&o=CURRENT_REVISION")
    return dict(entry)
