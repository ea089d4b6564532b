"""/projects: the projects themselves and their settings."""

from __future__ import annotations

import re
from typing import Any

from xenci.lab_gerrit import projects as core
from xenci.lab_gerrit.access import ALL_PROJECTS
from xenci.lab_gerrit.git import GitError
from xenci.lab_gerrit.projects import config_info, project_id, project_info
from xenci.lab_gerrit.rest import branches, labels, project_access
from xenci.lab_gerrit.rest.call import NO_CONTENT, Call, Reply, RestError, Route
from xenci.lab_gerrit.rest.groups import named_group
from xenci.lab_gerrit.rest.project_of import owned_project, project_of
from xenci.lab_gerrit.rest.query import terms
from xenci.lab_gerrit.server import full_ref
from xenci.lab_gerrit.store import Row, loads

_BAD_NAME = re.compile(r"[\s\\?*:<>|%\"~^{}$]|\.\.|^/|/$|^\.|\.git$")
_SWITCH_VALUES = ("TRUE", "FALSE", "INHERIT")


def _bad_json() -> RestError:
    return RestError(400, "Invalid application/json in request")


def _check_types(given: dict[str, Any], types: dict[str, type | tuple[type, ...]]) -> None:
    """400 where a field has another type than Gerrit's input entity."""
    for key, kind in types.items():
        if given.get(key) is not None and not isinstance(given[key], kind):
            raise _bad_json()


async def get(call: Call) -> Any:
    """GET /projects/{name}."""
    return project_info(call.server, project_of(call), labels=True)


async def list_projects(call: Call) -> Any:
    """GET /projects/: by name, or with `query` a list."""
    call.known_options(
        "n", "limit", "S", "start", "d", "description", "t", "tree", "p", "prefix", "m", "match", "r",
        "regex", "b",
        "branch", "type", "state", "s", "all", "query", "has-acl-for",
    )  # fmt: skip
    server = call.server
    rows = [
        row
        for row in server.store.all("SELECT * FROM projects ORDER BY name")
        if server.access.can_see_project(call.account_id, row["name"])
    ]
    text = call.option("query")
    rows = _matching(call, rows, text) if text is not None else _filtered(call, rows)
    refs = [full_ref(branch) for branch in call.options("b") + call.options("branch")]
    found: list[tuple[Row, dict[str, str]]] = []
    for row in rows:
        shown = await _branches(call, row["name"], refs)
        if shown or not refs:
            found.append((row, shown))
    start = call.number("S") or call.number("start") or 0
    limit = call.number("n") or call.number("limit") or len(found)
    page, more = found[start : start + limit], len(found) > start + limit
    if text is not None:
        infos = [project_info(server, row) for row, _ in page]
        if more and infos:
            infos[-1]["_more_projects"] = True
        return infos
    return _by_name(call, page, more)


def _by_name(call: Call, page: list[tuple[Row, dict[str, str]]], more: bool) -> dict[str, Any]:
    described = any(call.option(name) is not None for name in ("d", "description"))
    tree = any(call.option(name) is not None for name in ("t", "tree"))
    infos: dict[str, Any] = {}
    for row, shown in page:
        info: dict[str, Any] = {"id": project_id(row["name"])}
        if tree and row["parent"]:
            info["parent"] = row["parent"]
        if described and row["description"]:
            info["description"] = row["description"]
        info["state"] = row["state"]
        if shown:
            info["branches"] = shown
        infos[row["name"]] = info
    if more and infos:
        list(infos.values())[-1]["_more_projects"] = True
    return infos


async def _branches(call: Call, project: str, refs: list[str]) -> dict[str, str]:
    if not refs:
        return {}
    present = await call.server.repository(project).refs("refs/heads")
    return {
        ref.removeprefix("refs/heads/"): present[ref]
        for ref in refs
        if ref in present and call.server.access.can_read(call.account_id, project, ref)
    }


def _filtered(call: Call, rows: list[Row]) -> list[Row]:
    prefix = call.option("p") or call.option("prefix")
    if prefix:
        rows = [row for row in rows if row["name"].startswith(prefix)]
    match = call.option("m") or call.option("match")
    if match:
        rows = [row for row in rows if match.lower() in row["name"].lower()]
    pattern = call.option("r") or call.option("regex")
    if pattern:
        try:
            rows = [row for row in rows if re.fullmatch(pattern, row["name"])]
        except re.error as error:
            raise RestError(400, str(error)) from None
    kind = call.option("type")
    if kind == "PERMISSIONS":
        rows = [row for row in rows if core.permissions_only(call.server, row["name"])]
    elif kind == "CODE":
        rows = [row for row in rows if not core.permissions_only(call.server, row["name"])]
    state = call.option("state") or call.option("s")
    if state:
        return [row for row in rows if row["state"] == state]
    if call.option("all") is not None:
        return rows
    return [row for row in rows if row["state"] != "HIDDEN"]


