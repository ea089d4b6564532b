"""/changes: inline comments, drafts, messages, and who is on a change."""

from __future__ import annotations

import re
import secrets
from typing import Any

from xenci.lab_gerrit import attributes, reviewers
from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.change_info import Describer, message_info
from xenci.lab_gerrit.changes import begin
from xenci.lab_gerrit.rest.call import NO_CONTENT, Call, Reply, RestError, Route, not_found, timestamp
from xenci.lab_gerrit.rest.changes import change_of, describer, revision_of
from xenci.lab_gerrit.rest.reviews import resolve, reviewer_answer, reviewer_info, unknown
from xenci.lab_gerrit.review import reviewer_state, votes_of
from xenci.lab_gerrit.store import Row, dumps, loads, now
from xenci.lab_gerrit.views import ChangeView


def comment_info(
    call: Call,
    row: Row,
    *,
    author: bool = True,
    path: bool = False,
    patch_set: bool = True,
    message_id: bool = True,
) -> dict[str, Any]:
    """CommentInfo of a row of comments."""
    describe = Describer(call.server, call.account, frozenset({"DETAILED_ACCOUNTS"}))
    position = loads(row["position"])
    info: dict[str, Any] = {}
    if author and not row["draft"]:
        info["author"] = describe.account(row["author"])
    if row["tag"]:
        info["tag"] = row["tag"]
    if row["message"] and message_id:
        info["change_message_id"] = row["message"]
    info["unresolved"] = bool(row["unresolved"])
    if patch_set:
        info["patch_set"] = row["patch_set"]
    info["id"] = row["id"]
    if path:
        info["path"] = row["path"]
    info |= {
        key: position[key] for key in ("side", "parent", "line", "range", "in_reply_to") if key in position
    }
    info |= {"updated": timestamp(row["updated"]), "message": row["text"]}
    revision = attributes.patch_set(call.server, row["change"], row["patch_set"])
    if revision is not None:
        info["commit_id"] = revision["revision"]
    return info


def _by_path(call: Call, rows: list[Row], **how: bool) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["path"]):
        found.setdefault(row["path"], []).append(comment_info(call, row, **how))
    return found


async def list_comments(call: Call) -> Any:
    """GET /changes/{id}/comments."""
    view = ChangeView(call.server, change_of(call))
    found = _by_path(call, view.comments)
    if call.option("enable-context") == "true":
        padding = call.number("context-padding") or 0
        for path, infos in found.items():
            lines, kind = await _content_lines(view, path)
            for info in infos:
                info["context_lines"] = _context(info, lines, padding)
                info["source_content_type"] = kind if info["context_lines"] else ""
    return found


async def _content_lines(view: ChangeView, path: str) -> tuple[list[str], str]:
    from xenci.lab_gerrit import commits

    repository = view.server.repository(view.project)
    if path == "/COMMIT_MSG":
        parents = await commits.read(repository, *view.commit.parents)
        return commits.commit_message_text(view.commit, parents).split("\n"), "text/x-gerrit-commit-message"
    if path.startswith("/"):
        return [], ""
    text = await repository.git("show", f"{view.current['revision']}:{path}")
    return text.split("\n"), "text/plain"


def _context(info: dict[str, Any], lines: list[str], padding: int) -> list[dict[str, Any]]:
    if "range" in info:
        first, last = info["range"]["start_line"], info["range"]["end_line"]
    elif "line" in info:
        first = last = info["line"]
    else:
        return []
    first, last = max(1, first - padding), min(len(lines), last + padding)
    return [{"line_number": number, "context_line": lines[number - 1]} for number in range(first, last + 1)]


async def list_revision_comments(call: Call) -> Any:
    """GET /changes/{id}/revisions/{rev}/comments."""
    change, row = revision_of(call)
    rows = [
        comment
        for comment in ChangeView(call.server, change).comments
        if comment["patch_set"] == row["number"]
    ]
    return _by_path(call, rows, patch_set=False, message_id=False)


def _comment(call: Call, *, draft: bool) -> tuple[Row, Row]:
    change, revision = revision_of(call)
    text = call.path["comment"]
    row = call.server.store.one(
        "SELECT * FROM comments WHERE change = ? AND id = ? AND draft = ? AND patch_set = ?",
        change["number"],
        text,
        int(draft),
        revision["number"],
    )
    if row is None or (draft and row["author"] != call.account_id):
        raise not_found(text)
    return change, row


async def get_comment(call: Call) -> Any:
    """GET /changes/{id}/revisions/{rev}/comments/{comment}."""
    _, row = _comment(call, draft=False)
    return comment_info(call, row, path=True, patch_set=False, message_id=False)


