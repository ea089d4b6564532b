"""Propose the demo's changes, as a developer does."""

from __future__ import annotations

import dataclasses
import secrets
import time
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
    # Makes the remote and fetches the hook that adds a Change-Id; does nothing the second time.
    desk.run(clone, "git", "review", "--setup")
    commit = changes.commit(change, clone, nonce, root=desk.site.lab.root)
    began = time.time()
    said = desk.run(clone, "git", "review", "--yes", "master")
    found: list[dict[str, Any]] = desk.gerrit(f"changes/?q=commit:{commit}&o=CURRENT_REVISION")
    entry = found[0]
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
