"""/changes: votes, messages, comments, reviewers."""

from __future__ import annotations

from typing import Any

from xenci.lab_gerrit import javahash
from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.change_info import Describer
from xenci.lab_gerrit.labels import padded
from xenci.lab_gerrit.rest.call import Call, Reply, RestError, Route
from xenci.lab_gerrit.rest.changes import change_of, info, revision_of
from xenci.lab_gerrit.review import Comment, Review, known_votes, review, votes_of
from xenci.lab_gerrit.store import Row, dumps, loads
from xenci.lab_gerrit.views import MAGIC, ChangeView

_NOTIFY = ("NONE", "OWNER", "OWNER_REVIEWERS", "ALL")


def check_types(call: Call, **types: type | tuple[type, ...]) -> None:
    """400 if a known field of the body has another type; unknown fields are ignored, as in Gerrit."""
    for key, kind in types.items():
        value = call.json.get(key)
        if value is not None and not isinstance(value, kind):
            raise RestError(400, "Invalid application/json in request")
    if call.json.get("notify") not in (None, *_NOTIFY):
        raise RestError(400, "Invalid application/json in request")


def resolve(call: Call, text: str) -> Account | None:
    """Account that a reviewer field names."""
    if text == "self":
        return call.user
    found = call.server.accounts.find(text)
    return found[0] if len(found) == 1 else None


async def post(call: Call) -> Any:
    """POST /changes/{id}/revisions/{rev}/review."""
    change, row = revision_of(call)
    body = call.json
    check_types(call, message=str, tag=str, labels=dict, comments=dict, reviewers=list, drafts=str)
    if body.get("ready") and body.get("work_in_progress"):
        return Reply({"error": "work_in_progress and ready are mutually exclusive"}, 400)
    labels = _labels(body.get("labels") or {})
    if body.get("on_behalf_of"):
        _behalf(call, change, labels)
    comments = _comments(call, change, row)
    reviewers, answers = _reviewers(call, change)
    what = Review(
        labels=labels,
        message=body.get("message") or "",
        tag=body.get("tag") or None,
        comments=comments,
        ready=bool(body.get("ready")),
        work_in_progress=bool(body.get("work_in_progress")),
        reviewers=reviewers,
        attention_add=_attention(call, "add_to_attention_set"),
        attention_remove=_attention(call, "remove_from_attention_set"),
        ignore_attention_rules=bool(body.get("ignore_automatic_attention_set_rules")),
    )
    await review(call.server, call.user, change, row["number"], what)
    answer: dict[str, Any] = {}
    if "labels" in body:
        known = known_votes(call.server, change, labels)
        names = {name.lower(): value for name, value in known.items()}
        answer["labels"] = {name: names[name.lower()] for name in labels if name.lower() in names}
    if answers:
        answer["reviewers"] = answers
    if body.get("ready"):
        answer["ready"] = True
    return answer | {"change_info": info(call, change)}


def _labels(labels: dict[str, Any]) -> dict[str, int]:
    found = {}
    for name, value in labels.items():
        try:
            found[name] = int(value)
        except (TypeError, ValueError):
            raise RestError(400, "Invalid application/json in request") from None
    return found


def _behalf(call: Call, change: Row, labels: dict[str, int]) -> None:
    who = call.json["on_behalf_of"]
    for name in labels or {"": 0}:
        raise RestError(403, f'not permitted to modify label "{name}" on behalf of "{who}"')


def _comments(call: Call, change: Row, row: Row) -> list[Comment]:
    files = set(loads(row["files"])) | set(MAGIC)
    found = []
    present = {
        (old["path"], old["text"], old["position"]): True
        for old in ChangeView(call.server, change).comments
        if call.json.get("omit_duplicate_comments")
    }
    for path, entries in (call.json.get("comments") or {}).items():
        if entries and path not in files:
            raise RestError(400, f"file {path} not found in revision {change['number']},{row['number']}")
        for entry in entries:
            comment = _comment(path, entry)
            if comment is None:
                continue
            if (path, comment.text, dumps(comment.position)) not in present:
                found.append(comment)
    if call.json.get("drafts") in ("PUBLISH", "PUBLISH_ALL_REVISIONS"):
        found += _drafts(call, change, row)
    return found