async def delete_comment(call: Call) -> Any:
    """POST .../comments/{comment}/delete: its text is taken out, it stays."""
    change, row = _comment(call, draft=False)
    call.require_admin()
    reason = str(call.json.get("reason") or "")
    text = f"Comment removed by: {call.user.shown}" + (f"; Reason: {reason}" if reason else "")
    update = await begin(call.server, call.user, change, "Delete comment")
    update.run("UPDATE comments SET text = ?, unresolved = 0 WHERE seq = ?", text, row["seq"])
    await update.batch.commit()
    return await get_comment(call)


async def put_draft(call: Call) -> Any:
    """PUT /changes/{id}/revisions/{rev}/drafts and .../drafts/{comment}."""
    change, revision = revision_of(call)
    body = call.json
    if not body.get("path"):
        raise RestError(400, "path must be non-empty")
    if not str(body.get("message") or "").strip():
        raise RestError(400, "message must be non-empty")
    new = "comment" not in call.path
    number = f"{secrets.token_hex(4)}_{secrets.token_hex(4)}" if new else _comment(call, draft=True)[1]["id"]
    position = {key: body[key] for key in ("line", "range", "side", "parent", "in_reply_to") if body.get(key)}
    call.server.store.replace(
        "comments",
        id=number,
        change=change["number"],
        patch_set=revision["number"],
        draft=1,
        author=call.user.id,
        path=body["path"],
        text=body["message"],
        position=dumps(position),
        unresolved=int(bool(body.get("unresolved"))),
        updated=now(),
    )
    row = call.server.store.one(
        "SELECT * FROM comments WHERE change = ? AND id = ?", change["number"], number
    )
    if row is None:
        raise not_found(number)
    return Reply(comment_info(call, row, path=True, patch_set=False), 201 if new else 200)


async def delete_draft(call: Call) -> Any:
    """DELETE .../drafts/{comment}."""
    _, row = _comment(call, draft=True)
    call.server.store.run("DELETE FROM comments WHERE seq = ?", row["seq"])
    return NO_CONTENT


async def list_drafts(call: Call) -> Any:
    """GET /changes/{id}/drafts: the asking user's own."""
    change = change_of(call)
    rows = call.server.store.all(
        "SELECT * FROM comments WHERE draft AND change = ? AND author = ?", change["number"], call.user.id
    )
    return _by_path(call, rows)


async def get_message(call: Call) -> Any:
    """GET /changes/{id}/messages/{message}."""
    _, row = _message(call)
    return message_info(describer(call, "DETAILED_ACCOUNTS"), row, shown=True)


def _message(call: Call) -> tuple[ChangeView, Row]:
    view = ChangeView(call.server, change_of(call))
    for row in view.messages:
        if row["id"] == call.path["message"]:
            return view, row
    raise not_found(call.path["message"])


async def delete_message(call: Call) -> Any:
    """DELETE and POST .../messages/{message}/delete: the text is replaced by who removed it."""
    view, row = _message(call)
    call.require_admin()
    reason = str(call.json.get("reason") or "")
    text = f"Change message removed by: <GERRIT_ACCOUNT_{call.user.id}>"
    text += f"\nReason: {reason}" if reason else ""
    update = await begin(call.server, call.user, view.row, "Delete change message")
    # Gerrit writes the history of the change anew, so the message gets another id.
    update.run("UPDATE messages SET text = ?, id = ? WHERE seq = ?", text, secrets.token_hex(20), row["seq"])
    await update.batch.commit()
    changed = call.server.store.one("SELECT * FROM messages WHERE seq = ?", row["seq"])
    if changed is None:
        raise not_found(call.path["message"])
    info = message_info(describer(call, "DETAILED_ACCOUNTS"), changed, shown=True)
    return Reply(info, 201 if call.method == "POST" else 200)


# -- reviewers


def _reviewer(call: Call) -> tuple[Row, Account]:
    change = change_of(call)
    text = call.path["reviewer"]
    account = resolve(call, text)
    if account is None or reviewer_state(call.server, change["number"], account.id) not in ("REVIEWER", "CC"):
        raise not_found(text)
    return change, account


async def add_reviewer(call: Call) -> Any:
    """POST /changes/{id}/reviewers."""
    change = change_of(call)
    text = str(call.json.get("reviewer") or "")
    state = call.json.get("state") or "REVIEWER"
    if state not in ("REVIEWER", "CC", "REMOVED"):
        raise RestError(400, "Invalid application/json in request")
    account = resolve(call, text)
    if account is None:
        return Reply({"input": text, "error": unknown(text)}, 400)
    if not await reviewers.add(call.server, call.user, change, account, state):
        return {"input": text, "ccs" if state == "CC" else "reviewers": []}
    return reviewer_answer(call, change, text, account, state)