def _matching(call: Call, rows: list[Row], text: str) -> list[Row]:
    for operator, value in terms(text, {"name", "inname", "parent", "description", "state"}):
        value = value.lower()
        if operator in ("name", "parent"):
            rows = [row for row in rows if (row[operator] or "").lower() == value]
        elif operator == "state":
            rows = [row for row in rows if row["state"].lower() == value]
        elif operator == "description":
            rows = [row for row in rows if value in row["description"].lower()]
        elif operator == "inname":
            rows = [row for row in rows if value in row["name"].lower()]
        else:
            rows = [
                row for row in rows if value in row["name"].lower() or value in row["description"].lower()
            ]
    return rows


async def create(call: Call) -> Any:
    """PUT /projects/{name}."""
    name, server, given = call.path["project"], call.server, call.json
    _check_types(
        given,
        {"branches": list, "owners": list, "description": str, "parent": str, "create_empty_commit": bool},
    )
    config = _config_of(given, {})
    call.require_capability("createProject", "create project")
    if given.get("name") not in (None, name):
        raise RestError(400, "name must match URL")
    if _BAD_NAME.search(name):
        raise RestError(400, f"invalid project name: {project_id(name)}")
    if server.project(name):
        raise RestError(409, f'Project "{name}" already exists')
    parent = given.get("parent") or ALL_PROJECTS
    if server.project(parent) is None:
        raise RestError(422, f"Project Not Found: {parent}")
    owners = [named_group(call, text).uuid for text in given.get("owners") or []]
    heads = [full_ref(branch) for branch in given.get("branches") or ["master"]]
    for head in heads:
        await _check_ref(call, head)
    await core.create_project(
        server,
        call.user,
        name,
        parent=parent,
        description=given.get("description") or "",
        branches=heads,
        empty_commit=bool(given.get("create_empty_commit")),
        permissions_only=bool(given.get("permissions_only")),
        owners=owners,
        config=config,
    )
    return Reply(project_info(server, project_of(call), labels=True), 201)


async def _check_ref(call: Call, ref: str) -> None:
    try:
        await call.server.repository(ALL_PROJECTS).git("check-ref-format", ref)
    except GitError:
        raise RestError(400, f'Branch "{ref}" is not a valid name.') from None


async def get_description(call: Call) -> Any:
    """GET /projects/{name}/description."""
    return project_of(call)["description"]


async def put_description(call: Call) -> Any:
    """PUT or DELETE /projects/{name}/description."""
    row = owned_project(call, "write refs/meta/config not permitted")
    text = call.json.get("description") or ""
    await core.write(call.server, call.user, row["name"], "Update description", description=text)
    return text or NO_CONTENT


async def get_parent(call: Call) -> Any:
    """GET /projects/{name}/parent."""
    return project_of(call)["parent"] or ""


async def put_parent(call: Call) -> Any:
    """PUT /projects/{name}/parent: administrators only."""
    row = project_of(call)
    call.require_admin()
    parent = call.json.get("parent") or ALL_PROJECTS
    check_parent(call, row["name"], parent)
    await core.write(call.server, call.user, row["name"], "Changed parent", parent=parent)
    return parent


def check_parent(call: Call, name: str, parent: str) -> None:
    """Refuse a parent that is not there or would inherit from its own child."""
    if name == ALL_PROJECTS:
        raise RestError(409, f"cannot set parent of {ALL_PROJECTS}")
    if call.server.project(parent) is None:
        raise RestError(422, f"parent project {parent} not found")
    if name in call.server.access.chain(parent):
        raise RestError(409, f"cycle exists between {name} and {parent}")


async def get_head(call: Call) -> Any:
    """GET /projects/{name}/HEAD."""
    return core.head_of(call.server, project_of(call)["name"])


async def put_head(call: Call) -> Any:
    """PUT /projects/{name}/HEAD."""
    row = project_of(call)
    ref = full_ref(call.json.get("ref") or "")
    if not call.server.access.is_owner(call.account_id, row["name"]):
        raise RestError(403, f"not permitted: set HEAD on {ref}")
    if await call.server.repository(row["name"]).resolve(ref) is None:
        raise RestError(422, f"Ref Not Found: {ref}")
    await core.set_head(call.server, row["name"], ref)
    return ref


async def get_config(call: Call) -> Any:
    """GET /projects/{name}/config."""
    row = project_of(call)
    return config_info(call.server, row, owner=call.server.access.is_owner(call.account_id, row["name"]))


