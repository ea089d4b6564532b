"""Projects: how they are shown, made and configured. REST and ssh both work through this."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from xenci.lab_gerrit.access import ALL_PROJECTS
from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.git import EMPTY_TREE, ZERO
from xenci.lab_gerrit.server import Server
from xenci.lab_gerrit.store import Row, dumps, loads

SUBMIT_TYPES = ("INHERIT", "MERGE_IF_NECESSARY", "FAST_FORWARD_ONLY", "REBASE_IF_NECESSARY", "REBASE_ALWAYS",
                "MERGE_ALWAYS", "CHERRY_PICK")  # fmt: skip
DEFAULT_SUBMIT_TYPE = "MERGE_IF_NECESSARY"
STATES = ("ACTIVE", "READ_ONLY", "HIDDEN")
# Switches of ProjectConfigInput with the value that a new site inherits.
SWITCHES = {
    "use_contributor_agreements": False,
    "use_content_merge": True,
    "use_signed_off_by": False,
    "create_new_change_for_all_not_in_target": False,
    "require_change_id": True,
    "reject_implicit_merges": True,
    "private_by_default": False,
    "work_in_progress_by_default": False,
    "enable_reviewer_by_email": False,
    "match_author_to_committer_date": False,
    "reject_empty_commit": False,
    "skip_adding_author_and_committer_as_reviewers": False,
}
_UNITS = {"k": 1024, "m": 1024**2, "g": 1024**3}


def project_id(name: str) -> str:
    """Name as it stands in URLs."""
    return quote(name, safe="")


def labels_of(server: Server, project: str) -> dict[str, dict[str, Any]]:
    """Labels of a project, inherited ones first; a child's definition hides its parent's.

    Each has `project_name` beside the fields of LabelDefinitionInfo.
    """
    return _inherited(server, project, "labels")


def requirements_of(server: Server, project: str) -> dict[str, dict[str, Any]]:
    """Submit requirements of a project, inherited ones first; a child overrides those that allow it."""
    found: dict[str, dict[str, Any]] = {}
    for name, definition in _all_definitions(server, project, "submit_requirements"):
        before = found.get(name)
        if before is None or before.get("allow_override_in_child_projects"):
            found[name] = definition
    return found


def _inherited(server: Server, project: str, table: str) -> dict[str, dict[str, Any]]:
    return dict(_all_definitions(server, project, table))


def _all_definitions(server: Server, project: str, table: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name in reversed(list(server.access.chain(project))):
        query = f"SELECT name, definition FROM {table} WHERE project = ? ORDER BY name"  # noqa: S608  ours
        for row in server.store.all(query, name):
            found.append((row["name"], {"project_name": name, **loads(row["definition"])}))
    return found


def project_info(server: Server, row: Row, *, labels: bool = False) -> dict[str, Any]:
    """ProjectInfo."""
    info: dict[str, Any] = {"id": project_id(row["name"]), "name": row["name"]}
    info |= {key: row[key] for key in ("parent", "description") if row[key]}
    info["state"] = row["state"]
    if labels:
        info["labels"] = {
            name: {"values": definition["values"], "default_value": definition.get("default_value", 0)}
            for name, definition in labels_of(server, row["name"]).items()
        }
    return info


def submit_type(server: Server, project: str) -> str:
    """How changes of a project are submitted, inherited where it does not say."""
    for name in server.access.chain(project):
        row = server.project(name)
        own = loads(row["config"]).get("submit_type") if row else None
        if own and own != "INHERIT":
            return str(own)
    return DEFAULT_SUBMIT_TYPE


def switch(server: Server, project: str, name: str) -> bool:
    """A switch of the configuration, inherited where the project does not say."""
    for parent in server.access.chain(project):
        row = server.project(parent)
        own = loads(row["config"]).get(name) if row else None
        if own in ("TRUE", "FALSE"):
            return bool(own == "TRUE")
    return SWITCHES[name]


def config_info(server: Server, row: Row, *, owner: bool) -> dict[str, Any]:
    """ConfigInfo."""
    own = loads(row["config"])
    parent = row["parent"] or (ALL_PROJECTS if row["name"] != ALL_PROJECTS else None)
    info: dict[str, Any] = {"description": row["description"]} if row["description"] else {}
    for name, default in SWITCHES.items():
        value = own.get(name, "INHERIT")
        inherited = switch(server, parent, name) if parent else default
        info[name] = {"configured_value": value, "inherited_value": inherited}
    limit = own.get("max_object_size_limit")
    info["max_object_size_limit"] = {"value": str(_bytes(limit)), "configured_value": limit} if limit else {}
    inherited_type = submit_type(server, parent) if parent else DEFAULT_SUBMIT_TYPE
    info["submit_type"] = submit_type(server, row["name"])
    info["default_submit_type"] = {
        "value": info["submit_type"],
        "configured_value": own.get("submit_type", "INHERIT"),
        "inherited_value": inherited_type,
    }
    if row["state"] != "ACTIVE":
        info["state"] = row["state"]
    if owner:
        title = "Triggers the Git Garbage Collection for this project."
        info["actions"] = {"gc": {"method": "POST", "label": "Run GC", "title": title, "enabled": True}}
    else:
        info["actions"] = {}
    return info | {"commentlinks": {}, "extension_panel_names": {}}


def _bytes(text: str) -> int:
    unit = _UNITS.get(text[-1:].lower(), 1)
    return int(text.rstrip("kmgKMG")) * unit


async def write(
    server: Server,
    actor: Account,
    project: str,
    message: str,
    *,
    config: dict[str, Any] | None = None,
    **columns: Any,
) -> bool:
    """Set columns and configuration of a project; says whether anything changed, and tells it if so."""
    row = server.project(project)
    if row is None:
        raise ValueError(f"no project {project}")
    if config is not None:
        columns["config"] = dumps(config)
    if all(row[key] == value for key, value in columns.items()):
        return False
    sets = ", ".join(f"{key} = ?" for key in columns)
    server.store.run(f"UPDATE projects SET {sets} WHERE name = ?", *columns.values(), project)  # noqa: S608  ours
    server.access.forget()
    await server.commit_config(project, actor, message)
    return True


async def create_project(
    server: Server,
    actor: Account,
    name: str,
    *,
    parent: str | None = None,
    description: str = "",
    branches: list[str] | None = None,
    empty_commit: bool = False,
    permissions_only: bool = False,
    owners: list[str] | None = None,
    config: dict[str, Any] | None = None,
) -> None:
    """Make a project: `branches` full refs (the first one is HEAD), `owners` UUIDs of groups."""
    heads = branches or ["refs/heads/master"]
    head = "refs/meta/config" if permissions_only else heads[0]
    repository = await server.create_repository(name, head)
    with server.store.transaction():
        server.store.insert(
            "projects",
            name=name,
            parent=parent or ALL_PROJECTS,
            description=description,
            config=dumps(config or {}),
        )
        if owners:
            rules = {uuid: {"action": "ALLOW", "force": False} for uuid in owners}
            permissions = dumps({"owner": {"rules": rules}})
            server.store.insert("access_sections", project=name, ref="refs/*", permissions=permissions)
    server.access.forget()
    event = {"projectName": name, "headName": head, "type": "project-created"}
    server.emit_for_project(name, event)
    await server.commit_config(name, actor, "Created project")
    if empty_commit and not permissions_only:
        now_ident = server.ident(actor)
        committer = f"Gerrit Code Review <gerrit@{server.host}> {now_ident.split('> ', 1)[1]}"
        first = await repository.commit_tree(
            EMPTY_TREE, [], "Initial empty repository\n", now_ident, committer
        )
        await repository.update_refs([(branch, ZERO, first) for branch in heads])
        for branch in heads:
            server.emit_ref_updated(actor, name, branch, ZERO, first)


def head_of(server: Server, project: str) -> str:
    """The ref that a project's HEAD names, read from its repository."""
    text = (server.repository(project).path / "HEAD").read_text(encoding="utf-8").strip()
    return text.removeprefix("ref: ")


async def set_head(server: Server, project: str, ref: str) -> None:
    """Point HEAD at another branch and tell it."""
    old = head_of(server, project)
    if old == ref:
        return
    await server.repository(project).git("symbolic-ref", "HEAD", ref)
    server.emit_for_project(
        project, {"projectName": project, "oldHead": old, "newHead": ref, "type": "project-head-updated"}
    )


def permissions_only(server: Server, project: str) -> bool:
    """Whether a project has no code: it only hands down rights."""
    return head_of(server, project) == "refs/meta/config"
