"""gerrit_access against scripted calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.modules.script import Call, recorded, response

Run = Callable[..., dict[str, Any]]
CI = "c43d8865fc9e929d0a7b8896b7612c66b0b944c0"
CORE = "7b8bbc43a7dd4a91e765b9afd4fe2557e6f85b6f"
ALLOW = {"action": "ALLOW", "force": False}
VOTE = {"ref": "refs/heads/*", "permission": "label-Verified", "group": "Third-party CI", "min": -1, "max": 1}
PUSH = {"ref": "refs/heads/*", "permission": "push", "group": "Third-party CI"}
LABELS = Call(
    "GET",
    "/projects/demo/labels/?inherited",
    [{"name": "Verified", "values": {"-2": "", "-1": "", " 0": "", "+1": "", "+2": ""}}],
)


def group(name: str = "Third-party CI", uuid: str = CI) -> list[Call]:
    info = {"id": uuid, "name": name}
    return [
        Call("GET", f"/groups/{name.replace(' ', '%20')}", info),
        Call("GET", f"/groups/{uuid}/detail", info),
    ]


def access(rules: dict[str, Any], **exclusive: bool) -> dict[str, Any]:
    """ProjectAccessInfo with these permissions on refs/heads/*."""
    permissions = {
        name: {"rules": rule, **({"exclusive": True} if exclusive.get(name.replace("-", "_")) else {})}
        for name, rule in rules.items()
    }
    names = {CI: {"name": "Third-party CI"}, CORE: {"name": "demo-core"}}
    return {"local": {"refs/heads/*": {"permissions": permissions}} if rules else {}, "groups": names}


def get(rules: dict[str, Any], **exclusive: bool) -> Call:
    return Call("GET", "/projects/demo/access", access(rules, **exclusive))


def post(answer: dict[str, Any], **body: Any) -> Call:
    sections = {
        key: {"refs/heads/*": {"permissions": permissions}} for key, permissions in body.items()
    }  # fmt: skip
    sent = {"message": "Access rules set by Ansible", **sections}
    return Call("POST", "/projects/demo/access", answer, 200, sent)


def test_new_rule(run: Run) -> None:
    rule = {**ALLOW, "min": -1, "max": 1}
    calls = [
        get({}),
        LABELS,
        *group(),
        post(
            access({"label-Verified": {CI: rule}}),
            add={"label-Verified": {"label": "Verified", "rules": {CI: rule}}},
        ),
    ]
    result = run("gerrit_access", {"project": "demo", "rules": [VOTE]}, calls)
    assert result["actions"] == ["change the rules for label-Verified on refs/heads/*"]
    shown = {"refs/heads/*": {"label-Verified": {"rules": {"Third-party CI": "allow -1..+1"}}}}
    assert (result["diff"]["before"], result["diff"]["after"]) == ({}, shown)


def test_recorded_access_of_a_fresh_site_is_understood(run: Run) -> None:
    fresh = recorded("access.get.initial")
    rules = [
        {"ref": "refs/meta/config", "permission": "read", "group": "Administrators", "exclusive": True},
        {"ref": "GLOBAL_CAPABILITIES", "permission": "priority", "group": "Service Users", "action": "batch"},
        {"ref": "refs/heads/*", "permission": "editTopicName", "group": "Administrators", "force": True},
    ]
    calls = [
        fresh,
        *group("Administrators", "4d241c8b4c36dd16b8d2c950332f12cb96d33a2c"),
        *group("Service Users", "85a00cc7481a9874957aa9fdcb5224ef2fd93177"),
    ]
    result = run("gerrit_access", {"rules": rules}, calls)
    assert not result["changed"]
    assert result["access"]["refs/*"]["read"]["rules"]["Blocked Users"] == "block"


def test_changed_range_replaces_the_rule(run: Run) -> None:
    """Gerrit adds a rule beside the one that the group has: that one must go first."""
    now, rule = {**ALLOW, "min": -2, "max": 2}, {**ALLOW, "min": -1, "max": 1}
    calls = [
        get({"label-Verified": {CI: now}}),
        LABELS,
        *group(),
        post(
            access({"label-Verified": {CI: rule}}),
            remove={"label-Verified": {"rules": {CI: {}}}},
            add={"label-Verified": {"label": "Verified", "rules": {CI: rule}}},
        ),
    ]
    assert run("gerrit_access", {"project": "demo", "rules": [VOTE]}, calls)["changed"]


@pytest.mark.parametrize("wanted", [True, False])
def test_exclusive_flag_is_made_anew_with_all_rules(run: Run, wanted: bool) -> None:
    """Gerrit does not touch the flag of a permission that is there."""
    both = {CI: ALLOW, CORE: ALLOW}
    add: dict[str, Any] = {"rules": both}
    if wanted:
        add["exclusive"] = True
    calls = [
        get({"push": both}, push=not wanted),
        *group(),
        post(
            access({"push": both}, push=wanted),
            remove={"push": {"rules": {CI: {}, CORE: {}}}},
            add={"push": add},
        ),
    ]
    params = {"project": "demo", "rules": [{**PUSH, "exclusive": wanted}]}
    assert run("gerrit_access", params, calls)["changed"]


def test_exclusive_flag_stays_when_nothing_is_said(run: Run) -> None:
    calls = [get({"push": {CI: ALLOW}}, push=True), *group()]
    assert not run("gerrit_access", {"project": "demo", "rules": [PUSH]}, calls)["changed"]


def test_absent_names_every_rule(run: Run) -> None:
    """A removal without rules takes the whole section with it (recorded: access.remove.permission)."""
    rules = {"push": {CI: ALLOW, CORE: ALLOW}, "submit": {CORE: ALLOW}}
    calls = [
        get(rules),
        post(access({"submit": {CORE: ALLOW}}), remove={"push": {"rules": {CI: {}, CORE: {}}}}),
    ]
    params = {
        "project": "demo",
        "state": "absent",
        "rules": [{"ref": "refs/heads/*", "permission": "push"}],
    }
    assert list(run("gerrit_access", params, calls)["access"]["refs/heads/*"]) == ["submit"]


def test_absent_of_a_group_that_is_gone(run: Run) -> None:
    calls = [get({"push": {CORE: ALLOW}}), recorded("group.get.missing", "GET", "/groups/Third-party%20CI")]
    params = {"project": "demo", "state": "absent", "rules": [PUSH]}
    assert not run("gerrit_access", params, calls)["changed"]


EXACT = {"project": "demo", "state": "exact", "rules": [PUSH]}


@pytest.mark.parametrize(
    ("scope", "left"),
    [("permission", {"push", "submit", "read"}), ("ref", {"push", "read"}), ("project", {"push"})],
)
def test_exact_reaches_as_far_as_it_says(run: Run, scope: str, left: set[str]) -> None:
    now = access({"push": {CORE: ALLOW}, "submit": {CORE: ALLOW}})
    now["local"]["refs/*"] = {"permissions": {"read": {"rules": {CORE: ALLOW}}}}
    calls = [Call("GET", "/projects/demo/access", now), *group()]
    result = run("gerrit_access", {**EXACT, "exact_scope": scope}, calls, check=True)
    after = {permission for section in result["access"].values() for permission in section}
    assert after == left
    assert result["access"]["refs/heads/*"]["push"]["rules"] == {"Third-party CI": "allow"}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({**VOTE, "max": 7}, "has no such range: -1..7; its values are -2, -1, 0, 1, 2"),
        ({**VOTE, "permission": "label-None-Such"}, "no label 'None-Such'"),
    ],
)
def test_vote_that_nobody_could_give(run: Run, rule: dict[str, Any], words: str) -> None:
    """Gerrit accepts both (recorded: access.label.out-of-range, access.label.unknown)."""
    result = run("gerrit_access", {"project": "demo", "rules": [rule]}, [get({}), LABELS, *group()])
    assert words in result["msg"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({**VOTE, "min": 2, "max": -2}, "min not above max"),
        ({"ref": "refs/*", "permission": "label-Verified", "group": "x"}, "needs min and max"),
        ({"ref": "refs/*", "permission": "read"}, "needs permission and group"),
        ({"ref": "GLOBAL_CAPABILITIES", "permission": "streamEvents", "group": "x"}, "on All-Projects only"),
    ],
)
def test_rule_that_makes_no_sense(run: Run, rule: dict[str, Any], words: str) -> None:
    assert words in run("gerrit_access", {"project": "demo", "rules": [rule]}, [get({})])["msg"]


@pytest.mark.parametrize("check", [True, False])
def test_unknown_group(run: Run, check: bool) -> None:
    calls = [get({}), recorded("group.get.missing", "GET", "/groups/Third-party%20CI")]
    result = run("gerrit_access", {"project": "demo", "rules": [PUSH]}, calls, check=check)
    assert "no group 'Third-party CI'" in str(result["warnings"] if check else result["msg"])


def test_unknown_project(run: Run) -> None:
    calls = [recorded("project.get.missing", "GET", "/projects/demo/access")]
    assert "no project 'demo'" in run("gerrit_access", {"project": "demo", "rules": [PUSH]}, calls)["msg"]


def test_answer_that_is_not_what_was_wanted(run: Run) -> None:
    calls = [get({}), *group(), post(access({}), add={"push": {"rules": {CI: ALLOW}}})]
    assert "not what was wanted" in run("gerrit_access", {"project": "demo", "rules": [PUSH]}, calls)["msg"]


def test_who_may_not(run: Run) -> None:
    refused = recorded("access.ordinary", body=post({}, add={"push": {"rules": {CI: ALLOW}}}).body)
    result = run("gerrit_access", {"project": "demo", "rules": [PUSH]}, [get({}), *group(), refused])
    assert "Administrators" in result["msg"]
    assert response("access.ordinary").strip() in result["msg"]