def _config_of(given: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The stored configuration after a ConfigInput; 400 for a value that its enumeration does not have."""
    config = dict(config)
    for name in core.SWITCHES:
        if given.get(name) is not None:
            if given[name] not in _SWITCH_VALUES:
                raise _bad_json()
            config[name] = given[name]
    kind = given.get("submit_type")
    if kind is not None:
        if kind not in core.SUBMIT_TYPES:
            raise _bad_json()
        config["submit_type"] = kind
    if given.get("state") not in (None, *core.STATES):
        raise _bad_json()
    limit = given.get("max_object_size_limit")
    if limit is not None:
        if limit and not re.fullmatch(r"\d+[kmgKMG]?", limit):
            raise RestError(400, f"invalid max object size limit: {limit}")
        config["max_object_size_limit"] = limit
    return {key: value for key, value in config.items() if value not in ("INHERIT", "")}


async def put_config(call: Call) -> Any:
    """PUT /projects/{name}/config: a missing description empties it, as in Gerrit."""
    row = owned_project(call, "write refs/meta/config not permitted")
    config = _config_of(call.json, loads(row["config"]))
    await core.write(
        call.server,
        call.user,
        row["name"],
        "Modified project settings",
        config=config,
        description=call.json.get("description") or "",
        state=call.json.get("state") or row["state"],
    )
    return config_info(call.server, project_of(call), owner=True)


async def children(call: Call) -> Any:
    """GET /projects/{name}/children/: with `recursive` every child is followed by its own."""
    recursive = call.option("recursive") is not None
    found: list[Any] = []

    def add(parent: str) -> None:
        rows = call.server.store.all("SELECT * FROM projects WHERE parent = ? ORDER BY name", parent)
        for row in rows:
            if call.server.access.can_see_project(call.account_id, row["name"]):
                found.append(project_info(call.server, row))
                if recursive:
                    add(row["name"])

    add(project_of(call)["name"])
    return found


async def dashboards(call: Call) -> Any:
    """GET /projects/{name}/dashboards/: none are kept."""
    project_of(call)
    return []


async def statistics(call: Call) -> Any:
    """GET /projects/{name}/statistics.git."""
    row = owned_project(call, "not project owner")
    output = await call.server.repository(row["name"]).git("count-objects", "-v")
    counts = {key: int(value) for key, value in (line.split(": ") for line in output.splitlines())}
    refs = await call.server.repository(row["name"]).refs()
    return {
        "number_of_bitmaps": 0,
        "number_of_loose_objects": counts["count"],
        "number_of_loose_refs": len(refs),
        "number_of_pack_files": counts["packs"],
        "number_of_packed_objects": counts["in-pack"],
        "number_of_packed_refs": 0,
        "size_of_loose_objects": counts["size"] * 1024,
        "size_of_packed_objects": counts["size-pack"] * 1024,
    }


async def check(call: Call) -> Any:
    """POST /projects/{name}/check: every merged change is closed by the push itself."""
    owned_project(call, "not project owner")
    return {"auto_closeable_changes_check_result": {"auto_closeable_changes": []}}


async def index(call: Call) -> Any:
    """POST /projects/{name}/index."""
    call.require_admin()
    name = project_of(call)["name"]
    return Reply(status=202, headers={"Location": f"Project {name} submitted for reindexing"})


async def collect_garbage(call: Call) -> Any:
    """POST /projects/{name}/gc."""
    call.require_capability("runGC", "run garbage collection")
    await call.server.repository(project_of(call)["name"]).git("gc", "--quiet")
    return Reply(text="Garbage collection completed successfully.\n")


_ONE = "/projects/{project}"
routes = [
    Route("GET", "/projects", list_projects),
    Route("GET", _ONE, get),
    Route("PUT", _ONE, create),
    Route("GET", f"{_ONE}/description", get_description),
    Route("PUT", f"{_ONE}/description", put_description),
    Route("DELETE", f"{_ONE}/description", put_description),
    Route("GET", f"{_ONE}/parent", get_parent),
    Route("PUT", f"{_ONE}/parent", put_parent),
    Route("GET", f"{_ONE}/HEAD", get_head),
    Route("PUT", f"{_ONE}/HEAD", put_head),
    Route("GET", f"{_ONE}/config", get_config),
    Route("PUT", f"{_ONE}/config", put_config),
    Route("GET", f"{_ONE}/children", children),
    Route("GET", f"{_ONE}/dashboards", dashboards),
    Route("GET", f"{_ONE}/statistics.git", statistics),
    Route("POST", f"{_ONE}/check", check),
    Route("POST", f"{_ONE}/index", index),
    Route("POST", f"{_ONE}/gc", collect_garbage),
    *branches.routes,
    *labels.routes,
    *project_access.routes,
]
