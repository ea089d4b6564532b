"""Changes as events and `gerrit query` show them (change, patchSet, approval attributes)."""

from __future__ import annotations

from typing import Any

from xenci.lab_gerrit.batch import change_ref
from xenci.lab_gerrit.commits import Commit, from_json
from xenci.lab_gerrit.events import Event
from xenci.lab_gerrit.server import Server, account_attribute, short_ref
from xenci.lab_gerrit.store import Row, loads


def change_url(server: Server, change: Row) -> str:
    """Where a browser finds a change."""
    return f"{server.config.url}/c/{change['project']}/+/{change['number']}"


def patch_set(server: Server, number: int, patch_set_number: int) -> Row | None:
    """Row of a patch set."""
    return server.store.one(
        "SELECT * FROM patch_sets WHERE change = ? AND number = ?", number, patch_set_number
    )


def patch_sets(server: Server, number: int) -> list[Row]:
    """Rows of all patch sets of a change."""
    return server.store.all("SELECT * FROM patch_sets WHERE change = ? ORDER BY number", number)


def commit_of(row: Row) -> Commit:
    """The commit of a patch set."""
    return from_json(row["revision"], loads(row["commit_info"]))


def hashtags(server: Server, number: int) -> list[str]:
    """Hashtags of a change, sorted."""
    rows = server.store.all("SELECT name FROM hashtags WHERE change = ? ORDER BY name", number)
    return [row["name"] for row in rows]


def change_attribute(server: Server, change: Row, *, message: bool = True) -> dict[str, Any]:
    """The `change` of an event."""
    current = patch_set(server, change["number"], change["current"])
    info: dict[str, Any] = {"project": change["project"], "branch": short_ref(change["branch"])}
    if change["topic"]:
        info["topic"] = change["topic"]
    info |= {
        "id": change["change_id"],
        "number": change["number"],
        "subject": change["subject"],
        "owner": account_attribute(server.accounts.get(change["owner"])),
        "url": change_url(server, change),
    }
    if message and current is not None:
        info["commitMessage"] = commit_of(current).message
    tags = hashtags(server, change["number"])
    if tags:
        info["hashtags"] = tags
    info |= {"createdOn": change["created"], "status": change["status"]}
    if change["private"]:
        info["private"] = True
    if change["wip"]:
        info["wip"] = True
    if change["cherry_pick_of"]:
        info["cherryPickOfChange"] = change["cherry_pick_of"]
        info["cherryPickOfPatchSet"] = change["cherry_pick_of_ps"]
    return info


def patch_set_attribute(server: Server, change: Row, row: Row) -> dict[str, Any]:
    """The `patchSet` of an event."""
    commit = commit_of(row)
    files = loads(row["files"])
    inserted = sum(info.get("lines_inserted", 0) for info in files.values())
    deleted = sum(info.get("lines_deleted", 0) for info in files.values())
    author = server.accounts.by_email(commit.author.email)
    if author is None:
        author_info = {"name": commit.author.name, "email": commit.author.email}
    else:
        author_info = account_attribute(author)
    return {
        "number": row["number"],
        "revision": row["revision"],
        "parents": list(commit.parents),
        "ref": change_ref(change["number"], row["number"]),
        "uploader": account_attribute(server.accounts.get(row["uploader"])),
        "createdOn": row["created"],
        "author": author_info,
        "kind": row["kind"],
        "sizeInsertions": inserted,
        "sizeDeletions": deleted,
    }


def change_event(server: Server, kind: str, number: int, **fields: Any) -> Event | None:
    """An event about a change; `patch_set` = number adds its patchSet. None if the change is gone."""
    change = server.change(number)
    if change is None:
        return None
    wanted = fields.pop("patch_set", None)
    event: Event = dict(fields)
    if wanted is not None:
        row = patch_set(server, number, wanted)
        if row is not None:
            event["patchSet"] = patch_set_attribute(server, change, row)
    return event | {
        "change": change_attribute(server, change),
        "project": change["project"],
        "refName": change["branch"],
        "changeKey": {"id": change["change_id"]},
        "type": kind,
    }


def approval_attribute(server: Server, row: Row) -> dict[str, Any]:
    """A vote as `gerrit query` shows it."""
    return {
        "type": row["label"],
        "description": row["label"],
        "value": str(row["value"]),
        "grantedOn": row["granted"],
        "by": account_attribute(server.accounts.get(row["account"])),
    }
