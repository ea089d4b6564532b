"""`gerrit query`."""

from __future__ import annotations

import datetime
import json
import time
from typing import Any

from xenci.lab_gerrit import attributes
from xenci.lab_gerrit.batch import change_ref
from xenci.lab_gerrit.change_info import with_names
from xenci.lab_gerrit.expressions import QueryError
from xenci.lab_gerrit.query import search
from xenci.lab_gerrit.server import Server, account_attribute
from xenci.lab_gerrit.ssh.session import Parsed, Session, fatal, parse
from xenci.lab_gerrit.store import Row, loads
from xenci.lab_gerrit.views import ChangeView

_FLAGS = [
    "all-approvals",
    "all-reviewers",
    "comments",
    "commit-message",
    "current-patch-set",
    "dependencies",
    "files",
    "no-limit",
    "patch-sets",
    "submit-records",
]
_TYPES = {"A": "ADDED", "D": "DELETED", "R": "RENAMED", "C": "COPIED", "W": "REWRITE"}
_TIMES = ("timestamp", "createdOn", "lastUpdated", "grantedOn")


def gson(value: Any) -> str:
    """JSON as Gerrit prints it: one line, with what HTML would mind as \\u escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&='":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


async def query(session: Session, words: list[str]) -> None:
    """Print changes that match, and a line with their count."""
    parsed = parse(words, flags=_FLAGS, values=["format", "start|S", "limit|n"])
    form = (parsed.value("format") or "TEXT").upper()
    if form not in ("TEXT", "JSON", "JSON_COMPACT"):
        raise fatal(f'"{parsed.value("format")}" is not a valid value for "--format"')
    if not parsed.words:
        raise fatal('Argument "QUERY" is required')
    if parsed.flag("files") and not (parsed.flag("patch-sets") or parsed.flag("current-patch-set")):
        raise fatal("--files option needs --patch-sets or --current-patch-set")
    show = _text if form == "TEXT" else _json
    begun = time.monotonic()
    limit = parsed.value("limit")
    try:
        found, more = search(
            session.server,
            session.account,
            " ".join(_quoted(word) for word in parsed.words),
            start=int(parsed.value("start") or 0),
            limit=0 if parsed.flag("no-limit") else int(limit) if limit else None,
        )
    except QueryError as error:
        show(session, {"type": "error", "message": str(error)})
        return
    for view in found:
        show(session, describe(view, parsed, session))
    took = int((time.monotonic() - begun) * 1000)
    stats = {"type": "stats", "rowCount": len(found), "runTimeMilliseconds": took, "moreChanges": more}
    show(session, stats)


def _quoted(word: str) -> str:
    """The client's shell took the quotes off; a value with blanks gets them back."""
    key, colon, value = word.partition(":")
    if colon and " " in value and not value.startswith(('"', "{")) and "(" not in word:
        return f'{key}:"{value}"'
    return word


def _json(session: Session, value: dict[str, Any]) -> None:
    session.write(gson(value) + "\n")


def _text(session: Session, value: dict[str, Any]) -> None:
    lines: list[str] = []
    if "type" not in value:
        lines.append(f"change {value['id']}")
        _lines(lines, value, "  ")
    else:
        _lines(lines, value, "")
    session.write("\n".join(lines) + "\n\n")


def _lines(lines: list[str], value: dict[str, Any], indent: str) -> None:
    for key, item in value.items():
        if isinstance(item, dict):
            lines.append(f"{indent}{key}:")
            _lines(lines, item, indent + "  ")
        elif isinstance(item, list):
            objects = [entry for entry in item if isinstance(entry, dict)]
            for entry in objects:
                lines.append(f"{indent}{key}:")
                _lines(lines, entry, indent + "  ")
            if not objects:
                lines.append(f"{indent}{key}:")
                if item:
                    lines.append(f" [{', '.join(item)}]")
        else:
            lines.append(f"{indent}{key}: {_word(key, item)}")


