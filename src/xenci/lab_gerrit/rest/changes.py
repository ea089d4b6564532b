"""/changes: reading and searching."""

from __future__ import annotations

import re
from typing import Any

from xenci.lab_gerrit import attributes, requirements
from xenci.lab_gerrit.change_info import DETAIL, Describer, commit_info, file_infos, message_info, options
from xenci.lab_gerrit.expressions import QueryError
from xenci.lab_gerrit.query import LoginNeededError, search
from xenci.lab_gerrit.rest.call import Call, RestError, Route, not_found
from xenci.lab_gerrit.review import patch_set_number
from xenci.lab_gerrit.server import full_ref
from xenci.lab_gerrit.store import Row, loads
from xenci.lab_gerrit.views import ChangeView


def find_change(call: Call, text: str) -> Row:
    """The change that an identifier names: number, project~number, triplet or Change-Id; 404 otherwise."""
    store = call.server.store
    rows: list[Row] = []
    parts = text.rsplit("~", 2)
    if text.isdigit():
        rows = store.all("SELECT * FROM changes WHERE number = ?", int(text))
    elif len(parts) == 2 and parts[1].isdigit():
        rows = store.all("SELECT * FROM changes WHERE project = ? AND number = ?", parts[0], int(parts[1]))
    elif len(parts) == 3 and parts[2].isdigit():
        rows = store.all(
            "SELECT * FROM changes WHERE project = ? AND number = ?", "~".join(parts[:2]), int(parts[2])
        )
    elif len(parts) == 3:
        rows = store.all(
            "SELECT * FROM changes WHERE project = ? AND branch = ? AND change_id = ?",
            parts[0],
            full_ref(parts[1]),
            parts[2],
        )
    elif re.fullmatch(r"I[0-9a-f]{4,40}", text):
        rows = store.all("SELECT * FROM changes WHERE change_id LIKE ? || '%'", text)
    visible = [row for row in rows if call.server.access.can_see_change(call.account_id, row)]
    if len(visible) != 1:
        raise not_found(text)
    return visible[0]


def change_of(call: Call) -> Row:
    """The change of a request."""
    return find_change(call, call.path["change"])


def revision_of(call: Call) -> tuple[Row, Row]:
    """Change and patch set of a request."""
    change = change_of(call)
    text = call.path["revision"]
    number = patch_set_number(call.server, change, text)
    row = attributes.patch_set(call.server, change["number"], number) if number is not None else None
    if row is None:
        raise not_found(text)
    return change, row


def describer(call: Call, *more: str) -> Describer:
    """For the options that a request asks, and some more."""
    wanted = options(call.options("o"), call.option("O")) | set(more)
    return Describer(call.server, call.account, frozenset(wanted))


def info(call: Call, change: Row, *more: str) -> dict[str, Any]:
    """ChangeInfo of a change as it is now."""
    row = call.server.change(change["number"])
    if row is None:
        raise not_found(str(change["number"]))
    return describer(call, *more).change(ChangeView(call.server, row))


async def query(call: Call) -> Any:
    """GET /changes/?q=..."""
    call.known_options(
        "q", "n", "S", "start", "o", "O", "no-limit", "limit", "query", "allow-incomplete-results"
    )
    limit = call.number("n") if call.option("n") is not None else call.number("limit")
    start = (call.number("S") if call.option("S") is not None else call.number("start")) or 0
    if start < 0:
        raise RestError(400, "'start' parameter cannot be less than zero")
    describe = describer(call)
    texts = call.options("q") + call.options("query")
    if call.option("no-limit") is not None:
        limit = 0
    answers = []
    for text in texts or ["status:open"]:
        try:
            found, more = search(
                call.server, call.account, text, limit=limit if (limit or 0) >= 0 else None, start=start
            )
        except LoginNeededError as error:
            raise RestError(403, str(error)) from error
        except QueryError as error:
            raise RestError(400, str(error)) from error
        infos = [describe.change(view) for view in found]
        if more and infos:
            infos[-1]["_more_changes"] = True
        answers.append(infos)
    return answers if len(texts) > 1 else answers[0]


async def get(call: Call) -> Any:
    """GET /changes/{id}."""
    return info(call, change_of(call))