def _comment(path: str, entry: dict[str, Any]) -> Comment | None:
    if not str(entry.get("message") or "").strip():
        return None
    where = entry.get("range")
    if where is not None:
        start = (where.get("start_line", 0), where.get("start_character", 0))
        end = (where.get("end_line", 0), where.get("end_character", 0))
        if start[0] < 1 or end < start or min(*start, *end) < 0:
            raise RestError(
                400,
                f"Range ({start[0]}:{start[1]} - {end[0]}:{end[1]}) is not valid for the comment on {path}",
            )
    position = {
        key: entry[key] for key in ("line", "range", "side", "parent", "in_reply_to") if entry.get(key)
    }
    if where is not None:
        position["line"] = where["end_line"]
    return Comment(path, entry["message"], position, bool(entry.get("unresolved")))


def _drafts(call: Call, change: Row, row: Row) -> list[Comment]:
    rows = call.server.store.all(
        "SELECT * FROM comments WHERE draft AND change = ? AND author = ?", change["number"], call.user.id
    )
    wanted = [
        draft
        for draft in rows
        if call.json["drafts"] == "PUBLISH_ALL_REVISIONS" or draft["patch_set"] == row["number"]
    ]
    return [
        Comment(
            draft["path"], draft["text"], loads(draft["position"]), bool(draft["unresolved"]), draft["id"]
        )
        for draft in wanted
    ]


def _attention(call: Call, key: str) -> list[tuple[Account, str]]:
    found = []
    for entry in call.json.get(key) or []:
        account = resolve(call, str(entry.get("user", "")))
        if account is not None:
            found.append((account, str(entry.get("reason", ""))))
    return found


def _reviewers(call: Call, change: Row) -> tuple[list[tuple[Account, str]], dict[str, Any]]:
    people: list[tuple[Account, str]] = []
    answers: dict[str, Any] = {}
    for entry in call.json.get("reviewers") or []:
        text = str(entry.get("reviewer", ""))
        account = resolve(call, text)
        if account is None:
            answers[text] = {"input": text, "error": unknown(text)}
            continue
        state = entry.get("state") or "REVIEWER"
        people.append((account, state))
        answers[text] = reviewer_answer(call, change, text, account, state)
    if any("error" in answer for answer in answers.values()):
        raise RestError(400, "error adding reviewer")
    return people, answers


def unknown(text: str) -> str:
    """What is said of a reviewer who is nobody."""
    return f"Account '{text}' not found\n{text} does not identify a registered user or group"


def reviewer_answer(call: Call, change: Row, text: str, account: Account, state: str) -> dict[str, Any]:
    """ReviewerResult."""
    entry = reviewer_info(call, change, account.id)
    return {"input": text, "ccs" if state == "CC" else "reviewers": [entry]}


def reviewer_info(call: Call, change: Row, account: int) -> dict[str, Any]:
    """ReviewerInfo: votes on the labels that the account may give, or has given."""
    view = ChangeView(call.server, change)
    describe = Describer(call.server, call.account, frozenset({"DETAILED_ACCOUNTS"}))
    votes = votes_of(call.server, change["number"], change["current"], account)
    approvals = {}
    for name, label in view.labels.items():
        if name in votes or any(describe.range(view, label, account)):
            approvals[name] = padded(votes.get(name, 0))
    return {"approvals": approvals} | describe.account(account)


async def list_reviewers(call: Call) -> Any:
    """GET /changes/{id}/reviewers/."""
    change = change_of(call)
    view = ChangeView(call.server, change)
    people = javahash.numbers(row["account"] for state in ("REVIEWER", "CC") for row in view.reviewers[state])
    return [reviewer_info(call, change, account) for account in people]


_C = "/changes/{change}"
_R = "/changes/{change}/revisions/{revision}"
routes = [
    Route("POST", f"{_R}/review", post),
    Route("GET", f"{_C}/reviewers", list_reviewers),
]
