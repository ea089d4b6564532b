"""What gerrit_info does: read, and wait for a server that starts."""

from __future__ import annotations

from typing import Any

from ansible_collections.xenci.stack.plugins.module_utils.gerrit.access import parse_access, show_access
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.client import Gerrit, GerritError, quote
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.groups import group_state
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.projects import project_state


def read(gerrit: Gerrit, params: dict[str, Any]) -> dict[str, Any]:
    """Return what the module gerrit_info returns."""
    try:
        version = gerrit.version(wait=params["wait"])
    except GerritError as error:
        if params["must_answer"] or not error.down:
            raise
        return {"reachable": False}
    result: dict[str, Any] = {
        "reachable": True,
        "version": version,
        "projects": {},
        "groups": {},
        "accounts": {},
    }
    for name in params["projects"]:
        if name == "*":
            result["all_projects"] = sorted(gerrit.get("/projects/").data)
        else:
            result["projects"].update(_project(gerrit, name))
    for name in params["groups"]:
        group = gerrit.find_group(name)
        if group is not None:
            result["groups"][name] = group_state(group)
    for who in params["accounts"]:
        account = gerrit.find_account(who)
        if account is not None:
            result["accounts"][who] = {
                "number": account.number,
                "name": account.label,
                "full_name": account.name,
                "email": account.email,
                "active": account.active,
            }
    return result


def _project(gerrit: Gerrit, name: str) -> dict[str, Any]:
    answer = gerrit.get(f"/projects/{quote(name)}", accept=(404,))
    if answer.status == 404:
        return {}
    info = gerrit.get(f"/projects/{quote(name)}/access").data
    names = {uuid: group.get("name", uuid) for uuid, group in info.get("groups", {}).items()}
    return {name: {**project_state(gerrit, answer.data), "access": show_access(parse_access(info), names)}}
