"""/projects/{name}/access, check.access and /access."""

from __future__ import annotations

import copy
import re
from typing import Any

from xenci.lab_gerrit import projects as core
from xenci.lab_gerrit.access import ALL_PROJECTS, CAPABILITIES, CAPABILITY_NAMES
from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.groups import Group, Groups
from xenci.lab_gerrit.rest.call import Call, RestError, Route
from xenci.lab_gerrit.rest.project_of import project_of
from xenci.lab_gerrit.store import dumps, loads

PERMISSIONS = {
    "abandon", "addPatchSet", "create", "createSignedTag", "createTag", "delete", "deleteChanges",
    "deleteOwnChanges", "editHashtags", "editCustomKeyedValues", "editTopicName", "forgeAuthor",
    "forgeCommitter", "forgeServerAsCommitter", "owner", "push", "pushMerge",
    "read", "rebase", "rebaseOnBehalfOfUploader",
    "removeReviewer", "revert", "submit", "submitAs", "toggleWipState", "viewPrivateChanges",
}  # fmt: skip
ACTIONS = {"ALLOW", "DENY", "BLOCK", "INTERACTIVE", "BATCH"}
_LIMITS = {"queryLimit", "batchChangesLimit", "priority"}
Sections = dict[str, dict[str, dict[str, Any]]]


def _sections(call: Call, project: str) -> Sections:
    rows = call.server.store.all("SELECT ref, permissions FROM access_sections WHERE project = ?", project)
    return {row["ref"]: loads(row["permissions"]) for row in rows}


async def access_info(call: Call, project: str) -> dict[str, Any]:
    """ProjectAccessInfo, as far as the caller may see it."""
    server, account = call.server, call.account_id
    row = project_of(call, project)
    groups = Groups(server)
    owner = server.access.is_owner(account, project)
    reads_config = server.access.can_read(account, project, "refs/meta/config")
    info: dict[str, Any] = {"revision": await server.repository(project).resolve("refs/meta/config")}
    parent = server.project(row["parent"]) if row["parent"] else None
    if parent is not None:
        info["inherits_from"] = core.project_info(server, parent)
    sections = _sections(call, project)
    local: dict[str, Any] = {}
    named: dict[str, Group] = {}
    for ref, permissions in sections.items():
        if not (owner or reads_config) and not (
            ref != CAPABILITIES and server.access.can_read(account, project, ref)
        ):
            continue
        shown = {}
        for name, permission in permissions.items():
            rules = {}
            for uuid, rule in permission["rules"].items():
                group = groups.find(uuid)
                if group is not None:
                    named[uuid] = group
                if owner or reads_config or (group is not None and groups.sees(account, group)):
                    rules[uuid] = rule
            if rules:
                shown[name] = {**permission, "rules": rules}
        local[ref] = {"permissions": shown}
    info["local"] = local
    if owner:
        info |= {"is_owner": True, "owner_of": list(local) or ["refs/*"]}
        info |= {"can_upload": True, "can_add": True, "can_add_tags": True}
    else:
        info["owner_of"] = []
    info["config_visible"] = reads_config
    info["groups"] = {
        uuid: ({"url": f"#/admin/groups/uuid-{uuid}"} if group.row else {}) | {"name": group.name}
        for uuid, group in named.items()
    }
    info["config_web_links"] = []
    return info


async def get_access(call: Call) -> Any:
    """GET /projects/{name}/access."""
    return await access_info(call, call.path["project"])


async def list_access(call: Call) -> Any:
    """GET /access/?project=…."""
    return {
        name: await access_info(call, name) for name in sorted(call.options("project") + call.options("p"))
    }


async def post_access(call: Call) -> Any:
    """POST /projects/{name}/access: take away, then add; nothing to do makes no commit."""
    project = str(project_of(call)["name"])
    remove, add = call.json.get("remove") or {}, call.json.get("add") or {}
    removed, added = _checked(call, remove, adding=False), _checked(call, add, adding=True)
    for ref in (*removed, *added):
        _may_write(call, project, ref)
    parent = call.json.get("parent")
    new = _added(_without(_sections(call, project), removed), added)
    if parent is not None:
        call.require_admin()
        _check_parent(call, project, parent)
    changed_parent = parent is not None and parent != project_of(call)["parent"]
    if new != _sections(call, project) or changed_parent:
        with call.server.store.transaction():
            call.server.store.run("DELETE FROM access_sections WHERE project = ?", project)
            for ref, permissions in new.items():
                call.server.store.insert(
                    "access_sections", project=project, ref=ref, permissions=dumps(permissions)
                )
            if changed_parent:
                call.server.store.run("UPDATE projects SET parent = ? WHERE name = ?", parent, project)
        call.server.access.forget()
        message = call.json.get("message") or "Modify access rules"
        await call.server.commit_config(project, call.user, message)
    return await access_info(call, project)


def _check_parent(call: Call, project: str, parent: str) -> None:
    if call.server.project(parent) is None:
        raise RestError(422, f"parent project {parent} not found")
    if project in call.server.access.chain(parent):
        raise RestError(409, f"cycle exists between {project} and {parent}")


def _may_write(call: Call, project: str, ref: str) -> None:
    if ref == CAPABILITIES:
        if project != ALL_PROJECTS:
            raise RestError(400, f"Cannot edit global capabilities for projects other than {ALL_PROJECTS}")
        call.require_admin()
    elif not call.server.access.is_owner(call.account_id, project, ref):
        raise RestError(403, f"not permitted: write ref config on {ref}")


