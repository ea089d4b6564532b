"""/changes: everything that changes one besides votes."""

from __future__ import annotations

from typing import Any

from xenci.lab_gerrit import attributes, life, submit
from xenci.lab_gerrit.change_info import Describer, options
from xenci.lab_gerrit.rest.call import NO_CONTENT, Call, Reply, RestError, Route, not_found
from xenci.lab_gerrit.rest.changes import change_of, info, revision_of
from xenci.lab_gerrit.store import Row
from xenci.lab_gerrit.views import ChangeView


def text_of(call: Call, key: str) -> str:
    """A text field of the body; empty if not given."""
    value = call.json.get(key)
    if value is not None and not isinstance(value, str):
        raise RestError(400, "Invalid application/json in request")
    return value or ""


async def create(call: Call) -> Any:
    """POST /changes/."""
    for key in ("project", "branch"):
        if not text_of(call, key):
            raise RestError(400, f"{key} must be non-empty")
    project = call.json["project"]
    if not call.server.access.can_see_project(call.account_id, project):
        raise RestError(422, f"Project Not Found: {project}")
    number = await life.create_change(call.server, call.user, call.json)
    row = call.server.change(number)
    if row is None:
        raise not_found(str(number))
    return Reply(info(call, row), 201)


async def submit_change(call: Call) -> Any:
    """POST /changes/{id}/submit and .../revisions/{rev}/submit."""
    change = change_of(call)
    await submit.submit(call.server, call.user, change)
    return info(call, change)


async def submitted_together(call: Call) -> Any:
    """GET /changes/{id}/submitted_together: empty for a change that is merged alone."""
    change = change_of(call)
    views = await submit.submitted_together(call.server, change)
    if change["status"] == "MERGED":
        rows = call.server.store.all(
            "SELECT * FROM changes WHERE submission_id = ? AND status = 'MERGED' ORDER BY number DESC",
            change["submission_id"],
        )
        views = [ChangeView(call.server, row) for row in reversed(rows)]
    names = [name for name in call.options("o") if name != "NON_VISIBLE_CHANGES"]
    wanted = options(names, call.option("O")) | {"SUBMITTABLE", "CURRENT_REVISION"}
    describe = Describer(call.server, call.account, wanted)
    seen = [view for view in views if call.server.access.can_see_change(call.account_id, view.row)]
    infos = [describe.change(view) for view in reversed(seen)] if len(seen) > 1 else []
    if "NON_VISIBLE_CHANGES" in call.options("o"):
        return {"changes": infos, "non_visible_changes": len(views) - len(seen)}
    return infos


async def mergeable(call: Call) -> Any:
    """GET /changes/{id}/revisions/{rev}/mergeable."""
    change, row = revision_of(call)
    if change["status"] != "NEW":
        raise RestError(409, f"change is {change['status'].lower()}")
    view = ChangeView(call.server, change)
    answer: dict[str, Any] = {
        "submit_type": call.server.settings.config(view.project, "submit_type"),
        "strategy": "recursive",
        "mergeable": await submit.mergeable(call.server, view, row),
        "commit_merged": False,
        "content_merged": False,
    }
    if call.option("other-branches") is not None:
        answer["mergeable_into"] = []
    return answer


