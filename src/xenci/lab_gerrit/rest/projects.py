"""/projects."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from xenci.lab_gerrit.git import EMPTY_TREE, ZERO
from xenci.lab_gerrit.rest.call import Call, Reply, RestError, Route, not_found
from xenci.lab_gerrit.server import full_ref
from xenci.lab_gerrit.store import Row, dumps


def project_info(row: Row) -> dict[str, Any]:
    """ProjectInfo."""
    info = {"id": quote(row["name"], safe=""), "name": row["name"], "state": row["state"]}
    return info | {key: row[key] for key in ("parent", "description") if row[key]}


def project_of(call: Call, name: str) -> Row:
    """The project's row; 404 if there is none that the account may see."""
    row = call.server.project(name)
    if row is None or not call.server.access.can_see_project(call.account_id, name):
        raise not_found(name)
    return row


async def get(call: Call) -> Any:
    """GET /projects/{name}."""
    return project_info(project_of(call, call.path["project"]))


async def list_projects(call: Call) -> Any:
    """GET /projects/."""
    rows = call.server.store.all("SELECT * FROM projects ORDER BY name")
    return {
        row["name"]: {"id": quote(row["name"], safe=""), "state": row["state"]}
        for row in rows
        if call.server.access.can_see_project(call.account_id, row["name"])
    }


async def create(call: Call) -> Any:
    """PUT /projects/{name}."""
    call.require_capability("createProject", "create project")
    name, server = call.path["project"], call.server
    if server.project(name):
        raise RestError(409, f'Project "{name}" already exists')
    branches = [full_ref(branch) for branch in call.json.get("branches") or ["master"]]
    head = "refs/meta/config" if call.json.get("permissions_only") else branches[0]
    repository = await server.create_repository(name, head)
    with server.store.transaction():
        server.store.insert(
            "projects",
            name=name,
            parent=call.json.get("parent") or "All-Projects",
            description=call.json.get("description") or "",
            config=dumps({"submit_type": call.json.get("submit_type") or "MERGE_IF_NECESSARY"}),
        )
    server.access.forget()
    await server.commit_config(name, call.user, "Created project")
    if call.json.get("create_empty_commit"):
        first = await repository.commit_tree(
            EMPTY_TREE, [], "Initial empty repository\n", server.ident(call.user)
        )
        await repository.update_refs([(branch, ZERO, first) for branch in branches])
        for branch in branches:
            server.emit_ref_updated(call.user, name, branch, ZERO, first)
    return Reply(project_info(project_of(call, name)), 201)


routes = [
    Route("GET", "/projects", list_projects),
    Route("GET", "/projects/{project}", get),
    Route("PUT", "/projects/{project}", create),
]
