"""Votes, messages and comments on a change: one thing done by REST, ssh and Zuul alike."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from xenci.lab_gerrit import attributes
from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.changes import RefusedError, Update, approvals_of_event, begin
from xenci.lab_gerrit.labels import vote
from xenci.lab_gerrit.server import Server, account_attribute
from xenci.lab_gerrit.store import Row, dumps


@dataclass
class Comment:
    """An inline comment to publish. position: line, range, side, parent, in_reply_to as far as given."""

    path: str
    text: str
    position: dict[str, Any] = field(default_factory=dict)
    unresolved: bool = False
    draft_id: str | None = None


@dataclass
class Review:
    """What somebody says about a patch set."""

    labels: dict[str, int] = field(default_factory=dict)
    message: str = ""
    tag: str | None = None
    comments: list[Comment] = field(default_factory=list)
    ready: bool = False
    work_in_progress: bool = False
    reviewers: list[tuple[Account, str]] = field(default_factory=list)
    attention_add: list[tuple[Account, str]] = field(default_factory=list)
    attention_remove: list[tuple[Account, str]] = field(default_factory=list)
    ignore_attention_rules: bool = False
    touch: bool = True


def known_votes(server: Server, change: Row, wanted: dict[str, int]) -> dict[str, int]:
    """Of the wanted votes those whose label exists with that value, under the label's own name."""
    labels = server.settings.labels(change["project"], change["branch"])
    names = {name.lower(): name for name in labels}
    found: dict[str, int] = {}
    for text, value in wanted.items():
        name = names.get(text.lower())
        if name is not None and value in labels[name].values:
            found[name] = value
    return found


def check_votes(server: Server, actor: Account, change: Row, votes: dict[str, int]) -> None:
    """RefusedError (403) for a vote that the account may not give."""
    for name, value in votes.items():
        low, high = server.access.label_range(
            actor.id, change["project"], change["branch"], name, owner_of_change=actor.id == change["owner"]
        )
        if not low <= value <= high or (value and low == high == 0):
            raise RefusedError(f'Applying label "{name}": {value} is restricted', 403)


def votes_of(server: Server, number: int, patch_set: int, account: int) -> dict[str, int]:
    """An account's votes on a patch set."""
    rows = server.store.all(
        "SELECT label, value FROM approvals WHERE change = ? AND patch_set = ? AND account = ?",
        number,
        patch_set,
        account,
    )
    return {row["label"]: row["value"] for row in rows}


async def review(server: Server, actor: Account, change: Row, patch_set: int, what: Review) -> None:
    """Apply a review. RefusedError when something in it is not permitted; then nothing is done."""
    votes = known_votes(server, change, what.labels)
    check_votes(server, actor, change, votes)
    before = votes_of(server, change["number"], patch_set, actor.id)
    # On an old patch set a vote counts as given anew even if it is the same.
    old = patch_set != change["current"]
    changed = {name: value for name, value in votes.items() if old or before.get(name, 0) != value}
    _check_closed(change, changed, before)
    if what.ready or what.work_in_progress:
        _check_wip(server, actor, change)
    if votes and not (changed or what.message or what.comments or what.reviewers):
        return
    update = await begin(server, actor, change, f"Review\n\nPatch-set: {patch_set}")
    for name, value in changed.items():
        update.insert(
            "approvals",
            patch_set=patch_set,
            account=actor.id,
            label=name,
            value=value,
            granted=update.time,
            tag=what.tag,
            post_submit=int(change["status"] == "MERGED"),
        )
    text = message_text(patch_set, changed, before, len(what.comments), what.message)
    if text is not None:
        update.message(text, patch_set, what.tag)
    for comment in what.comments:
        _publish(update, comment, patch_set, what.tag)
    _states(update, change, actor, what)
    _join_reviewers(server, update, change, actor, bool(changed), text is not None)
    if not what.ignore_attention_rules:
        _attention(server, update, change, actor, what, changed, text is not None)
    if text is not None:
        _tell(server, update, change, patch_set, what, before, changed, text)
    for account, state in what.reviewers:
        add_reviewer(server, update, change, account, state, patch_set)
    await update.batch.commit()


def _tell(
    server: Server,
    update: Update,
    change: Row,
    patch_set: int,
    what: Review,
    before: dict[str, int],
    changed: dict[str, int],
    text: str,
) -> None:
    """The event of a review. A patch-set-level comment stands in place of the message, as in Gerrit."""
    whole = [comment.text for comment in what.comments if comment.path == "/PATCHSET_LEVEL"]
    if whole:
        text = message_text(patch_set, changed, before, 0, whole[0]) or text
    old = {name: before.get(name, 0) for name in changed}
    approvals: dict[str, Any] = {}
    if change["status"] == "NEW" or changed:
        labels = server.settings.labels(change["project"], change["branch"])
        approvals["approvals"] = approvals_of_event(labels, before | changed, old)
    update.event(
        "comment-added",
        author=account_attribute(update.batch.actor),
        **approvals,
        comment=text,
        patch_set=patch_set,
    )