async def get_reviewer(call: Call) -> Any:
    """GET /changes/{id}/reviewers/{reviewer}."""
    change, account = _reviewer(call)
    return [reviewer_info(call, change, account.id)]


async def delete_reviewer(call: Call) -> Any:
    """DELETE /changes/{id}/reviewers/{reviewer} and POST .../delete."""
    change, account = _reviewer(call)
    await reviewers.remove(call.server, call.user, change, account)
    return NO_CONTENT


async def votes(call: Call) -> Any:
    """GET /changes/{id}/reviewers/{reviewer}/votes."""
    change, account = _reviewer(call)
    return votes_of(call.server, change["number"], change["current"], account.id)


async def delete_vote(call: Call) -> Any:
    """DELETE .../votes/{label} and POST .../votes/{label}/delete."""
    change, account = _reviewer(call)
    await reviewers.delete_vote(call.server, call.user, change, account, call.path["label"])
    return NO_CONTENT


async def suggest(call: Call) -> Any:
    """GET /changes/{id}/suggest_reviewers."""
    change_of(call)
    words = (call.option("q") or "").lower()
    describe = Describer(call.server, call.account, frozenset({"DETAILED_ACCOUNTS"}))
    found = [
        account
        for account in call.server.accounts.all()
        if account.active
        and any(
            word.startswith(words)
            for word in re.split(r"[\s@.]+", f"{account.signature} {account.username}".lower())
        )
    ]
    # A name that begins so counts more than a part of an address.
    found.sort(key=lambda account: words not in f" {account.name} {account.username}".lower())
    return [
        {"account": describe.account(account.id), "count": 1} for account in found[: call.number("n") or 10]
    ]


async def add_attention(call: Call) -> Any:
    """POST /changes/{id}/attention."""
    change, account = _attention_user(call, str(call.json.get("user") or ""))
    await reviewers.attention(
        call.server, call.user, change, account, True, str(call.json.get("reason") or "")
    )
    return Describer(call.server, call.account, frozenset({"DETAILED_ACCOUNTS"})).account(account.id)


async def remove_attention(call: Call) -> Any:
    """DELETE /changes/{id}/attention/{user} and POST .../delete."""
    change, account = _attention_user(call, call.path["user"])
    await reviewers.attention(
        call.server, call.user, change, account, False, str(call.json.get("reason") or "")
    )
    return NO_CONTENT


def _attention_user(call: Call, text: str) -> tuple[Row, Account]:
    change = change_of(call)
    account = resolve(call, text)
    view = ChangeView(call.server, change)
    people = {change["owner"], view.current["uploader"]}
    people |= {row["account"] for state in ("REVIEWER", "CC") for row in view.reviewers[state]}
    if account is None or account.id not in people:
        raise RestError(
            400,
            f"{text} doesn't exist or is not active on the change as an owner, uploader, reviewer, or cc "
            "so they can't be added to the attention set",
        )
    return change, account


_C = "/changes/{change}"
_R = "/changes/{change}/revisions/{revision}"
_W = f"{_C}/reviewers/{{reviewer}}"
routes = [
    Route("GET", f"{_C}/comments", list_comments),
    Route("GET", f"{_R}/comments", list_revision_comments),
    Route("GET", f"{_R}/comments/{{comment}}", get_comment),
    Route("POST", f"{_R}/comments/{{comment}}/delete", delete_comment),
    Route("GET", f"{_C}/drafts", list_drafts),
    Route("GET", f"{_R}/drafts", list_drafts),
    Route("PUT", f"{_R}/drafts", put_draft),
    Route("PUT", f"{_R}/drafts/{{comment}}", put_draft),
    Route("DELETE", f"{_R}/drafts/{{comment}}", delete_draft),
    Route("GET", f"{_C}/messages/{{message}}", get_message),
    Route("DELETE", f"{_C}/messages/{{message}}", delete_message),
    Route("POST", f"{_C}/messages/{{message}}/delete", delete_message),
    Route("POST", f"{_C}/reviewers", add_reviewer),
    Route("GET", _W, get_reviewer),
    Route("DELETE", _W, delete_reviewer),
    Route("POST", f"{_W}/delete", delete_reviewer),
    Route("GET", f"{_W}/votes", votes),
    Route("DELETE", f"{_W}/votes/{{label}}", delete_vote),
    Route("POST", f"{_W}/votes/{{label}}/delete", delete_vote),
    Route("GET", f"{_C}/suggest_reviewers", suggest),
    Route("POST", f"{_C}/attention", add_attention),
    Route("DELETE", f"{_C}/attention/{{user}}", remove_attention),
    Route("POST", f"{_C}/attention/{{user}}/delete", remove_attention),
]