def _checked(call: Call, given: dict[str, Any], *, adding: bool) -> Sections:
    """AccessSectionInfos as they are stored; RestError in Gerrit's words where something is wrong.

    A permission without `rules` is passed over, and a section left without permissions means all of it.
    """
    found: Sections = {}
    for ref, section in given.items():
        if ref != CAPABILITIES and not re.fullmatch(r"\^?refs/\S*", ref):
            raise RestError(400, "invalid section name")
        permissions: dict[str, dict[str, Any]] = {}
        for name, permission in (section.get("permissions") or {}).items():
            if permission.get("rules") is None:
                if adding:
                    # Both recorded releases break here; a client that gets 500 knows at least that it
                    # was wrong.
                    raise RestError(500, "Internal server error")
                continue
            _check_name(ref, name)
            rules = {
                _uuid(call, text): _rule(ref, name, text, rule, adding)
                for text, rule in permission["rules"].items()
            }
            permissions[name] = {"rules": rules}
            if permission.get("exclusive"):
                permissions[name]["exclusive"] = True
            if name.startswith("label-"):
                permissions[name]["label"] = permission.get("label") or name.removeprefix("label-")
        found[ref] = permissions
    return found


def _check_name(ref: str, name: str) -> None:
    if ref == CAPABILITIES:
        if name not in CAPABILITY_NAMES and name not in _LIMITS:
            raise RestError(400, f"Unknown global capability: {name}")
    elif name not in PERMISSIONS and not re.fullmatch(r"(label|labelAs|removeLabel)-\S+", name):
        raise RestError(400, f"Unknown permission: {name}")


def _uuid(call: Call, text: str) -> str:
    group = Groups(call.server).find(text)
    if group is None:
        raise RestError(422, f"{text} is not a valid group ID")
    return group.uuid


def _rule(ref: str, name: str, group: str, given: Any, adding: bool) -> dict[str, Any]:
    if not adding:
        return {}
    if not isinstance(given, dict) or given.get("action", "ALLOW") not in ACTIONS:
        raise RestError(400, "Invalid application/json in request")
    rule: dict[str, Any] = {"action": given.get("action") or "ALLOW", "force": bool(given.get("force"))}
    if given.get("min") is not None or given.get("max") is not None:
        low, high = int(given.get("min") or 0), int(given.get("max") or 0)
        if low > high:
            raise RestError(
                400,
                f"Invalid range for permission rule that assigns {name} to group {group} on ref {ref}: "
                f"{low}..{high} (min must be <= max)",
            )
        rule |= {"min": low, "max": high}
    return rule


def _without(sections: Sections, removed: Sections) -> Sections:
    left = copy.deepcopy(sections)
    for ref, permissions in removed.items():
        if not permissions:
            left.pop(ref, None)
            continue
        section = left.get(ref, {})
        for name, permission in permissions.items():
            if name not in section:
                continue
            for uuid in permission["rules"]:
                section[name]["rules"].pop(uuid, None)
            if not permission["rules"] or not section[name]["rules"]:
                del section[name]
        if not section:
            left.pop(ref, None)
    return left


def _added(sections: Sections, added: Sections) -> Sections:
    new = copy.deepcopy(sections)
    for ref, permissions in added.items():
        section = new.setdefault(ref, {})
        for name, permission in permissions.items():
            if name in section:
                rules = {**section[name]["rules"], **permission["rules"]}
                section[name] = {**section[name], **permission, "rules": rules}
            else:
                section[name] = permission
    return {ref: permissions for ref, permissions in new.items() if permissions}


def _explained(call: Call, account: Account, project: str, ref: str, permission: str) -> str:
    """A line of check.access: whether, and by which rule."""
    what = f"perform '{permission}' with force=false on project '{project}' for ref '{ref}'"
    uuid = call.server.access.allowed_by(account.id, project, ref, permission)
    if uuid is None:
        return f"'{account.username}' cannot {what}"
    group = Groups(call.server).find(uuid)
    name = group.name if group else uuid
    return f"'{account.username}' can {what} (allowed for group '{uuid}' by rule 'group {name}')"


async def check_access(call: Call) -> Any:
    """GET /projects/{name}/check.access: whether an account may do something, without doing it."""
    call.require_capability("viewAccess", "view access")
    project = str(project_of(call)["name"])
    name = call.option("account") or ""
    accounts = call.server.accounts.find(name)
    if len(accounts) != 1:
        raise RestError(422, f"Account '{name}' not found")
    account = accounts[0]
    ref, permission = call.option("ref"), call.option("perm")
    access = call.server.access
    reads_heads = access.can(account.id, project, "refs/heads/*", "read")
    logs = [_explained(call, account, project, "refs/heads/*", "read")]
    if not reads_heads:
        logs.append(_explained(call, account, project, "refs/meta/version", "read"))
    if ref:
        logs.append(_explained(call, account, project, ref, permission or "read"))
    allowed = access.can(account.id, project, ref, permission or "read") if ref else True
    answer: dict[str, Any] = {"status": 200 if allowed else 403, "debug_logs": logs}
    if not allowed:
        answer["message"] = (
            f"user {account.id} lacks permission {permission or 'null'} for {ref} in project {project}"
        )
    return answer


routes = [
    Route("GET", "/projects/{project}/access", get_access),
    Route("POST", "/projects/{project}/access", post_access),
    Route("GET", "/projects/{project}/check.access", check_access),
    Route("GET", "/access", list_access),
]
