"""/changes/{id}/edit: a change edited in the browser; until published a commit on a ref of its author."""

from __future__ import annotations

from typing import Any

from xenci.lab_gerrit import attributes, commits
from xenci.lab_gerrit.batch import Batch
from xenci.lab_gerrit.change_info import person
from xenci.lab_gerrit.changes import Options, add_patch_set
from xenci.lab_gerrit.commits import Commit
from xenci.lab_gerrit.git import ZERO
from xenci.lab_gerrit.life import committer_of
from xenci.lab_gerrit.rest.call import NO_CONTENT, Call, RestError, Route, not_found
from xenci.lab_gerrit.rest.changes import change_of
from xenci.lab_gerrit.store import Row


def _ref(call: Call, change: Row) -> str:
    number = call.user.id
    return f"refs/users/{number % 100:02}/{number}/edit-{change['number']}/{change['current']}"


async def _edit(call: Call, change: Row) -> Commit | None:
    repository = call.server.repository(change["project"])
    ref = _ref(call, change)
    revision = (await repository.refs(ref)).get(ref)
    return await commits.one(repository, revision) if revision else None


async def _base(call: Call, change: Row) -> Commit:
    """What an edit starts from: the edit that is there, or the current patch set."""
    edit = await _edit(call, change)
    if edit is not None:
        return edit
    row = attributes.patch_set(call.server, change["number"], change["current"])
    if row is None:
        raise not_found("edit")
    return attributes.commit_of(row)


async def _save(call: Call, change: Row, tree: str, message: str) -> None:
    repository = call.server.repository(change["project"])
    base = await _base(call, change)
    old = await _edit(call, change)
    new = await repository.commit_tree(
        tree, list(base.parents), message, base.author.line, committer_of(call.user).line
    )
    ref, before = _ref(call, change), old.sha if old else ZERO
    await repository.update_refs([(ref, before, new)])
    call.server.emit_ref_updated(call.user, change["project"], ref, before, new)


def _open(call: Call) -> Row:
    change = change_of(call)
    if change["status"] != "NEW":
        raise RestError(409, f"change {change['number']} is {change['status'].lower()}")
    if call.user.id != change["owner"] and not call.server.access.can(
        call.account_id, change["project"], f"refs/for/{change['branch']}", "addPatchSet"
    ):
        raise RestError(403, "edit not permitted")
    return change


async def get_edit(call: Call) -> Any:
    """GET /changes/{id}/edit: 204 where there is none."""
    change = change_of(call)
    edit = await _edit(call, change)
    base = attributes.patch_set(call.server, change["number"], change["current"])
    if edit is None or base is None:
        return NO_CONTENT
    return {
        "commit": {
            "commit": edit.sha,
            "parents": [{"commit": parent} for parent in edit.parents],
            "author": person(edit.author),
            "committer": person(edit.committer),
            "subject": edit.subject,
            "message": edit.message,
        },
        "base_patch_set_number": base["number"],
        "base_revision": base["revision"],
        "ref": _ref(call, change),
    }


async def put_file(call: Call) -> Any:
    """PUT /changes/{id}/edit/{path}: the body is the file."""
    change = _open(call)
    base = await _base(call, change)
    repository = call.server.repository(change["project"])
    blob = (await repository.git_bytes("hash-object", "-w", "--stdin", stdin=call.body)).decode().strip()
    index = repository.path / f"edit-{change['number']}-{call.user.id}.index"
    environment = {"GIT_INDEX_FILE": str(index)}
    try:
        await repository.git("read-tree", base.tree, env=environment)
        entry = f"100644,{blob},{call.path['path']}"
        await repository.git("update-index", "--add", "--cacheinfo", entry, env=environment)
        tree = await repository.git("write-tree", env=environment)
    finally:
        index.unlink(missing_ok=True)
    await _save(call, change, tree, base.message)
    return NO_CONTENT


async def put_message(call: Call) -> Any:
    """PUT /changes/{id}/edit:message."""
    change = _open(call)
    base = await _base(call, change)
    message = (call.json.get("message") or "").strip("\n") + "\n"
    if message == base.message:
        raise RestError(409, "New commit message cannot be same as existing commit message")
    await _save(call, change, base.tree, message)
    return NO_CONTENT


async def publish(call: Call) -> Any:
    """POST /changes/{id}/edit:publish: the edit becomes a patch set."""
    change = change_of(call)
    edit = await _edit(call, change)
    if edit is None:
        raise RestError(409, f"no edit exists for change {change['number']}")
    batch = Batch(call.server, change["project"], call.user)
    text = f"Patch Set {change['current'] + 1}: Published edit on patch set {change['current']}."
    await add_patch_set(batch, change, edit, Options(), message=text)
    batch.ref(_ref(call, change), edit.sha, ZERO)
    await batch.commit()
    return NO_CONTENT


async def delete_edit(call: Call) -> Any:
    """DELETE /changes/{id}/edit."""
    change = change_of(call)
    edit = await _edit(call, change)
    if edit is None:
        raise RestError(404, "Not Found")
    ref = _ref(call, change)
    await call.server.repository(change["project"]).update_refs([(ref, edit.sha, ZERO)])
    call.server.emit_ref_updated(call.user, change["project"], ref, edit.sha, ZERO)
    return NO_CONTENT


async def star(call: Call) -> Any:
    """PUT or DELETE /accounts/self/starred.changes/{id}."""
    change = change_of(call)
    if call.path["account"] not in ("self", str(call.user.id)):
        raise RestError(403, "not allowed to add starred change")
    if call.method == "PUT":
        call.server.store.replace("stars", account=call.user.id, change=change["number"])
    else:
        query = "DELETE FROM stars WHERE account = ? AND change = ?"
        call.server.store.run(query, call.user.id, change["number"])
    return NO_CONTENT


_C = "/changes/{change}"
_STAR = "/accounts/{account}/starred.changes/{change}"
routes = [
    Route("GET", f"{_C}/edit", get_edit),
    Route("DELETE", f"{_C}/edit", delete_edit),
    Route("PUT", f"{_C}/edit/{{path}}", put_file, raw=True),
    Route("PUT", f"{_C}/edit:message", put_message),
    Route("POST", f"{_C}/edit:publish", publish),
    Route("PUT", _STAR, star),
    Route("DELETE", _STAR, star),
]
