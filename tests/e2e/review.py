"""Changes of any content, comments and votes on them, and what the CI has said."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.e2e.faults import until
from tests.e2e.reading import ci_messages
from xenci.demo import commands, watch
from xenci.demo.site import Site


@dataclasses.dataclass(frozen=True)
class Change:
    """A patch set on the review server, and the branch of alice's clone that holds it."""

    project: str
    number: int
    patchset: int
    url: str
    branch: str

    @property
    def name(self) -> str:
        """As Zuul writes it."""
        return f"{self.number},{self.patchset}"


def push(site: Site, project: str, branch: str, title: str, files: Mapping[str, str], options: str) -> Change:
    """Commit on alice's current branch, or amend when there is no title, and push for review."""
    alice = commands.desk(site, "alice")
    clone = alice.directory / project
    for name, text in files.items():
        path = clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    alice.run(clone, "git", "add", "--all")
    how = ["--file", "-"] if title else ["--amend", "--no-edit"]
    alice.run(clone, "git", "commit", "--quiet", *how, stdin=title)
    alice.run(clone, "git", "push", "--quiet", "origin", f"HEAD:refs/for/master{options}")
    commit = alice.run(clone, "git", "rev-parse", "HEAD").strip()
    (found,) = alice.gerrit(f"changes/?q=commit:{commit}&o=CURRENT_REVISION")
    number, patchset = int(found["_number"]), int(found["revisions"][commit]["_number"])
    return Change(project, number, patchset, f"{site.review}c/{project}/+/{number}", branch)


def propose(
    site: Site, project: str, files: Mapping[str, str], *, after: Change | None = None, options: str = ""
) -> Change:
    """Propose a change to some files on top of master; `after` becomes its Depends-On."""
    alice = commands.desk(site, "alice")
    clone: Path = alice.clone(project)
    branch = secrets.token_hex(4)
    alice.run(clone, "git", "checkout", "--quiet", "-B", branch, "origin/master")
    alice.run(clone, "git", "review", "--setup")
    footer = f"\n\nDepends-On: {after.url}" if after else ""
    return push(site, project, branch, f"Try {branch}{footer}\n", files, options)


def amend(site: Site, change: Change, files: Mapping[str, str]) -> Change:
    """A new patch set of a change."""
    alice = commands.desk(site, "alice")
    alice.run(alice.directory / change.project, "git", "checkout", "--quiet", "--force", change.branch)
    return push(site, change.project, change.branch, "", files, "")


def post(site: Site, account: str, change: Change, path: str, body: Mapping[str, Any]) -> None:
    """POST to a change, as an account."""
    site.post(f"changes/{change.number}/{path}", body, account)


def comment(site: Site, change: Change, text: str) -> None:
    """Alice says something."""
    post(site, "alice", change, "revisions/current/review", {"message": text})


def approve(site: Site, change: Change) -> None:
    """Bob wants it merged."""
    votes = {"Code-Review": 2, "Workflow": 1}
    post(site, "bob", change, "revisions/current/review", {"labels": votes})


def said(site: Site, change: Change) -> list[str]:
    """The texts of the CI's comments on a change."""
    return [str(message["message"]) for message in ci_messages(site, change.number)]


def verified(site: Site, change: Change) -> int:
    """The CI's vote on a change; 0 for none."""
    return watch.ci_vote(site.change(change.number)) or 0


def status(site: Site, change: Change) -> str:
    """NEW, MERGED or ABANDONED."""
    return str(site.change(change.number)["status"])


def buildsets(site: Site, change: Change) -> list[dict[str, Any]]:
    """What Zuul's own pages say of a patch set: its finished buildsets."""
    query = f"buildsets?change={change.number}&patchset={change.patchset}&complete=true"
    found: list[dict[str, Any]] = site.tenant(query)
    return found


def result(site: Site, change: Change, pipeline: str = "") -> str:
    """Zuul's result for a patch set, in one pipeline where several may have looked at it, waited for."""
    return str(
        until(lambda: [each for each in buildsets(site, change) if pipeline in ("", each["pipeline"])])[0][
            "result"
        ]
    )


def idle(site: Site) -> bool:
    """Whether Zuul has no change in any pipeline."""
    pipelines = site.tenant("status")["pipelines"]
    queues = [queue for pipeline in pipelines for queue in pipeline["change_queues"]]
    return not any(head for queue in queues for head in queue["heads"])
