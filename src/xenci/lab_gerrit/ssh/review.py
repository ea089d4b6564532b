"""`gerrit review`: votes, messages, and a few verbs."""

from __future__ import annotations

import json
import re
from typing import Any

from xenci.lab_gerrit import life, reviewers, submit
from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.changes import RefusedError
from xenci.lab_gerrit.review import Comment, Review, patch_set_number, review, reviewer_state
from xenci.lab_gerrit.ssh.session import CommandError, Parsed, Session, fatal, parse
from xenci.lab_gerrit.store import Row

_VALUES = ["message|m", "label|l", "tag|t", "project|p", "branch|b", "notify|n"]
_FLAGS = ["submit|s", "abandon", "restore", "rebase", "publish", "json|j", "strict-labels", "move"]


async def command(session: Session, words: list[str]) -> None:
    """Review one or more patch sets."""
    labels = _label_options(session)
    parsed = parse(words, flags=_FLAGS, values=[*_VALUES, *labels])
    if not parsed.words:
        raise fatal('Argument "{COMMIT | CHANGE,PATCHSET}" is required')
    body = json.loads(await session.stdin()) if parsed.flag("json") else None
    failed = False
    targets = [_target(session, word, parsed.value("project")) for word in parsed.words]
    for change, patch_set in targets:
        try:
            async with session.server.lock:
                await _one(session, change, patch_set, parsed, labels, body)
        except RefusedError as error:
            session.error(f"error: fatal: {error.text}\n\n")
            failed = True
    if failed:
        raise fatal("one or more reviews failed; review output above")


def _label_options(session: Session) -> dict[str, str]:
    """--verified and the like: every label of the site is an option."""
    rows = session.server.store.all("SELECT DISTINCT name FROM labels")
    return {row["name"].lower(): row["name"] for row in rows}


def _target(session: Session, word: str, project: str | None) -> tuple[Row, int]:
    server = session.server
    match = re.fullmatch(r"(\d+),(\d+)", word)
    if match:
        change = server.change(int(match[1]))
        if change is None or not server.access.can_see_change(session.account.id, change):
            raise fatal(f'"{match[1]}" no such change')
        if project is not None and change["project"] != project:
            raise fatal("database error")
        number = patch_set_number(server, change, match[2])
        if number is None:
            raise fatal(f'"{word}" no such patch set')
        return change, number
    if not re.fullmatch(r"[0-9a-f]{4,40}", word):
        raise fatal(f'"{word}" is not a valid patch set')
    rows = server.store.all("SELECT change, number FROM patch_sets WHERE revision LIKE ? || '%'", word)
    for row in rows:
        change = server.change(row["change"])
        if change is not None and server.access.can_see_change(session.account.id, change):
            return change, int(row["number"])
    raise fatal(f'"{word}" no such patch set')


async def _one(
    session: Session, change: Row, patch_set: int, parsed: Parsed, labels: dict[str, str], body: Any
) -> None:
    server, actor = session.server, session.account
    message = parsed.value("message") or ""
    if parsed.flag("abandon"):
        await life.abandon(server, actor, change, message)
        return
    if parsed.flag("restore"):
        await life.restore(server, actor, change, message)
        return
    what = _from_json(body) if body is not None else _from_options(parsed, labels)
    if what.message or what.labels or what.comments or not parsed.flag("submit"):
        await review(server, actor, change, patch_set, what)
    elif reviewer_state(server, change["number"], actor.id) is None and actor.id != change["owner"]:
        # Who submits without a word is put on CC.
        await reviewers.add(server, actor, change, actor, "CC")
    now = server.change(change["number"])
    if now is not None and parsed.flag("rebase"):
        await life.rebase(server, actor, now)
    if now is not None and parsed.flag("submit"):
        await submit.submit(server, actor, now)


def _from_options(parsed: Parsed, labels: dict[str, str]) -> Review:
    votes: dict[str, int] = {}
    for text in parsed.values("label"):
        match = re.fullmatch(r"(-)?([A-Za-z0-9-]+?)(?:=([+-]?\d+)|([+-]\d+))?", text)
        if match is None:
            raise CommandError(f'fatal: invalid format for --label: "{text}"')
        votes[match[2]] = 0 if match[1] else int(match[3] or match[4] or 1)
    for option, name in labels.items():
        value = parsed.value(option)
        if value is not None:
            votes[name] = int(value)
    return Review(labels=votes, message=parsed.value("message") or "", tag=parsed.value("tag"))


def _from_json(body: dict[str, Any]) -> Review:
    comments = [
        Comment(
            path,
            entry["message"],
            {key: entry[key] for key in ("line", "range", "side", "in_reply_to") if entry.get(key)},
            bool(entry.get("unresolved")),
        )
        for path, entries in (body.get("comments") or {}).items()
        for entry in entries
        if entry.get("message")
    ]
    return Review(
        labels={name: int(value) for name, value in (body.get("labels") or {}).items()},
        message=body.get("message") or "",
        tag=body.get("tag"),
        comments=comments,
    )


def _change(session: Session, text: str) -> Row:
    server = session.server
    number = text.rsplit("~", 1)[-1]
    if number.isdigit():
        change = server.change(int(number))
    else:
        change = server.store.one("SELECT * FROM changes WHERE change_id = ?", number)
    if change is None or not server.access.can_see_change(session.account.id, change):
        raise fatal(f'"{text}" no such change')
    return change


async def set_topic(session: Session, words: list[str]) -> None:
    """`gerrit set-topic`."""
    parsed = parse(words, values=["topic|t"])
    for word in parsed.words:
        change = _change(session, word)
        try:
            async with session.server.lock:
                await life.set_topic(session.server, session.account, change, parsed.value("topic") or "")
        except RefusedError as error:
            raise fatal(error.text) from None


async def set_reviewers(session: Session, words: list[str]) -> None:
    """`gerrit set-reviewers`: whoever can't be removed is named, the rest is done."""
    parsed = parse(words, values=["add|a", "remove|r", "project|p"])
    server, failed = session.server, False
    for word in parsed.words:
        change = _change(session, word)
        async with server.lock:
            for name in parsed.values("remove"):
                account = _person(session, name)
                if reviewer_state(server, change["number"], account.id) is None:
                    session.error(f"error: could not remove {account.id}: not found\n")
                    failed = True
                else:
                    await reviewers.remove(server, session.account, change, account)
            for name in parsed.values("add"):
                await reviewers.add(server, session.account, change, _person(session, name), "REVIEWER")
    if failed:
        raise fatal("one or more updates failed; review output above")


def _person(session: Session, name: str) -> Account:
    found = session.server.accounts.find(name)
    if len(found) != 1:
        raise fatal(f"Account '{name}' not found")
    return found[0]