async def included_in(call: Call) -> Any:
    """GET /changes/{id}/in."""
    view = ChangeView(call.server, change_of(call))
    lines = await call.server.repository(view.project).git(
        "for-each-ref",
        "--format=%(refname)",
        f"--contains={view.current['revision']}",
        "refs/heads",
        "refs/tags",
    )
    refs = lines.split()
    return {
        "branches": [ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")],
        "tags": [ref.removeprefix("refs/tags/") for ref in refs if ref.startswith("refs/tags/")],
    }


async def abandon(call: Call) -> Any:
    """POST /changes/{id}/abandon."""
    change = change_of(call)
    await life.abandon(call.server, call.user, change, text_of(call, "message"))
    return info(call, change)


async def restore(call: Call) -> Any:
    """POST /changes/{id}/restore."""
    change = change_of(call)
    await life.restore(call.server, call.user, change, text_of(call, "message"))
    return info(call, change)


async def rebase(call: Call) -> Any:
    """POST /changes/{id}/rebase and .../revisions/{rev}/rebase."""
    change = change_of(call)
    base = call.json.get("base")
    await life.rebase(
        call.server, call.user, change, base, allow_conflicts=bool(call.json.get("allow_conflicts"))
    )
    return info(call, change, "CURRENT_REVISION", "CURRENT_COMMIT")


async def cherry_pick(call: Call) -> Any:
    """POST /changes/{id}/revisions/{rev}/cherrypick."""
    change, row = revision_of(call)
    destination = text_of(call, "destination")
    if not destination:
        raise RestError(400, "destination must be non-empty")
    number = await life.cherry_pick(
        call.server, call.user, change, row, destination, text_of(call, "message") or None
    )
    return _info_of(call, number)


async def revert(call: Call) -> Any:
    """POST /changes/{id}/revert."""
    change = change_of(call)
    number = await life.revert(
        call.server, call.user, change, text_of(call, "message") or None, text_of(call, "topic") or None
    )
    return _info_of(call, number)


async def revert_submission(call: Call) -> Any:
    """POST /changes/{id}/revert_submission."""
    return {"revert_changes": [await revert(call)]}


def _info_of(call: Call, number: int) -> dict[str, Any]:
    row = call.server.change(number)
    if row is None:
        raise not_found(str(number))
    return info(call, row)


async def set_wip(call: Call) -> Any:
    """POST /changes/{id}/wip."""
    return await _wip(call, True)


async def set_ready(call: Call) -> Any:
    """POST /changes/{id}/ready."""
    return await _wip(call, False)


async def _wip(call: Call, wip: bool) -> Any:
    await life.set_wip(call.server, call.user, change_of(call), wip, text_of(call, "message"))
    return Reply("")


async def set_private(call: Call) -> Any:
    """POST and PUT /changes/{id}/private."""
    changed = await life.set_private(call.server, call.user, change_of(call), True, text_of(call, "message"))
    return Reply("", 201 if changed else 200)


async def unset_private(call: Call) -> Any:
    """DELETE /changes/{id}/private."""
    await life.set_private(call.server, call.user, change_of(call), False, text_of(call, "message"))
    return NO_CONTENT


async def set_topic(call: Call) -> Any:
    """PUT and DELETE /changes/{id}/topic."""
    topic = "" if call.method == "DELETE" else text_of(call, "topic").strip()
    await life.set_topic(call.server, call.user, change_of(call), topic)
    return topic if topic else NO_CONTENT


async def set_hashtags(call: Call) -> Any:
    """POST /changes/{id}/hashtags."""
    change = change_of(call)
    await life.set_hashtags(
        call.server,
        call.user,
        change,
        list(call.json.get("add") or []),
        list(call.json.get("remove") or []),
    )
    return attributes.hashtags(call.server, change["number"])


async def set_custom_values(call: Call) -> Any:
    """POST /changes/{id}/custom_keyed_values."""
    add = {str(key): str(value) for key, value in (call.json.get("add") or {}).items()}
    return await life.set_custom_values(
        call.server, call.user, change_of(call), add, list(call.json.get("remove") or [])
    )


async def set_description(call: Call) -> Any:
    """PUT /changes/{id}/revisions/{rev}/description."""
    change, row = revision_of(call)
    text = text_of(call, "description")
    await life.set_description(call.server, call.user, change, row["number"], text)
    return text if text else NO_CONTENT


async def set_message(call: Call) -> Any:
    """PUT /changes/{id}/message."""
    await life.set_message(call.server, call.user, change_of(call), text_of(call, "message"))
    return "ok"


async def move(call: Call) -> Any:
    """POST /changes/{id}/move."""
    change = change_of(call)
    await life.move(call.server, call.user, change, text_of(call, "destination_branch"))
    return info(call, change)


async def delete(call: Call) -> Any:
    """DELETE /changes/{id}."""
    await life.delete(call.server, call.user, change_of(call))
    return NO_CONTENT


async def index(call: Call) -> Any:
    """POST /changes/{id}/index: there is no index to refresh."""
    change_of(call)
    return NO_CONTENT


async def pure_revert(call: Call) -> Any:
    """GET /changes/{id}/pure_revert."""
    change: Row = change_of(call)
    if not change["revert_of"]:
        raise RestError(400, "revertOf not set")
    return {"is_pure_revert": True}


_C = "/changes/{change}"
_R = "/changes/{change}/revisions/{revision}"
routes = [
    Route("POST", "/changes", create),
    Route("DELETE", _C, delete),
    Route("POST", f"{_C}/submit", submit_change),
    Route("POST", f"{_R}/submit", submit_change),
    Route("GET", f"{_C}/submitted_together", submitted_together),
    Route("GET", f"{_C}/in", included_in),
    Route("POST", f"{_C}/abandon", abandon),
    Route("POST", f"{_C}/restore", restore),
    Route("POST", f"{_C}/rebase", rebase),
    Route("POST", f"{_R}/rebase", rebase),
    Route("POST", f"{_R}/cherrypick", cherry_pick),
    Route("POST", f"{_C}/revert", revert),
    Route("POST", f"{_C}/revert_submission", revert_submission),
    Route("POST", f"{_C}/wip", set_wip),
    Route("POST", f"{_C}/ready", set_ready),
    Route("POST", f"{_C}/private", set_private),
    Route("PUT", f"{_C}/private", set_private),
    Route("DELETE", f"{_C}/private", unset_private),
    Route("PUT", f"{_C}/topic", set_topic),
    Route("DELETE", f"{_C}/topic", set_topic),
    Route("POST", f"{_C}/hashtags", set_hashtags),
    Route("POST", f"{_C}/custom_keyed_values", set_custom_values),
    Route("PUT", f"{_R}/description", set_description),
    Route("PUT", f"{_C}/message", set_message),
    Route("POST", f"{_C}/move", move),
    Route("POST", f"{_C}/index", index),
    Route("GET", f"{_C}/pure_revert", pure_revert),
    Route("GET", f"{_R}/mergeable", mergeable),
]
