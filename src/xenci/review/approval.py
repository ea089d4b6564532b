"""Whether the code of a change may run, in check mode, against live hosts.

Zuul starts the job and may be wrong: an administrator's `enqueue` passes its requirements, and self-approval
can't be said in them. So the review server itself is asked, with no trust in who asks. A plan runs the change
and all that it stands on; each change among them that is not merged must be allowed by itself.
"""

from __future__ import annotations

import dataclasses
import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from xenci.review import report
from xenci.review.gerrit import Gerrit, Settings

LABEL = "Allow-Plan"
OPTIONS = ("CURRENT_REVISION", "CURRENT_COMMIT", "DETAILED_LABELS", "DETAILED_ACCOUNTS")
# As Zuul finds them (14.3, zuul/lib/dependson.py), and its older form, which names a Change-Id.
DEPENDS_ON = re.compile(r"^Depends-On:[ \t]*(\S.*?)[ \t\r]*$", re.MULTILINE | re.IGNORECASE)
LIMIT = 50
"""Changes that one plan may stand on; nobody reads more."""


class RefusedError(Exception):
    """A patch set may not be planned; the message says why, and has been posted on the change."""


@dataclasses.dataclass(frozen=True)
class Commit:
    """What was approved, and nothing else: `revision` is a patch set's commit, to be fetched from `ref`."""

    project: str
    revision: str
    ref: str


@dataclasses.dataclass(frozen=True)
class Approved:
    """What may be planned: commits that are not merged, each after those that it stands on."""

    commits: tuple[Commit, ...]


def check(settings: Settings, change: int, patchset: int) -> Approved:
    """Whether a patch set may be planned.

    :raises RefusedError: when it may not.
    :raises GerritError: when the review server can't be asked. Nothing is approved then.
    """
    gerrit = Gerrit(settings)
    try:
        return Approved(tuple(_Walk(gerrit, settings).approved(change, patchset)))
    except RefusedError as error:
        about = gerrit.get("changes", change, missing=True)
        # On a change of another project nobody asked the bastion for anything.
        if about is not None and about["project"] == settings.project:
            # Whoever asks again is answered again.
            key = f"refused {secrets.token_hex(8)}"
            report.say(settings, report.Report("plan", key, change, None, f"Not planned: {error}."))
        raise


