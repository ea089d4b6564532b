"""/groups."""

from __future__ import annotations

import re
from typing import Any

from xenci.lab_gerrit.accounts import Account, account_info
from xenci.lab_gerrit.groups import Group, Groups
from xenci.lab_gerrit.rest.call import NO_CONTENT, Call, Reply, RestError, Route, not_found
from xenci.lab_gerrit.rest.query import terms


def groups_of(call: Call) -> Groups:
    """The groups of the server that is asked."""
    return Groups(call.server)


def group_of(call: Call) -> Group:
    """The group in the URL; 404 with nothing but its name if there is none to be seen."""
    text = call.path["group"]
    group = groups_of(call).find(text)
    if group is None or not groups_of(call).sees(call.account_id, group):
        raise RestError(404, text)
    return group


def named_group(call: Call, text: str) -> Group:
    """A group named in a body; 422 if there is none."""
    group = groups_of(call).find(text)
    if group is None:
        raise RestError(422, f"Group Not Found: {text}")
    return group


def _owned(call: Call, what: str) -> Group:
    group = group_of(call)
    if not groups_of(call).owns(call.account_id, group):
        raise RestError(403, what.format(group.name))
    return group


def _member(call: Call, text: str) -> Account:
    if text == "self":
        return call.user
    found = call.server.accounts.find(text)
    if len(found) != 1:
        raise not_found(text)
    return found[0]


def _visible(call: Call) -> list[Group]:
    groups = groups_of(call)
    return [group for group in groups.all() if groups.sees(call.account_id, group)]


async def list_groups(call: Call) -> Any:
    """GET /groups/."""
    call.known_options(
        "n", "limit", "S", "start", "o", "m", "match", "r", "regex", "g", "group", "owned", "s", "suggest",
        "query", "q", "user", "u", "p", "project", "O",
    )  # fmt: skip
    groups = groups_of(call)
    options = call.options("o")
    shown = {"members": "MEMBERS" in options, "includes": "INCLUDES" in options}
    text = call.option("query") or call.option("query2")
    found = _matching(call, text) if text is not None else _filtered(call)
    start = call.number("S") or call.number("start") or 0
    limit = call.number("n") or call.number("limit") or len(found)
    found = found[start : start + limit]
    if text is not None:
        return [groups.info(group, **shown) for group in found]
    infos = [groups.info(group, **shown) for group in found]
    return {info.pop("name"): info for info in infos}


def _filtered(call: Call) -> list[Group]:
    found = _visible(call)
    match = call.option("m") or call.option("match")
    if match:
        found = [group for group in found if match.lower() in group.name.lower()]
    pattern = call.option("r") or call.option("regex")
    if pattern:
        found = [group for group in found if re.fullmatch(pattern, group.name)]
    names = call.options("g") + call.options("group")
    if names:
        found = [group for group in found if group.name in names or group.uuid in names]
    suggest = call.option("s") or call.option("suggest")
    if suggest:
        found = [group for group in found if group.name.lower().startswith(suggest.lower())]
    if call.option("owned") is not None:
        found = [group for group in found if groups_of(call).owns(call.account_id, group)]
    return found


def _matching(call: Call, text: str) -> list[Group]:
    found = _visible(call)
    for operator, value in terms(text, {"is", "name", "inname", "uuid", "owner", "description", "member"}):
        found = [group for group in found if _matches(call, group, operator, value)]
    return found


def _matches(call: Call, group: Group, operator: str, value: str) -> bool:
    row = group.row
    if row is None:
        return False
    value = value.lower()
    if operator == "is":
        return value == "visibletoall" and bool(row["visible_to_all"])
    if operator == "name":
        return group.name.lower() == value
    if operator == "uuid":
        return group.uuid == value
    if operator == "owner":
        owner = groups_of(call).find(row["owner_uuid"])
        return owner is not None and value in (owner.name.lower(), owner.uuid)
    if operator == "description":
        return value in row["description"].lower()
    if operator == "member":
        accounts = call.server.accounts.find(value)
        return any(account in groups_of(call).members(group) for account in accounts)
    return value in group.name.lower()


async def create(call: Call) -> Any:
    """PUT /groups/{name}."""
    call.require_capability("createGroup", "create group")
    name, groups = call.path["group"], groups_of(call)
    if call.json.get("name") not in (None, name):
        raise RestError(400, "name must match URL")
    if groups.find(name):
        raise RestError(409, "Group already exists")
    uuid = call.json.get("uuid")
    if uuid is not None and not re.fullmatch(r"[0-9a-f]{40}", uuid):
        raise RestError(400, f"invalid group UUID '{uuid}'")
    owner = call.json.get("owner_id")
    members = call.json.get("members")
    group = await groups.create(
        call.user,
        name,
        description=call.json.get("description") or "",
        owner=named_group(call, owner) if owner else None,
        visible=bool(call.json.get("visible_to_all")),
        uuid=uuid,
        members=None if members is None else [_member(call, text) for text in members],
    )
    return Reply(groups.info(group), 201)


