"""The commits that the recorded git commands pushed, rebuilt: fixed messages, Change-Ids, contents and
dates.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

PEOPLE = {
    "admin": ("Administrator", "admin@example.com"),
    "dev": ("Dev Eloper", "dev@review.example.org"),
    "core": ("Core Reviewer", "core@review.example.org"),
    "other": ("Other User", "other@review.example.org"),
    "stranger": ("Stranger", "stranger@nowhere.example.org"),
}
FIRST_DATE = 1_700_000_000
FIRST_COMMIT = "6da3cfaa8b2e154599e7da611c8470b54bb86fd1"
LINES = ["one", "two", "three", "four", "five", "six", "seven"]


@dataclass(frozen=True)
class Commit:
    """One commit.

    `base`: `tip` (of the project's master), `last` (the one before in this push) or the case that pushed
    it; empty: the parent that the recording shows, where it shows none the first commit of `demo`.
    """

    message: str
    files: dict[str, str]
    base: str = ""
    author: str = "dev"
    committer: str = ""
    merge: str = ""


def change_id(word: str) -> str:
    """The Change-Id that the recorder gave to the change of a case."""
    return "I" + hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest()


def _message(subject: str, word: str, body: str = "") -> str:
    return f"{subject}\n\n{body}Change-Id: {change_id(word)}\n"


def _first(lines: int, body: str) -> list[Commit]:
    content = "".join(f"{line}\n" for line in LINES[:lines])
    return [Commit(_message("first: add a.txt", "first", f"{body}\n\n"), {"a.txt": content})]


def _change(case: str, **more: str) -> list[Commit]:
    """The ordinary one-file change of a case."""
    name = case.replace(".", "-") + ".txt"
    return [Commit(_message(f"{case}: a change", case), {name: f"{case}\n"}, **more)]


def _again(case: str, content: str, subject: str = "", files: str = "", base: str = "") -> list[Commit]:
    """Another patch set of the change that `case` made."""
    name = files or case.replace(".", "-") + ".txt"
    return [Commit(_message(subject or f"{case}: a change", case), {name: content}, base=base)]


def _series(third: str) -> list[Commit]:
    needs = "Depends-On: https://review.example.org/c/demo/+/1\n"
    return [
        Commit(_message("series one", "s1"), {"s1.txt": "1"}),
        Commit(_message("series two", "s2"), {"s2.txt": "2"}, base="last"),
        Commit(_message("series three", "s3", needs), {"s3.txt": third}, base="last"),
    ]


def commits(case: str) -> list[Commit]:
    """The commits that are new in the push of a case, oldest first; empty where it pushes what is there
    already.
    """
    special = _special().get(case)
    if special is not None:
        return special
    if case == "push.foreign-committer":
        return _change(case, author="other")
    if case == "push.hidden-by-core":
        return _change(case, author="core")
    if case in {"push.hidden-project", "push.read-only-project"}:
        return _change(case, base="tip")
    return _change(case)


def _special() -> dict[str, list[Commit]]:
    late = "push.direct.allowed"
    direct = [Commit("direct by admin\n", {"direct.txt": "direct\n"}, author="admin")]
    same = change_id("push.series.same-change-id")
    return {
        "push.first": _first(5, "A body line."),
        "push.same-again": _first(5, "A body line."),
        "push.new-patch-set": _first(6, "A body line."),
        "push.new-patch-set.message-only": _first(6, "Another body line."),
        "push.new-patch-set.with-description": _first(7, "Another body line."),
        "push.wip.ready": _again("push.wip", "push.wip\nmore\n"),
        "push.private.remove": _again("push.private", "push.private\nmore\n"),
        "push.no-change-id": [Commit("push.no-change-id: a change\n", {"none.txt": "x\n"})],
        "push.bad-change-id": [Commit("push.bad-change-id\n\nChange-Id: Inonsense\n", {"bad.txt": "x\n"})],
        "push.two-change-ids": [
            Commit(
                "push.two-change-ids\n\nChange-Id: Ibfb871391422d658890d489e1b98094ab3bfe41f\n"
                "Change-Id: I5dc6eeb8feedbcb99da799c3aee417861322c7a8\n",
                {"two.txt": "x\n"},
            )
        ],
        "push.empty-subject-change-id": [Commit(f"Change-Id: {change_id('empty')}\n", {"empty.txt": "x\n"})],
        "push.forged-committer": [
            Commit(
                _message("push.forged-committer: a change", "push.forged-committer"),
                {"forged.txt": "x\n"},
                committer="stranger",
            )
        ],
        "push.series": _series("3"),
        "push.series.top-changed": _series("33"),
        "push.series.same-change-id": [
            Commit(f"same one\n\nChange-Id: {same}\n", {"same1.txt": "1\n"}),
            Commit(f"same two\n\nChange-Id: {same}\n", {"same2.txt": "2\n"}, base="last"),
        ],
        "push.direct.allowed": direct,
        "push.direct.delete-denied": [],
        "push.direct.delete-branch": [],
        "push.direct.create-branch": [],
        "push.tag": [],
        "push.tag.denied": [],
        "push.nothing": [],
        "push.merge.parent": [Commit(_message("side", "m1"), {"m1.txt": "1"})],
        "push.merge": [
            Commit(
                "merge of side\n\nChange-Id: I836505f44d94535ff56ebb7e8c13cfc4cd4e6752\n",
                {"m1.txt": "1"},
                merge="push.merge.parent",
            )
        ],
        "life.conflict.a": _again("life.conflict.a", "one\n", files="conf.txt"),
        "life.conflict.b": _again("life.conflict.b", "two\n", files="conf.txt"),
        "life.merged.push": _again("life.submit.change", "after the merge\n", base=late),
        "life.copy.change": _again("life.copy.change", "a\n", files="copy.txt"),
        "life.copy.message-only": _again(
            "life.copy.change", "a\n", "life.copy.change: other words", "copy.txt"
        ),
        "life.copy.rework": _again("life.copy.change", "b\n", "life.copy.change: other words", "copy.txt"),
        "life.abandon.push": _again("life.abandon.change", "after the end\n", base=late),
        "life.series.push": [
            Commit(_message("dep one", "d1"), {"d1.txt": "1\n"}),
            Commit(_message("dep two", "d2"), {"d2.txt": "2\n"}, base="last"),
        ],
        "life.direct.push": [],
        "life.series.rework-bottom": [Commit(_message("series one", "s1"), {"s1.txt": "1+"})],
    }
