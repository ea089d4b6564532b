"""What a bastion wants of the review server: who approved, and a place for its reports."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from xenci.bastion.settings import Settings
from xenci.runs.store import Run

REVISION = re.compile(r"[0-9a-f]{40}")
REF = re.compile(r"refs/changes/[0-9]{2}/[0-9]+/[0-9]+")
TRUST = Path("/etc/ssl/certs/ca-certificates.crt")
"""The host's own authorities, the site's among them."""


class RefusedError(Exception):
    """Somebody's approval is missing or does not count, or something was merged past it."""


class AwayError(Exception):
    """The review server can't be asked."""


@dataclasses.dataclass(frozen=True)
class Commit:
    """An approved commit, pinned: `revision` is what was approved, `ref` where it can be fetched."""

    project: str
    revision: str
    ref: str

    def __post_init__(self) -> None:
        if not REVISION.fullmatch(self.revision) or not REF.fullmatch(self.ref):
            raise RefusedError("the review server names a commit that is none")


class Review(Protocol):
    """The review server."""

    def check(self, change: int, patchset: int) -> Sequence[Commit]:
        """Ask it who approved a patch set to be planned: commits that are not merged, the lowest first.

        :raises RefusedError: when that is nobody who may; the change has been told.
        :raises AwayError: when the server can't be asked.
        """

    def post(self, run: Run, text: str, changes: Sequence[str]) -> None:
        """Have a report posted on changes, `123,4` each, once; also when the server is away just now."""

    def flush(self) -> list[str]:
        """Post what could not be posted yet; what still can't be, with the reasons."""


class Server:
    """The review server of the settings, as `xenci.review` speaks to it."""

    def __init__(self, settings: Settings) -> None:
        self._approval, self._report, self._gerrit = (
            importlib.import_module(f"xenci.review.{name}") for name in ("approval", "report", "gerrit")
        )
        self._settings: Any = self._gerrit.Settings(
            url=settings.review_url,
            account=settings.review_user,
            password=settings.review_password_file.read_text(encoding="utf-8").strip(),
            project=settings.infra_project,
            approvers=settings.review_group,
            spool=settings.reports,
            branch=settings.branch,
            ca=TRUST,
        )

    def check(self, change: int, patchset: int) -> Sequence[Commit]:
        """See `Review`."""
        try:
            approved = self._approval.check(self._settings, change, patchset)
        except self._approval.RefusedError as error:
            raise RefusedError(str(error)) from error
        except self._gerrit.GerritError as error:
            raise AwayError(
                f"the review server can't be asked who approved it, ask again: {error}"
            ) from error
        return [Commit(one.project, one.revision, one.ref) for one in approved.commits]

    def post(self, run: Run, text: str, changes: Sequence[str]) -> None:
        """See `Review`."""
        self._report.post(self._settings, run, text, changes)

    def flush(self) -> list[str]:
        """See `Review`."""
        left: list[str] = self._report.flush(self._settings)
        return left