async def get(call: Call) -> Any:
    """GET /groups/{group}."""
    return groups_of(call).info(group_of(call))


async def detail(call: Call) -> Any:
    """GET /groups/{group}/detail."""
    return groups_of(call).info(group_of(call), members=True, includes=True)


async def delete(call: Call) -> Any:
    """DELETE /groups/{group}: off by default in Gerrit."""
    group_of(call)
    raise RestError(404, "Deletion of Group is not enabled")


async def get_name(call: Call) -> Any:
    """GET /groups/{group}/name."""
    return group_of(call).name


async def put_name(call: Call) -> Any:
    """PUT /groups/{group}/name."""
    group = _owned(call, "Not allowed to rename group {}")
    name = call.json.get("name") or ""
    other = groups_of(call).find(name)
    if other and other.uuid != group.uuid:
        raise RestError(409, f"group with name {name} already exists")
    await groups_of(call).update(call.user, group, name=name)
    return name


async def get_description(call: Call) -> Any:
    """GET /groups/{group}/description."""
    row = group_of(call).row
    return row["description"] if row else ""


async def put_description(call: Call) -> Any:
    """PUT or DELETE /groups/{group}/description."""
    group = _owned(call, "Not owner")
    text = call.json.get("description") or ""
    await groups_of(call).update(call.user, group, description=text)
    return text or NO_CONTENT


async def get_options(call: Call) -> Any:
    """GET /groups/{group}/options."""
    return groups_of(call).info(group_of(call))["options"]


async def put_options(call: Call) -> Any:
    """PUT /groups/{group}/options."""
    group = _owned(call, "Not owner")
    visible = bool(call.json.get("visible_to_all"))
    group = await groups_of(call).update(call.user, group, visible_to_all=int(visible))
    return groups_of(call).info(group)["options"]


async def get_owner(call: Call) -> Any:
    """GET /groups/{group}/owner."""
    row = group_of(call).row
    owner = groups_of(call).find(row["owner_uuid"]) if row else None
    if owner is None:
        raise not_found("owner")
    return groups_of(call).info(owner)


async def put_owner(call: Call) -> Any:
    """PUT /groups/{group}/owner."""
    group = _owned(call, "Not owner")
    owner = named_group(call, call.json.get("owner") or "")
    await groups_of(call).update(call.user, group, owner_uuid=owner.uuid)
    return groups_of(call).info(owner)


async def log(call: Call) -> Any:
    """GET /groups/{group}/log.audit."""
    return groups_of(call).audit(_owned(call, "Not group owner"))


async def index(call: Call) -> Any:
    """POST /groups/{group}/index."""
    call.require_admin()
    group_of(call)
    return NO_CONTENT


async def list_members(call: Call) -> Any:
    """GET /groups/{group}/members/."""
    recursive = call.option("recursive") is not None
    return [account_info(account) for account in groups_of(call).members(group_of(call), recursive=recursive)]


async def get_member(call: Call) -> Any:
    """GET /groups/{group}/members/{account}."""
    account = _member(call, call.path["account"])
    if account not in groups_of(call).members(group_of(call)):
        raise not_found(call.path["account"])
    return account_info(account)


async def put_member(call: Call) -> Any:
    """PUT /groups/{group}/members/{account}: 201 for a new one."""
    account = _member(call, call.path["account"])
    group = _owned(call, "Cannot add members to group {}")
    new = await groups_of(call).add_members(call.user, group, [account])
    return Reply(account_info(call.server.accounts.get(account.id)), 201 if new else 200)


async def delete_member(call: Call) -> Any:
    """DELETE /groups/{group}/members/{account}."""
    group = group_of(call)
    account = _member(call, call.path["account"])
    if account not in groups_of(call).members(group):
        raise not_found(call.path["account"])
    group = _owned(call, "Cannot delete members from group {}")
    await groups_of(call).remove_members(call.user, group, [account])
    return NO_CONTENT


def _accounts(call: Call) -> list[Account]:
    found = []
    for text in call.json.get("members") or [call.json.get("_one_member") or ""]:
        accounts = call.server.accounts.find(text)
        if len(accounts) != 1:
            raise RestError(422, f"Account Not Found: {text}")
        found += accounts
    return found