async def detail(call: Call) -> Any:
    """GET /changes/{id}/detail."""
    return info(call, change_of(call), *DETAIL)


async def check(call: Call) -> Any:
    """GET and POST /changes/{id}/check."""
    return info(call, change_of(call), "CHECK")


async def meta_diff(call: Call) -> Any:
    """GET /changes/{id}/meta_diff: no difference is told, only the change as it is."""
    now = info(call, change_of(call))
    return {"old_change_info": now, "new_change_info": now, "added": {}, "removed": {}}


async def messages(call: Call) -> Any:
    """GET /changes/{id}/messages."""
    view = ChangeView(call.server, change_of(call))
    describe = describer(call, "DETAILED_ACCOUNTS")
    return [message_info(describe, row, shown=True) for row in view.messages]


async def message_text(call: Call) -> Any:
    """GET /changes/{id}/message: the commit message."""
    commit = ChangeView(call.server, change_of(call)).commit
    return {"subject": commit.subject, "full_message": commit.message, "footers": dict(commit.footers)}


async def commit(call: Call) -> Any:
    """GET /changes/{id}/revisions/{rev}/commit."""
    _, row = revision_of(call)
    return commit_info(attributes.commit_of(row), loads(row["commit_info"]), sha=True)


async def related(call: Call) -> Any:
    """GET /changes/{id}/revisions/{rev}/related: open and merged changes of the same series."""
    change, row = revision_of(call)
    return {"changes": related_changes(call, change, row)}


def related_changes(call: Call, change: Row, row: Row) -> list[dict[str, Any]]:
    """RelatedChangeAndCommitInfo of a series, the top first; empty for a change that stands alone."""
    store = call.server.store
    rows = store.all(
        "SELECT p.*, c.current, c.status, c.change_id, c.project FROM patch_sets p JOIN changes c "
        "ON c.number = p.change WHERE c.project = ? AND c.branch = ?",
        change["project"],
        change["branch"],
    )
    by_sha = {other["revision"]: other for other in rows}
    parents = {sha: list(loads(other["commit_info"])["parents"]) for sha, other in by_sha.items()}
    latest = {other["change"]: other for other in rows if other["number"] == other["current"]}
    below = _ancestors(row["revision"], parents, by_sha)
    above = _descendants(change["number"], parents, by_sha, latest)
    series: dict[int, Row] = {}
    for other in [*above, row, *below]:
        full = by_sha[other["revision"]]
        series.setdefault(full["change"], full)
    if len(series) < 2:
        return []
    shown = []
    for other in series.values():
        target = call.server.change(other["change"])
        if target is not None and call.server.access.can_see_change(call.account_id, target):
            shown.append(_related_info(other))
    return shown


def _ancestors(sha: str, parents: dict[str, list[str]], by_sha: dict[str, Row]) -> list[Row]:
    found: list[Row] = []
    queue = list(parents.get(sha, []))
    while queue:
        parent = queue.pop(0)
        if parent in by_sha and by_sha[parent] not in found:
            found.append(by_sha[parent])
            queue += parents[parent]
    return found


def _descendants(
    number: int, parents: dict[str, list[str]], by_sha: dict[str, Row], latest: dict[int, Row]
) -> list[Row]:
    """Current patch sets that build on any patch set of the change, the farthest first."""
    known = {sha for sha, other in by_sha.items() if other["change"] == number}
    found: list[Row] = []
    grew = True
    while grew:
        grew = False
        for other in latest.values():
            sha = other["revision"]
            if sha not in known and other["change"] != number and known & set(parents[sha]):
                known |= {key for key, value in by_sha.items() if value["change"] == other["change"]}
                found.insert(0, other)
                grew = True
    return found


def _related_info(row: Row) -> dict[str, Any]:
    commit = attributes.commit_of(row)
    author = commit_info(commit, {})["author"]
    return {
        "project": row["project"],
        "change_id": row["change_id"],
        "commit": {
            "commit": commit.sha,
            "parents": [{"commit": parent} for parent in commit.parents],
            "author": author,
            "subject": commit.subject,
        },
        "_change_number": row["change"],
        "_revision_number": row["number"],
        "_current_revision_number": row["current"],
        "status": row["status"],
    }


