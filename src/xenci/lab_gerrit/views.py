"""A change with everything that belongs to it, read when it is asked for."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import Any

from xenci.lab_gerrit import attributes, javahash
from xenci.lab_gerrit.commits import Commit
from xenci.lab_gerrit.labels import Label
from xenci.lab_gerrit.server import Server
from xenci.lab_gerrit.store import Row, loads

MAGIC = ("/COMMIT_MSG", "/MERGE_LIST", "/PATCHSET_LEVEL")


class ChangeView:
    """Reads; writes nothing."""

    def __init__(self, server: Server, row: Row) -> None:
        self.server = server
        self.row = row
        self.number: int = row["number"]
        self.project: str = row["project"]
        self.branch: str = row["branch"]

    @cached_property
    def patch_sets(self) -> list[Row]:
        """Rows of the patch sets, ascending."""
        return attributes.patch_sets(self.server, self.number)

    @cached_property
    def current(self) -> Row:
        """Row of the current patch set."""
        return next(row for row in self.patch_sets if row["number"] == self.row["current"])

    @cached_property
    def commit(self) -> Commit:
        """Commit of the current patch set."""
        return attributes.commit_of(self.current)

    @cached_property
    def files(self) -> dict[str, dict[str, Any]]:
        """FileInfo by path of the current patch set, with the magic files."""
        found: dict[str, dict[str, Any]] = loads(self.current["files"])
        return found

    @property
    def paths(self) -> list[str]:
        """Files that the current patch set touches."""
        return [path for path in self.files if path not in MAGIC]

    @property
    def insertions(self) -> int:
        """Lines inserted, magic files aside."""
        return sum(self.files[path].get("lines_inserted", 0) for path in self.paths)

    @property
    def deletions(self) -> int:
        """Lines deleted."""
        return sum(self.files[path].get("lines_deleted", 0) for path in self.paths)

    @cached_property
    def labels(self) -> dict[str, Label]:
        """Labels that apply to the change."""
        return self.server.settings.labels(self.project, self.branch)

    @cached_property
    def approvals(self) -> list[Row]:
        """Votes on the current patch set, zeros included."""
        return self.votes(self.row["current"])

    def votes(self, patch_set: int) -> list[Row]:
        """Votes on a patch set, in the order in which they were given."""
        return self.server.store.all(
            "SELECT * FROM approvals WHERE change = ? AND patch_set = ? ORDER BY granted, rowid",
            self.number,
            patch_set,
        )

    @cached_property
    def messages(self) -> list[Row]:
        """Change messages, ascending."""
        return self.server.store.all("SELECT * FROM messages WHERE change = ? ORDER BY seq", self.number)

    @cached_property
    def comments(self) -> list[Row]:
        """Published inline comments, in the order of the text."""
        rows = self.server.store.all(
            "SELECT * FROM comments WHERE change = ? AND NOT draft ORDER BY updated, seq", self.number
        )
        return sorted(
            rows, key=lambda row: (row["path"], row["patch_set"], loads(row["position"]).get("line", 0))
        )

    @cached_property
    def unresolved(self) -> int:
        """Number of comment threads whose last word leaves them unresolved."""
        parents = {row["id"]: loads(row["position"]).get("in_reply_to") for row in self.comments}
        threads: dict[str, Row] = {}
        for row in sorted(self.comments, key=lambda row: row["seq"]):
            top = row["id"]
            while parents.get(top) in parents:
                top = parents[top]
            threads[top] = row
        return sum(bool(row["unresolved"]) for row in threads.values())

    @cached_property
    def reviewers(self) -> dict[str, list[Row]]:
        """Rows of table reviewers by state."""
        found: dict[str, list[Row]] = defaultdict(list)
        rows = self.server.store.all("SELECT * FROM reviewers WHERE change = ? ORDER BY account", self.number)
        for row in rows:
            found[row["state"]].append(row)
        return found

    @cached_property
    def hashtags(self) -> list[str]:
        """Hashtags, sorted."""
        return attributes.hashtags(self.server, self.number)

    @cached_property
    def attention(self) -> list[Row]:
        """Rows of the attention set, those removed included."""
        rows = {
            row["account"]: row
            for row in self.server.store.all("SELECT * FROM attention WHERE change = ?", self.number)
        }
        return [rows[number] for number in javahash.numbers(sorted(rows))]