async def add_members(call: Call) -> Any:
    """POST /groups/{group}/members or members.add."""
    group = _owned(call, "Cannot add members to group {}")
    accounts = _accounts(call)
    await groups_of(call).add_members(call.user, group, accounts)
    return [account_info(call.server.accounts.get(account.id)) for account in accounts]


async def remove_members(call: Call) -> Any:
    """POST /groups/{group}/members.delete."""
    group = _owned(call, "Cannot delete members from group {}")
    await groups_of(call).remove_members(call.user, group, _accounts(call))
    return NO_CONTENT


async def list_includes(call: Call) -> Any:
    """GET /groups/{group}/groups/."""
    return [groups_of(call).info(part) for part in groups_of(call).includes(group_of(call))]


def _part(call: Call) -> Group:
    part = groups_of(call).find(call.path["part"])
    if part is None:
        raise not_found(call.path["part"])
    return part


async def get_include(call: Call) -> Any:
    """GET /groups/{group}/groups/{part}."""
    part = _part(call)
    if part.uuid not in {entry.uuid for entry in groups_of(call).includes(group_of(call))}:
        raise not_found(call.path["part"])
    return groups_of(call).info(part)


async def put_include(call: Call) -> Any:
    """PUT /groups/{group}/groups/{part}: 201 for a new one."""
    part = _part(call)
    group = _owned(call, "Cannot add groups to group {}")
    new = await groups_of(call).include(call.user, group, [part])
    return Reply(groups_of(call).info(part), 201 if new else 200)


async def add_includes(call: Call) -> Any:
    """POST /groups/{group}/groups or groups.add."""
    group = _owned(call, "Cannot add groups to group {}")
    parts = [named_group(call, text) for text in call.json.get("groups") or []]
    await groups_of(call).include(call.user, group, parts)
    return [groups_of(call).info(part) for part in parts]


async def delete_include(call: Call) -> Any:
    """DELETE /groups/{group}/groups/{part}."""
    part = _part(call)
    group = group_of(call)
    if part.uuid not in {entry.uuid for entry in groups_of(call).includes(group)}:
        raise not_found(call.path["part"])
    group = _owned(call, "Cannot delete groups from group {}")
    await groups_of(call).exclude(call.user, group, [part])
    return NO_CONTENT


async def remove_includes(call: Call) -> Any:
    """POST /groups/{group}/groups.delete."""
    group = _owned(call, "Cannot delete groups from group {}")
    parts = [named_group(call, text) for text in call.json.get("groups") or []]
    await groups_of(call).exclude(call.user, group, parts)
    return NO_CONTENT


routes = [
    Route("GET", "/groups", list_groups),
    Route("PUT", "/groups/{group}", create),
    Route("GET", "/groups/{group}", get),
    Route("DELETE", "/groups/{group}", delete),
    Route("GET", "/groups/{group}/detail", detail),
    Route("GET", "/groups/{group}/name", get_name),
    Route("PUT", "/groups/{group}/name", put_name),
    Route("GET", "/groups/{group}/description", get_description),
    Route("PUT", "/groups/{group}/description", put_description),
    Route("DELETE", "/groups/{group}/description", put_description),
    Route("GET", "/groups/{group}/options", get_options),
    Route("PUT", "/groups/{group}/options", put_options),
    Route("GET", "/groups/{group}/owner", get_owner),
    Route("PUT", "/groups/{group}/owner", put_owner),
    Route("GET", "/groups/{group}/log.audit", log),
    Route("POST", "/groups/{group}/index", index),
    Route("GET", "/groups/{group}/members", list_members),
    Route("POST", "/groups/{group}/members", add_members),
    Route("POST", "/groups/{group}/members.add", add_members),
    Route("POST", "/groups/{group}/members.delete", remove_members),
    Route("GET", "/groups/{group}/members/{account}", get_member),
    Route("PUT", "/groups/{group}/members/{account}", put_member),
    Route("DELETE", "/groups/{group}/members/{account}", delete_member),
    Route("GET", "/groups/{group}/groups", list_includes),
    Route("POST", "/groups/{group}/groups", add_includes),
    Route("POST", "/groups/{group}/groups.add", add_includes),
    Route("POST", "/groups/{group}/groups.delete", remove_includes),
    Route("GET", "/groups/{group}/groups/{part}", get_include),
    Route("PUT", "/groups/{group}/groups/{part}", put_include),
    Route("DELETE", "/groups/{group}/groups/{part}", delete_include),
]