class _Walk:
    """One walk from a change down to what is merged."""

    def __init__(self, gerrit: Gerrit, settings: Settings) -> None:
        self._gerrit = gerrit
        self._settings = settings
        self._seen: set[int] = set()
        members = gerrit.get("groups", settings.approvers, "members", "", recursive="")
        self._approvers = {member["_account_id"] for member in members}

    def approved(self, number: int, patchset: int) -> Iterator[Commit]:
        """The commits of a patch set and what it stands on, the lowest first."""
        info = self._get(number)
        if info is None:
            raise RefusedError(f"there is no change {number}")
        if info["project"] != self._settings.project:
            raise RefusedError(
                f"change {number} belongs to {info['project']}, and {self._settings.project} alone is planned"
            )
        revision = info["revisions"][info["current_revision"]]
        if revision["_number"] != patchset:
            raise RefusedError(f"patch set {patchset} is not the current one, {revision['_number']} is")
        yield from self._one(info, "it")

    def _one(self, info: Mapping[str, Any], name: str) -> Iterator[Commit]:
        """An open change of which the current patch set is meant."""
        number = info["_number"]
        if number in self._seen:
            return
        self._seen.add(number)
        if len(self._seen) > LIMIT:
            raise RefusedError(f"it stands on more than {LIMIT} changes that are not merged")
        sha = info["current_revision"]
        revision = info["revisions"][sha]
        self._fit(info, revision, name)
        for parent in revision["commit"]["parents"]:
            yield from self._parent(parent["commit"], number)
        for target in DEPENDS_ON.findall(revision["commit"]["message"]):
            yield from self._dependency(target, number)
        yield Commit(info["project"], sha, revision["ref"])

    def _parent(self, sha: str, child: int) -> Iterator[Commit]:
        """A commit that a change stands on: merged into the branch, or what an approved change is now."""
        there = self._gerrit.get("projects", self._settings.project, "commits", sha, "in", missing=True)
        if there and self._settings.branch in there["branches"]:
            return
        found = self._gerrit.get("changes", "", q=f"commit:{sha} project:{self._settings.project}", o=OPTIONS)
        current = [info for info in found if info["current_revision"] == sha]
        if not current:
            other = f" (an older patch set of change {found[0]['_number']}: rebase it)" if found else ""
            raise RefusedError(
                f"change {child} stands on {sha[:12]}, which is neither merged nor reviewed now{other}"
            )
        yield from self._one(current[0], f"change {current[0]['_number']}, on which change {child} stands,")

    def _dependency(self, target: str, child: int) -> Iterator[Commit]:
        """A change that another one says it depends on."""
        match = re.fullmatch(
            rf"{re.escape(self._gerrit.url)}/(?:#/)?(?:c/(?:.+?/\+/)?)?(\d+)(?:/.*)?", target
        )
        if match is None:
            raise RefusedError(
                f"change {child} depends on {target}, which is no address of a change on {self._gerrit.url}"
            )
        number = int(match[1])
        info = self._get(number)
        if info is None:
            raise RefusedError(f"change {child} depends on change {number}, which is not there")
        if info["status"] == "MERGED":
            return
        if info["project"] != self._settings.project:
            raise RefusedError(
                f"change {child} depends on change {number} of {info['project']}, which is not merged yet:"
                " merge that first"
            )
        yield from self._one(info, f"change {number}, on which change {child} depends,")

    def _fit(self, info: Mapping[str, Any], revision: Mapping[str, Any], name: str) -> None:
        """Whether one patch set is approved by itself."""
        if info["status"] != "NEW":
            raise RefusedError(f"{name} is {info['status'].lower()}")
        if info["branch"] != self._settings.branch:
            raise RefusedError(
                f"{name} is for the branch {info['branch']}, and {self._settings.branch} alone is applied"
            )
        if info.get("work_in_progress"):
            raise RefusedError(f"{name} is work in progress")
        if info.get("is_private"):
            raise RefusedError(f"{name} is private, and a plan is for everybody to read")
        votes = [vote for vote in info["labels"].get(LABEL, {}).get("all", []) if vote.get("value")]
        if against := [vote for vote in votes if vote["value"] < 0]:
            raise RefusedError(f"{name} has {LABEL} {against[0]['value']} by {_who(against[0])}")
        if not votes:
            raise RefusedError(f"{name} has no {LABEL} +1 on its current patch set")
        own = {info["owner"]["_account_id"], revision["uploader"]["_account_id"]}
        # Somebody who rebases it for the uploader.
        own |= {revision[key]["_account_id"] for key in ("real_uploader",) if key in revision}
        reasons = [reason for vote in votes if (reason := self._unfit(vote, own, revision))]
        if len(reasons) == len(votes):
            raise RefusedError(f"{name} has {LABEL} +1 by {'; by '.join(reasons)}")

    def _unfit(self, vote: Mapping[str, Any], own: set[int], revision: Mapping[str, Any]) -> str:
        """Why a vote does not count; empty where it does."""
        if vote["_account_id"] in own:
            return f"{_who(vote)}, whose own change it is"
        if vote["_account_id"] not in self._approvers:
            return f"{_who(vote)}, who is not in the group {self._settings.approvers}"
        # Labels are set up so that no vote is copied; that may have been changed.
        if _time(vote["date"]) < _time(revision["created"]):
            return f"{_who(vote)}, for an earlier patch set"
        return ""

    def _get(self, number: int) -> dict[str, Any] | None:
        info: dict[str, Any] | None = self._gerrit.get("changes", number, missing=True, o=OPTIONS)
        return info


def _who(account: Mapping[str, Any]) -> str:
    return str(account.get("username") or account.get("name") or account["_account_id"])


def _time(text: str) -> datetime:
    """Gerrit's time, `2026-11-26 22:30:00.000000000`, UTC; to the second, as some of them are."""
    return datetime.strptime(text.partition(".")[0], "%Y-%m-%d %H:%M:%S")
