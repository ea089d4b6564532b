"""Copy conditions of labels: which votes the next patch set keeps."""

from __future__ import annotations

from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.expressions import And, Atom, Expression, Not, Or, parse
from xenci.lab_gerrit.labels import Label
from xenci.lab_gerrit.server import Server
from xenci.lab_gerrit.store import Row


def sort_votes(
    server: Server, change: Row, kind: str, uploader: Account, *, everything: bool = False
) -> tuple[list[tuple[Row, str]], list[tuple[Row, str]]]:
    """Votes of the current patch set as (copied, outdated), each with its label's condition as shown.

    In the shown condition the atoms that hold are set in `**` where the vote is copied, as in Gerrit.
    """
    rows = server.store.all(
        "SELECT * FROM approvals WHERE change = ? AND patch_set = ? ORDER BY granted, label",
        change["number"],
        change["current"],
    )
    labels = server.settings.labels(change["project"], change["branch"])
    copied: list[tuple[Row, str]] = []
    outdated: list[tuple[Row, str]] = []
    for row in rows:
        label = labels.get(row["label"])
        if label is None:
            continue
        condition = label.copy_condition
        expression = parse(condition) if condition else None
        holds = expression is not None and _holds(expression, server, label, row, kind, uploader)
        shown = _mark(expression, server, label, row, kind, uploader) if expression else ""
        (copied if holds or everything else outdated).append((row, shown))
    return copied, outdated


def _holds(node: Expression, server: Server, label: Label, row: Row, kind: str, uploader: Account) -> bool:
    if isinstance(node, And):
        return all(_holds(part, server, label, row, kind, uploader) for part in node.parts)
    if isinstance(node, Or):
        return any(_holds(part, server, label, row, kind, uploader) for part in node.parts)
    if isinstance(node, Not):
        return not _holds(node.part, server, label, row, kind, uploader)
    return _atom(node, server, label, row, kind, uploader)


def _atom(node: Atom, server: Server, label: Label, row: Row, kind: str, uploader: Account) -> bool:
    value = node.value.upper()
    if node.key == "changekind":
        if value == "NO_CODE_CHANGE":
            return kind in ("NO_CODE_CHANGE", "NO_CHANGE")
        if value == "TRIVIAL_REBASE":
            return kind in ("TRIVIAL_REBASE", "NO_CHANGE")
        return kind == value
    if node.key == "is":
        known = {"MIN": row["value"] == label.min, "MAX": row["value"] == label.max, "ANY": True}
        return bool(known[value] if value in known else _number(value) == row["value"])
    if node.key in ("approverin", "uploaderin"):
        account = row["account"] if node.key == "approverin" else uploader.id
        uuid = server.store.value(
            "SELECT uuid FROM groups WHERE name = ? OR uuid = ?", node.value, node.value
        )
        return uuid in server.access.groups(account)
    return False


def _number(text: str) -> int | None:
    return int(text) if text.lstrip("+-").isdigit() else None


def _mark(node: Expression, server: Server, label: Label, row: Row, kind: str, uploader: Account) -> str:
    """The condition's text with the atoms that hold in **."""
    if isinstance(node, And):
        return " AND ".join(_mark(part, server, label, row, kind, uploader) for part in node.parts)
    if isinstance(node, Or):
        return " OR ".join(_mark(part, server, label, row, kind, uploader) for part in node.parts)
    if isinstance(node, Not):
        return f"-{_mark(node.part, server, label, row, kind, uploader)}"
    holds = _atom(node, server, label, row, kind, uploader)
    return f"**{node.text}**" if holds else node.text