def _word(key: str, item: Any) -> str:
    if key in _TIMES:
        return datetime.datetime.fromtimestamp(item, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if isinstance(item, bool):
        return str(item).lower()
    return str(item)


def describe(view: ChangeView, parsed: Parsed, session: Session) -> dict[str, Any]:
    """A change with what the options ask for."""
    server, row = view.server, view.row
    full = attributes.change_attribute(server, row, message=parsed.flag("commit-message"))
    info = {
        key: full[key] for key in full if key not in ("createdOn", "status", "hashtags", "private", "wip")
    }
    info |= {"hashtags": view.hashtags, "createdOn": row["created"], "lastUpdated": row["updated"]}
    info |= {"open": row["status"] == "NEW", "status": row["status"]}
    info |= {key: full[key] for key in ("private", "wip") if key in full}
    if parsed.flag("all-reviewers"):
        people = [entry["account"] for state in ("REVIEWER", "CC") for entry in view.reviewers[state]]
        info["allReviewers"] = [account_attribute(server.accounts.get(account)) for account in people]
    if parsed.flag("comments"):
        info["comments"] = [_comment(server, entry) for entry in view.messages]
    if parsed.flag("current-patch-set"):
        info["currentPatchSet"] = _patch_set(view, view.current, parsed, approvals=True)
    if parsed.flag("patch-sets") or parsed.flag("all-approvals"):
        info["patchSets"] = [
            _patch_set(view, entry, parsed, approvals=parsed.flag("all-approvals"))
            for entry in view.patch_sets
        ]
    if parsed.flag("dependencies"):
        _dependencies(view, info, session)
    if parsed.flag("submit-records"):
        info["submitRecords"] = [_submit_record(view)]
    return info


def _comment(server: Server, row: Row) -> dict[str, Any]:
    author = account_attribute(server.accounts.get(row["author"])) if row["author"] is not None else {}
    return {"timestamp": row["date"], "reviewer": author, "message": with_names(server, row["text"])}


def _patch_set(view: ChangeView, row: Row, parsed: Parsed, *, approvals: bool) -> dict[str, Any]:
    server = view.server
    info = attributes.patch_set_attribute(server, view.row, row)
    sizes = {key: info.pop(key) for key in ("sizeInsertions", "sizeDeletions")}
    votes = [vote for vote in view.votes(row["number"]) if vote["value"]]
    given = [attributes.approval_attribute(server, vote) for vote in votes]
    if view.row["status"] == "MERGED" and row["number"] == view.row["current"]:
        submitter = account_attribute(server.accounts.get(view.row["submitter"]))
        given.append({"type": "SUBM", "value": "1", "grantedOn": view.row["submitted"], "by": submitter})
    if approvals and given:
        info["approvals"] = given
    if parsed.flag("comments"):
        comments = [entry for entry in view.comments if entry["patch_set"] == row["number"]]
        if comments:
            info["comments"] = [_inline(server, entry) for entry in comments]
    if parsed.flag("files"):
        info["files"] = [_file(path, entry) for path, entry in sorted(loads(row["files"]).items())]
    return info | sizes


def _inline(server: Server, row: Row) -> dict[str, Any]:
    position = loads(row["position"])
    return {
        "file": row["path"],
        "line": position.get("line", 0),
        "reviewer": account_attribute(server.accounts.get(row["author"])),
        "message": row["text"],
    }


def _file(path: str, info: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"file": path}
    if "old_path" in info:
        found["fileOld"] = info["old_path"]
    found["type"] = _TYPES.get(info.get("status", ""), "MODIFIED")
    return found | {"insertions": info.get("lines_inserted", 0), "deletions": -info.get("lines_deleted", 0)}


def _submit_record(view: ChangeView) -> dict[str, Any]:
    labels = []
    for name in view.labels:
        entry: dict[str, Any] = {"label": name, "status": "MAY"}
        votes = [row for row in view.approvals if row["label"] == name and row["value"]]
        voted = [row["account"] for row in votes if not row["post_submit"]]
        if voted:
            entry["by"] = account_attribute(view.server.accounts.get(voted[-1]))
        labels.append(entry)
    return {"status": "OK", "labels": labels}


def _dependencies(view: ChangeView, info: dict[str, Any], session: Session) -> None:
    """Changes whose commits are this one's parents, and those whose parents are this one's commits."""
    server, access = view.server, view.server.access
    rows = server.store.all(
        "SELECT p.*, c.change_id, c.current FROM patch_sets p "
        "JOIN changes c ON c.number = p.change WHERE c.project = ? AND c.number != ? "
        "ORDER BY p.change, p.number",
        view.project,
        view.number,
    )
    mine = {row["revision"] for row in view.patch_sets}
    lists: dict[str, list[dict[str, Any]]] = {"dependsOn": [], "neededBy": []}
    for row in rows:
        change = server.change(row["change"])
        if change is None or not access.can_see_change(session.account.id, change):
            continue
        entry = {"id": row["change_id"], "number": row["change"], "revision": row["revision"]}
        entry["ref"] = change_ref(row["change"], row["number"])
        if row["revision"] in view.commit.parents:
            lists["dependsOn"].append(entry | {"isCurrentPatchSet": row["number"] == row["current"]})
        # What was pushed on top after the merge is not a dependency.
        before = view.row["submitted"] is None or row["created"] < view.row["submitted"]
        if before and mine & set(loads(row["commit_info"])["parents"]):
            lists["neededBy"].append(entry)
    info |= {key: entries for key, entries in lists.items() if entries}
