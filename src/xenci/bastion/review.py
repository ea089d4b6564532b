"""The review server, as the bastion speaks to it: who approved, and a place for its reports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from xenci.bastion.settings import Settings
from xenci.review import approval, gerrit, report
from xenci.runs.store import Run

REVISION = re.compile(r"[0-9a-f]{40}")
REF = re.compile(r"refs/changes/[0-9]{2}/[0-9]+/[0-9]+")
TRUST = Path("/etc/ssl/certs/ca-certificates.crt")
"""The host's own authorities, the site's among them."""


class Review(Protocol):
    """What a bastion wants of it."""

    def check(self, change: int, patchset: int) -> Sequence[approval.Commit]:
        """Ask who approved a patch set to be planned: commits that are not merged, the lowest first.

        :raises RefusedError: when that is nobody who may; the change has been told.
        :raises GerritError: when the server can't be asked.
        """

    def post(self, run: Run, text: str, changes: Sequence[str]) -> None:
        """Have a report posted on changes, `123,4` each, once; also when the server is away just now."""

    def flush(self) -> list[str]:
        """Post what could not be posted yet; what still can't be, with the reasons."""


class Server:
    """The one of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = gerrit.Settings(
            url=settings.review_url,
            account=settings.review_user,
            password=settings.review_password_file.read_text(encoding="utf-8").strip(),
            project=settings.infra_project,
            approvers=settings.review_group,
            spool=settings.reports,
            branch=settings.branch,
            ca=TRUST,
        )

    def check(self, change: int, patchset: int) -> Sequence[approval.Commit]:
        """See `Review`."""
        commits = approval.check(self._settings, change, patchset).commits
        # They become words of a command line.
        if not all(REVISION.fullmatch(one.revision) and REF.fullmatch(one.ref) for one in commits):
            raise approval.RefusedError("the review server names a commit that is none")
        return commits

    def post(self, run: Run, text: str, changes: Sequence[str]) -> None:
        """See `Review`."""
        report.post(self._settings, run, text, changes)

    def flush(self) -> list[str]:
        """See `Review`."""
        return report.flush(self._settings)
