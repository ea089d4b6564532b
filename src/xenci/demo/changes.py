"""The changes that the demo proposes: one that is good, and one with a bug that the project's tests find.

They lie as text in `demo/changes/<name>.patch`: the commit message, a line `---`, the patch. `@NONCE@` stands
for what makes each run's change a new one.
"""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Change:
    """A change to propose, and the vote that it must get."""

    name: str
    project: str
    verified: int


CHANGES = (
    Change("good", "hypervisor-tools", +1),
    Change("bad", "hypervisor-tools", -1),
)
XEN = (Change("xen", "hypervisor-tools", +1),)
"""Proposed where a Xen host has joined: its tests ask the hypervisor that they run on."""


def commit(change: Change, checkout: Path, nonce: str, *, root: Path) -> str:
    """Commit the change on top of what is checked out in `checkout`, and return the commit's hash.

    `root` is the checkout of xenci; hooks of `checkout` (Gerrit's commit-msg) run as for any commit. Raises
    subprocess.CalledProcessError with git's own words in `stderr`, e.g. where the patch doesn't apply.
    """
    text = (root / "demo/changes" / f"{change.name}.patch").read_text(encoding="utf-8")
    message, _, patch = text.replace("@NONCE@", nonce).partition("\n---\n")
    git(checkout, "apply", "--index", "-", stdin=patch)
    git(checkout, "commit", "--quiet", "--file", "-", stdin=message + "\n")
    return git(checkout, "rev-parse", "HEAD").strip()


def git(checkout: Path, *arguments: str, stdin: str = "") -> str:
    """Run git in a checkout and return what it prints."""
    command = ["git", "-C", str(checkout), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True).stdout