async def files(call: Call) -> Any:
    """GET /changes/{id}/revisions/{rev}/files, against the default base, a patch set or a parent."""
    from xenci.lab_gerrit import revision_files

    change, row = revision_of(call)
    base, parent = call.option("base"), call.number("parent")
    if base is not None and base != "0":
        other = attributes.patch_set(call.server, change["number"], int(base)) if base.isdigit() else None
        if other is None:
            raise not_found(base)
        return await revision_files.between(call.server, change, other, row)
    if parent is not None:
        return await revision_files.against_parent(call.server, change, row, parent)
    return file_infos(row, magic=True)


async def submit_type(call: Call) -> Any:
    """GET /changes/{id}/revisions/{rev}/submit_type."""
    change, _ = revision_of(call)
    return call.server.settings.config(change["project"], "submit_type")


async def actions(call: Call) -> Any:
    """GET /changes/{id}/revisions/{rev}/actions."""
    change, _ = revision_of(call)
    return describer(call).revision_actions(ChangeView(call.server, change))


async def revision_review(call: Call) -> Any:
    """GET /changes/{id}/revisions/{rev}/review."""
    change, _ = revision_of(call)
    return info(call, change, "DETAILED_LABELS", "DETAILED_ACCOUNTS", "CURRENT_REVISION")


async def description(call: Call) -> Any:
    """GET /changes/{id}/revisions/{rev}/description."""
    _, row = revision_of(call)
    return row["description"] or ""


async def topic(call: Call) -> Any:
    """GET /changes/{id}/topic."""
    return change_of(call)["topic"] or ""


async def hashtags(call: Call) -> Any:
    """GET /changes/{id}/hashtags."""
    return attributes.hashtags(call.server, change_of(call)["number"])


async def attention(call: Call) -> Any:
    """GET /changes/{id}/attention."""
    described = info(call, change_of(call), "DETAILED_ACCOUNTS")
    return list(described.get("attention_set", {}).values())


async def check_requirement(call: Call) -> Any:
    """POST /changes/{id}/check.submit_requirement: what an expression would say."""
    view = ChangeView(call.server, change_of(call))
    if not call.json.get("name") or not call.json.get("submittability_expression"):
        raise RestError(400, "Field 'name' is missing from input.")
    return requirements.result(view, call.json["name"], call.json)


async def only_posted(call: Call) -> Any:
    """GET of what can only be posted."""
    change_of(call)
    raise not_found("check.submit_requirement")


async def nothing(call: Call) -> Any:
    """An endpoint that has nothing to tell here."""
    change_of(call)
    return {"validation_options": []}


async def robot_comments(call: Call) -> Any:
    """GET /changes/{id}/robotcomments: gone since 3.13."""
    change_of(call)
    raise RestError(404, "robot comments unsupported")


_C = "/changes/{change}"
_R = "/changes/{change}/revisions/{revision}"
routes = [
    Route("GET", "/changes", query),
    Route("GET", _C, get),
    Route("GET", f"{_C}/detail", detail),
    Route("GET", f"{_C}/check", check),
    Route("POST", f"{_C}/check", check),
    Route("GET", f"{_C}/meta_diff", meta_diff),
    Route("GET", f"{_C}/messages", messages),
    Route("GET", f"{_C}/message", message_text),
    Route("GET", f"{_C}/topic", topic),
    Route("GET", f"{_C}/hashtags", hashtags),
    Route("GET", f"{_C}/attention", attention),
    Route("GET", f"{_C}/validation-options", nothing),
    Route("GET", f"{_C}/robotcomments", robot_comments),
    Route("POST", f"{_C}/check.submit_requirement", check_requirement),
    Route("GET", f"{_C}/check.submit_requirement", only_posted),
    Route("GET", f"{_R}/commit", commit),
    Route("GET", f"{_R}/related", related),
    Route("GET", f"{_R}/files", files),
    Route("GET", f"{_R}/submit_type", submit_type),
    Route("GET", f"{_R}/actions", actions),
    Route("GET", f"{_R}/review", revision_review),
    Route("GET", f"{_R}/description", description),
]
