"""Searching changes: what each operator of the query language means."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.expressions import And, Atom, Expression, Not, Or, QueryError, parse
from xenci.lab_gerrit.labels import Label
from xenci.lab_gerrit.server import Server, full_ref, short_ref
from xenci.lab_gerrit.store import now
from xenci.lab_gerrit.views import ChangeView

Test = Callable[[ChangeView], bool]
DEFAULT_LIMIT = 500
_LABEL = re.compile(
    r"^(?P<name>[A-Za-z0-9-]+?)(?:(?P<op>>=|<=|=|>|<|:)(?P<value>[^,]*)|(?P<plain>[+-]\d+))?$"
)
_AGE = re.compile(r"^(?P<count>\d+) ?(?P<unit>s|sec|m|min|h|hour|d|day|w|week|mon|month|y|year)[a-z]*$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "mon": 2592000, "y": 31536000}


class LoginNeededError(QueryError):
    """`self` was asked for without login."""


class Query:
    """A query of one user, ready to be put to changes. QueryError if it makes no sense."""

    def __init__(self, server: Server, account: Account | None, text: str) -> None:
        self._server = server
        self._account = account
        self.limit: int | None = None
        if not text.strip():
            raise QueryError("query is empty")
        self.matches = self._compile(parse(text))

    def _compile(self, node: Expression) -> Test:
        if isinstance(node, And):
            tests = [self._compile(part) for part in node.parts]
            return lambda view: all(test(view) for test in tests)
        if isinstance(node, Or):
            tests = [self._compile(part) for part in node.parts]
            return lambda view: any(test(view) for test in tests)
        if isinstance(node, Not):
            test = self._compile(node.part)
            return lambda view: not test(view)
        return self._operator(node)

    def _operator(self, atom: Atom) -> Test:
        if not atom.key:
            return _free(atom.value)
        method = getattr(self, f"_op_{_ALIASES.get(atom.key, atom.key)}", None)
        if method is None:
            raise QueryError(f"Unsupported operator {atom.key}:{atom.value}")
        try:
            test: Test = method(atom.value)
        except ValueError as error:
            if isinstance(error, QueryError):
                raise
            raise QueryError(f"Error in operator {atom.key}:{atom.value}") from error
        return test

    def _accounts(self, text: str) -> set[int]:
        if text == "self":
            if self._account is None:
                raise LoginNeededError("Must be signed-in to use this operator")
            return {self._account.id}
        return {account.id for account in self._server.accounts.find(text)}

    # -- states

    def _op_status(self, value: str) -> Test:
        name = value.lower()
        if name in ("open", "pending", "new"):
            return lambda view: view.row["status"] == "NEW"
        if name == "closed":
            return lambda view: view.row["status"] != "NEW"
        for status in ("MERGED", "ABANDONED"):
            if status.lower().startswith(name) and name:
                return lambda view: view.row["status"] == status
        if name == "reviewed":
            return lambda view: any(row["value"] for row in view.approvals)
        raise QueryError(f"Unrecognized value: {value}")

    def _op_is(self, value: str) -> Test:
        name = value.lower()
        simple: dict[str, Test] = {
            "wip": lambda view: bool(view.row["wip"]),
            "started": lambda view: bool(view.row["review_started"]),
            "private": lambda view: bool(view.row["private"]),
            "visible": lambda view: True,
            "cherrypick": lambda view: view.row["cherry_pick_of"] is not None,
            "merge": lambda view: len(view.commit.parents) > 1,
            "watched": lambda view: False,
            "ignored": lambda view: False,
            "assigned": lambda view: False,
            "unassigned": lambda view: True,
            "submittable": self._submittable,
        }
        if name in simple:
            return simple[name]
        if name in ("owner", "reviewer", "cc", "uploader", "attention"):
            test: Test = getattr(self, f"_op_{name}")("self")
            return test
        if name == "starred":
            return self._op_has("star")
        if name == "mergeable":
            raise QueryError("'is:mergeable' operator is not supported on this gerrit host")
        return self._op_status(value)

    def _submittable(self, view: ChangeView) -> bool:
        from xenci.lab_gerrit.requirements import submittable

        return view.row["status"] == "NEW" and submittable(view)

    def _op_has(self, value: str) -> Test:
        name = value.lower()
        if name == "unresolved":
            return lambda view: view.unresolved > 0
        if name == "attention":
            return lambda view: any(row["active"] for row in view.attention)
        if name in ("star", "stars"):
            mine = self._account.id if self._account else None
            return lambda view: bool(
                self._server.store.one(
                    "SELECT 1 FROM stars WHERE account = ? AND change = ?", mine, view.number
                )
            )
        if name == "draft":
            mine = self._account.id if self._account else None
            return lambda view: bool(
                self._server.store.one(
                    "SELECT 1 FROM comments WHERE draft AND author = ? AND change = ?", mine, view.number
                )
            )
        if name == "edit":
            return lambda view: False
        raise QueryError(f"Error in operator has:{value}")

    # -- where

    def _op_project(self, value: str) -> Test:
        return _text(value, lambda view: [view.project])

    def _op_projects(self, value: str) -> Test:
        return lambda view: view.project.startswith(value)

    def _op_parentproject(self, value: str) -> Test:
        return lambda view: value in self._server.access.chain(view.project)

    def _op_branch(self, value: str) -> Test:
        if value.startswith("^"):
            return _text(value, lambda view: [short_ref(view.branch)])
        return lambda view: view.branch == full_ref(value)

    def _op_ref(self, value: str) -> Test:
        return _text(value, lambda view: [view.branch])

    def _op_topic(self, value: str) -> Test:
        return _text(value, lambda view: [view.row["topic"] or ""])

    def _op_intopic(self, value: str) -> Test:
        return lambda view: _phrase(value, view.row["topic"] or "")

    def _op_hashtag(self, value: str) -> Test:
        return lambda view: value.lstrip("#").lower() in [name.lower() for name in view.hashtags]

    def _op_inhashtag(self, value: str) -> Test:
        return lambda view: any(_phrase(value, name) for name in view.hashtags)

    def _op_change(self, value: str) -> Test:
        if value.isdigit():
            return lambda view: view.number == int(value)
        parts = value.rsplit("~", 2)
        if len(parts) == 3:
            project, branch, key = parts
            return lambda view: (
                view.project == project and view.branch == full_ref(branch) and view.row["change_id"] == key
            )
        if len(parts) == 2 and parts[1].isdigit():
            return lambda view: view.project == parts[0] and view.number == int(parts[1])
        if re.fullmatch(r"[iI][0-9a-f]{4,40}", value):
            return lambda view: view.row["change_id"].lower().startswith(value.lower())
        raise QueryError(f"Invalid change format: {value}")

    def _op_revertof(self, value: str) -> Test:
        return lambda view: view.row["revert_of"] == int(value)

    def _op_cherrypickof(self, value: str) -> Test:
        number = int(value.split(",")[0])
        return lambda view: view.row["cherry_pick_of"] == number

    def _op_submissionid(self, value: str) -> Test:
        return lambda view: view.row["submission_id"] == value

    def _op_conflicts(self, value: str) -> Test:
        other = self._server.change(int(value))
        if other is None:
            return lambda view: False
        mine = set(ChangeView(self._server, other).paths)
        return lambda view: (
            view.number != int(value)
            and view.row["status"] == "NEW"
            and (view.project, view.branch) == (other["project"], other["branch"])
            and bool(mine & set(view.paths))
        )

    # -- when

    def _op_age(self, value: str) -> Test:
        match = _AGE.match(value)
        if match is None:
            raise ValueError(value)
        unit = match["unit"]
        seconds = _SECONDS["mon" if unit.startswith("mon") else unit[0]] * int(match["count"])
        limit = now() - seconds
        return lambda view: view.row["updated"] <= limit

    def _op_before(self, value: str) -> Test:
        limit = _time(value)
        return lambda view: view.row["updated"] <= limit

    def _op_after(self, value: str) -> Test:
        limit = _time(value)
        return lambda view: view.row["updated"] >= limit

    def _op_mergedbefore(self, value: str) -> Test:
        limit = _time(value)
        return lambda view: view.row["status"] == "MERGED" and view.row["submitted"] <= limit

    def _op_mergedafter(self, value: str) -> Test:
        limit = _time(value)
        return lambda view: view.row["status"] == "MERGED" and view.row["submitted"] >= limit

    # -- who

    def _op_owner(self, value: str) -> Test:
        who = self._accounts(value)
        return lambda view: view.row["owner"] in who

    def _op_uploader(self, value: str) -> Test:
        who = self._accounts(value)
        return lambda view: view.current["uploader"] in who

    def _op_reviewer(self, value: str) -> Test:
        who = self._accounts(value)
        return lambda view: any(row["account"] in who for row in view.reviewers["REVIEWER"])

    def _op_cc(self, value: str) -> Test:
        who = self._accounts(value)
        return lambda view: any(row["account"] in who for row in view.reviewers["CC"])

    def _op_attention(self, value: str) -> Test:
        who = self._accounts(value)
        return lambda view: any(row["account"] in who for row in view.attention if row["active"])

    def _op_commentby(self, value: str) -> Test:
        who = self._accounts(value)
        return lambda view: any(row["author"] in who for row in [*view.messages, *view.comments])

    def _op_from(self, value: str) -> Test:
        owner, comment = self._op_owner(value), self._op_commentby(value)
        return lambda view: owner(view) or comment(view)

    def _op_author(self, value: str) -> Test:
        return lambda view: value.lower() in f"{view.commit.author.name} {view.commit.author.email}".lower()

    def _op_committer(self, value: str) -> Test:
        return lambda view: (
            value.lower() in f"{view.commit.committer.name} {view.commit.committer.email}".lower()
        )

    def _op_ownerin(self, value: str) -> Test:
        uuid = self._server.store.value("SELECT uuid FROM groups WHERE name = ? OR uuid = ?", value, value)
        if uuid is None:
            raise QueryError(f"Group {value} not found")
        return lambda view: uuid in self._server.access.groups(view.row["owner"])

    # -- what

    def _op_commit(self, value: str) -> Test:
        return lambda view: any(row["revision"].startswith(value.lower()) for row in view.patch_sets)

    def _op_message(self, value: str) -> Test:
        return lambda view: _phrase(value, view.commit.message)

    def _op_subject(self, value: str) -> Test:
        return lambda view: _phrase(value, view.row["subject"])

    def _op_comment(self, value: str) -> Test:
        return lambda view: any(_phrase(value, row["text"]) for row in [*view.messages, *view.comments])

    def _op_file(self, value: str) -> Test:
        if value.startswith("^"):
            return _text(value, lambda view: view.paths)
        return lambda view: any(
            path == value or value in path.split("/") or path.rsplit("/", 1)[-1] == value
            for path in view.paths
        )

    def _op_path(self, value: str) -> Test:
        return _text(value, lambda view: view.paths)

    def _op_directory(self, value: str) -> Test:
        start = value.strip("/") + "/"
        return lambda view: any(path.startswith(start) for path in view.paths)

    def _op_extension(self, value: str) -> Test:
        end = "." + value.lstrip(".").lower()
        return lambda view: any(path.lower().endswith(end) for path in view.paths)

    def _op_footer(self, value: str) -> Test:
        return lambda view: any(
            value.lower() in (f"{key}={text}".lower(), f"{key}: {text}".lower())
            for key, text in view.commit.footers
        )

    def _op_tr(self, value: str) -> Test:
        return lambda view: False

    def _op_size(self, value: str) -> Test:
        return _compare(value, lambda view: view.insertions + view.deletions)

    def _op_added(self, value: str) -> Test:
        return _compare(value, lambda view: view.insertions)

    def _op_deleted(self, value: str) -> Test:
        return _compare(value, lambda view: view.deletions)

    def _op_limit(self, value: str) -> Test:
        self.limit = int(value)
        if self.limit <= 0:
            raise QueryError("limit must be positive")
        return lambda view: True

    def _op_label(self, value: str) -> Test:
        return label_test(value, self._accounts)


_ALIASES = {
    "p": "project",
    "r": "reviewer",
    "v": "is",
    "o": "owner",
    "since": "after",
    "until": "before",
    "f": "file",
    "ext": "extension",
    "dir": "directory",
    "m": "message",
    "bug": "tr",
    "delta": "size",
}


def label_test(text: str, accounts: Callable[[str], set[int]]) -> Test:
    """Test of `label:TEXT`: NAME=1, NAME>=1, NAME=MAX, NAME=ANY; then ,USER ,user=USER ,count>=N."""
    head, *more = text.split(",")
    match = _LABEL.match(head)
    if match is None:
        return lambda view: False
    who: set[int] | None = None
    not_uploader = False
    least = 1
    for entry in more:
        key, _, value = entry.partition("=")
        if entry.startswith("count>="):
            least = int(entry.removeprefix("count>="))
        elif value in ("non_uploader", "non_contributor"):
            not_uploader = True
        else:
            who = accounts(value if key == "user" else entry)
    op, wanted = match["op"] or "=", match["plain"] or match["value"] or "1"
    name = match["name"].lower()

    def test(view: ChangeView) -> bool:
        label = next((label for key, label in view.labels.items() if key.lower() == name), None)
        if label is None:
            return False
        rows = [row for row in view.approvals if row["label"] == label.name and row["value"]]
        if who is not None:
            rows = [row for row in rows if row["account"] in who]
        if not_uploader:
            rows = [row for row in rows if row["account"] != view.current["uploader"]]
        if wanted.upper() != "ANY" and _value(label, wanted) == 0 and op == "=":
            return not rows
        return sum(_fits(label, row["value"], op, wanted) for row in rows) >= least

    return test


def _value(label: Label, wanted: str) -> int:
    known = {"MAX": label.max, "MIN": label.min}
    if wanted.upper() in known:
        return known[wanted.upper()]
    return int(wanted) if wanted.lstrip("+-").isdigit() else 10_000


def _fits(label: Label, value: int, op: str, wanted: str) -> bool:
    if wanted.upper() == "ANY":
        return value != 0
    number = _value(label, wanted)
    return {
        ">=": value >= number,
        "<=": value <= number,
        ">": value > number,
        "<": value < number,
    }.get(op, value == number)


def _text(value: str, of: Callable[[ChangeView], list[str]]) -> Test:
    if value.startswith("^"):
        pattern = re.compile(value[1:].removesuffix("$"))
        return lambda view: any(pattern.fullmatch(text) for text in of(view))
    return lambda view: value in of(view)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _phrase(value: str, text: str) -> bool:
    """Whether the words of a value follow each other in a text."""
    wanted, words = _words(value), _words(text)
    if not wanted:
        return False
    return any(words[at : at + len(wanted)] == wanted for at in range(len(words) - len(wanted) + 1))


def _compare(value: str, of: Callable[[ChangeView], int]) -> Test:
    match = re.fullmatch(r"(>=|<=|>|<|=)?(\d+)", value)
    if match is None:
        raise ValueError(value)
    op, number = match[1] or "=", int(match[2])
    tests: dict[str, Test] = {
        ">=": lambda view: of(view) >= number,
        "<=": lambda view: of(view) <= number,
        ">": lambda view: of(view) > number,
        "<": lambda view: of(view) < number,
        "=": lambda view: of(view) == number,
    }
    return tests[op]


def _time(value: str) -> float:
    for shape in ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S %z"):
        try:
            moment = datetime.datetime.strptime(value, shape)
        except ValueError:
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
    raise ValueError(value)


def _free(value: str) -> Test:
    """A word without operator: a change's number, id or commit, else something it holds."""
    if value.isdigit():
        return lambda view: view.number == int(value)
    if re.fullmatch(r"I[0-9a-f]{4,40}", value):
        return lambda view: view.row["change_id"].startswith(value)
    if re.fullmatch(r"[0-9a-f]{7,40}", value):
        return lambda view: any(row["revision"].startswith(value) for row in view.patch_sets)
    return lambda view: (
        value in (view.project, short_ref(view.branch), view.row["topic"])
        or value in view.paths
        or value in view.hashtags
        or _phrase(value, view.commit.message)
    )


def visible_changes(server: Server, account: Account | None) -> list[ChangeView]:
    """All changes that an account may see, the last updated first."""
    number = account.id if account else None
    rows = server.store.all("SELECT * FROM changes ORDER BY updated DESC, touched DESC, number DESC")
    return [ChangeView(server, row) for row in rows if server.access.can_see_change(number, row)]


def search(
    server: Server, account: Account | None, text: str, *, limit: int | None = None, start: int = 0
) -> tuple[list[ChangeView], bool]:
    """Changes that match, and whether there are more. `limit` None is the default, 0 is none."""
    query = Query(server, account, text)
    wanted = [found for found in (query.limit, limit) if found]
    count = min(wanted) if wanted else (DEFAULT_LIMIT if limit is None else None)
    found: list[ChangeView] = []
    skipped = 0
    for view in visible_changes(server, account):
        if not query.matches(view):
            continue
        if skipped < start:
            skipped += 1
            continue
        if count is not None and len(found) == count:
            return found, True
        found.append(view)
    return found, False
