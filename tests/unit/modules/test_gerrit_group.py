"""gerrit_group against scripted calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.modules.script import Call, recorded, response

Run = Callable[..., dict[str, Any]]
UUID = "7b8bbc43a7dd4a91e765b9afd4fe2557e6f85b6f"
ADMIN = {"_account_id": 1000000, "name": "Administrator", "email": "admin@example.com", "username": "admin"}
DEV = {"_account_id": 1000002, "name": "Dev Eloper", "email": "dev@review.example.org", "username": "dev"}


def group(**more: Any) -> list[Call]:
    """The two questions after a group that is there."""
    detail = {**response("group.get.detail"), **more}
    return [recorded("group.get"), Call("GET", f"/groups/{UUID}/detail", detail)]


def account(info: dict[str, Any]) -> Call:
    return Call("GET", f"/accounts/{info['username']}/detail", {"registered_on": "2026-11-21", **info})


MISSING = recorded("group.get.missing", "GET", "/groups/Third-party%20CI")
CREATE = recorded(
    "group.create", body={"description": "third-party CI accounts", "visible_to_all": False}
)  # fmt: skip
NEW = "c43d8865fc9e929d0a7b8896b7612c66b0b944c0"


def test_new_group_has_only_the_listed_members(run: Run) -> None:
    calls = [
        MISSING,
        account(DEV),
        CREATE,
        account(DEV),
        Call("PUT", f"/groups/{NEW}/members/1000002", DEV, 201),
        account(DEV),
        Call("GET", f"/groups/{NEW}/members/", [ADMIN, DEV]),
        Call("DELETE", f"/groups/{NEW}/members/1000000", "", 204),
    ]
    params = {"name": "Third-party CI", "description": "third-party CI accounts", "members": ["dev"]}
    result = run("gerrit_group", params, calls)
    assert result["changed"]
    assert result["diff"]["before"] == {}
    assert result["diff"]["after"]["members"] == ["dev"]


def test_check_mode_asks_but_changes_nothing(run: Run) -> None:
    params = {"name": "Third-party CI", "members": ["dev"]}
    result = run("gerrit_group", params, [MISSING, account(DEV)], check=True)
    assert result["changed"]
    assert result["actions"][:2] == ["create the group Third-party CI", "add the member dev"]


def test_as_wanted_is_not_changed(run: Run) -> None:
    params = {
        "name": "demo-core",
        "description": "core reviewers",
        "visible_to_all": True,
        "owner": "demo-core",
        "members": ["admin"],
        "includes": [],
        "exclusive": True,
    }
    result = run("gerrit_group", params, [*group(), account(ADMIN)])
    assert not result["changed"]
    assert result["diff"]["before"] == result["diff"]["after"]
    assert result["group"]["members"] == ["admin"]


@pytest.mark.parametrize(
    ("params", "call", "shown"),
    [
        (
            {"description": "core reviewers of demo"},
            Call("PUT", f"/groups/{UUID}/description", '"core reviewers of demo"', 200,
                 {"description": "core reviewers of demo"}),
            {"description": "core reviewers of demo"},
        ),
        ({"description": ""}, Call("DELETE", f"/groups/{UUID}/description", "", 204), {"description": ""}),
        (
            {"visible_to_all": False},
            Call("PUT", f"/groups/{UUID}/options", {}, 200, {"visible_to_all": False}),
            {"visible_to_all": False},
        ),
    ],
)  # fmt: skip
def test_one_setting(run: Run, params: dict[str, Any], call: Call, shown: dict[str, Any]) -> None:
    result = run("gerrit_group", {"name": "demo-core", **params}, [*group(), call])
    assert result["changed"]
    assert result["diff"]["after"] == {**result["diff"]["before"], **shown}


def test_owner_is_sent_by_uuid(run: Run) -> None:
    admins = "4d241c8b4c36dd16b8d2c950332f12cb96d33a2c"
    info = {"id": admins, "name": "Administrators"}
    calls = [
        *group(),
        Call("GET", "/groups/Administrators", info),
        Call("GET", f"/groups/{admins}/detail", info),
        Call("PUT", f"/groups/{UUID}/owner", info, 200, {"owner": admins}),
    ]
    assert run("gerrit_group", {"name": "demo-core", "owner": "Administrators"}, calls)["changed"]


def test_exclusive_removes_whom_it_does_not_name(run: Run) -> None:
    included = {"id": "19b6a4c4c992f0e271ee1044407331579ff12208", "name": "renamed"}
    calls = [
        *group(includes=[included]),
        account(DEV),
        Call("DELETE", f"/groups/{UUID}/groups/{included['id']}", "", 204),
        account(DEV),
        Call("PUT", f"/groups/{UUID}/members/1000002", DEV, 201),
        Call("DELETE", f"/groups/{UUID}/members/1000000", "", 204),
    ]
    params = {"name": "demo-core", "members": ["dev"], "includes": [], "exclusive": True}
    result = run("gerrit_group", params, calls)
    assert result["group"]["members"] == ["dev"]
    assert result["group"]["includes"] == []


@pytest.mark.parametrize("check", [False, True])
def test_unknown_member_is_an_error_but_may_come_in_check_mode(run: Run, check: bool) -> None:
    unknown = recorded("account.get.missing", "GET", "/accounts/none-such/detail")
    result = run(
        "gerrit_group", {"name": "demo-core", "members": ["none-such"]}, [*group(), unknown], check=check
    )
    assert bool(result.get("failed")) is not check
    told = result["warnings"] if check else result["msg"]
    assert "no account 'none-such'" in str(told)
    assert "gerrit_account" in str(told)


def test_name_that_is_taken(run: Run) -> None:
    params = {"name": "Third-party CI", "description": "third-party CI accounts"}
    taken = recorded("group.create.exists", body=CREATE.body)
    result = run("gerrit_group", params, [MISSING, taken])
    assert "'Third-party CI' is taken" in result["msg"]


def test_system_group_cannot_be_changed(run: Run) -> None:
    result = run("gerrit_group", {"name": "Registered Users"}, [recorded("group.get.system")])
    assert "system group" in result["msg"]