def message_text(
    patch_set: int, changed: dict[str, int], before: dict[str, int], comments: int, message: str
) -> str | None:
    """The change message of a review in Gerrit's form; None if there is nothing to say."""
    words = [
        f"{name}{vote(value)}" if value else f"-{name}"
        for name, value in sorted(changed.items())
        if value or before.get(name)
    ]
    message = message.strip()
    if not words and not comments and not message:
        return None
    parts = [f"Patch Set {patch_set}:" + "".join(f" {word}" for word in words)]
    if comments:
        parts.append(f"({comments} comment{'' if comments == 1 else 's'})")
    if message:
        parts.append(message)
    return "\n\n".join(parts)


def _check_closed(change: Row, changed: dict[str, int], before: dict[str, int]) -> None:
    if change["status"] == "ABANDONED" and changed:
        raise RefusedError("change is closed")
    if change["status"] == "MERGED":
        for name, value in changed.items():
            if value < before.get(name, 0):
                raise RefusedError(
                    "Cannot reduce vote on labels for closed change: "
                    + ", ".join(sorted(name for name, new in changed.items() if new < before.get(name, 0)))
                )


def _check_wip(server: Server, actor: Account, change: Row) -> None:
    access = server.access
    if (
        actor.id != change["owner"]
        and not access.is_owner(actor.id, change["project"])
        and not access.can(actor.id, change["project"], change["branch"], "toggleWipState")
    ):
        raise RefusedError("toggle work in progress state not permitted", 403)


def _publish(update: Update, comment: Comment, patch_set: int, tag: str | None) -> None:
    update.insert(
        "comments",
        id=comment.draft_id or f"{secrets.token_hex(4)}_{secrets.token_hex(4)}",
        patch_set=patch_set,
        draft=0,
        author=update.batch.actor.id,
        path=comment.path,
        text=comment.text,
        position=dumps(comment.position),
        unresolved=int(comment.unresolved),
        updated=update.time,
        tag=tag,
        message=update.id,
    )


def _states(update: Update, change: Row, actor: Account, what: Review) -> None:
    if what.ready and change["wip"]:
        update.set(wip=0, review_started=1)
    elif what.work_in_progress and not change["wip"]:
        update.set(wip=1)
    else:
        return
    update.event("wip-state-changed", changer=account_attribute(actor), patch_set=change["current"])


def add_reviewer(
    server: Server, update: Update, change: Row, account: Account, state: str, patch_set: int
) -> None:
    """Put somebody on a change; reviewers are told as an event, those on CC are not."""
    current = reviewer_state(server, change["number"], account.id)
    if (
        account.id == change["owner"]
        or current == state
        or (current == "REVIEWER" and state == "CC" and _voted(server, change, account))
    ):
        return
    update.reviewer(account.id, state)
    if state == "REVIEWER":
        update.event(
            "reviewer-added",
            reviewer=account_attribute(account),
            adder=account_attribute(update.batch.actor),
            patch_set=patch_set,
        )
        if not change["wip"] and not server.is_service_user(account.id):
            update.attention(account.id, True, "Reviewer was added")


def reviewer_state(server: Server, number: int, account: int) -> str | None:
    """REVIEWER, CC, REMOVED, or None for who was never on the change."""
    state: str | None = server.store.value(
        "SELECT state FROM reviewers WHERE change = ? AND account = ?", number, account
    )
    return state


def _voted(server: Server, change: Row, account: Account) -> bool:
    return any(votes_of(server, change["number"], change["current"], account.id).values())


def _join_reviewers(
    server: Server, update: Update, change: Row, actor: Account, voted: bool, spoke: bool
) -> None:
    """Who votes becomes a reviewer, who only speaks is on CC; the owner is neither unless he votes."""
    state = reviewer_state(server, change["number"], actor.id)
    if voted and state != "REVIEWER":
        update.reviewer(actor.id, "REVIEWER")
    elif spoke and not voted and state in (None, "REMOVED") and actor.id != change["owner"]:
        update.reviewer(actor.id, "CC")


def _attention(
    server: Server,
    update: Update,
    change: Row,
    actor: Account,
    what: Review,
    changed: dict[str, int],
    spoke: bool,
) -> None:
    """Gerrit's rules on whose turn it is, as far as the recordings show them."""
    for account, reason in what.attention_add:
        update.attention(account.id, True, reason, actor.id)
    for account, reason in what.attention_remove:
        update.attention(account.id, False, reason, actor.id)
    touched = {account.id for account, _ in [*what.attention_add, *what.attention_remove]}
    if not spoke or change["status"] != "NEW" or change["wip"]:
        return
    owner = change["owner"]
    if server.is_service_user(actor.id):
        if any(value < 0 for value in changed.values()) and owner not in touched:
            update.attention(owner, True, "A robot voted negatively on a label")
        return
    if actor.id != owner and owner not in touched:
        update.attention(owner, True, "Someone else replied on the change")
    if actor.id not in touched and _in_attention(server, change["number"], actor.id):
        update.attention(actor.id, False, "removed on reply")


def _in_attention(server: Server, number: int, account: int) -> bool:
    row = server.store.one("SELECT active FROM attention WHERE change = ? AND account = ?", number, account)
    return row is not None and bool(row["active"])


def patch_set_number(server: Server, change: Row, text: str) -> int | None:
    """Number of the patch set that a revision id names: number, `current`, or (short) commit id."""
    if text == "current":
        return int(change["current"])
    for row in attributes.patch_sets(server, change["number"]):
        if text == str(row["number"]) or (len(text) >= 4 and row["revision"].startswith(text)):
            return int(row["number"])
    return None
