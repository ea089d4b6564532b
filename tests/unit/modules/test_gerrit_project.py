"""gerrit_project against scripted calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.modules.script import Call, recorded, response

Run = Callable[..., dict[str, Any]]
PARENT = Call("GET", "/projects/All-Projects", {"id": "All-Projects", "name": "All-Projects"})
SHA = "6da3cfaa8b2e154599e7da611c8470b54bb86fd1"
LABEL = response("label.create")
VERIFIED = {
    "name": "Verified",
    "values": {"-2": "Fails (gate)", "-1": "Fails", "0": "No score", "1": "Verified", "2": "Verified (gate)"},
    "copy_condition": "changekind:NO_CODE_CHANGE",
}
REQUIREMENT = {
    "name": "Verified",
    "description": "a CI vote, none against",
    "submittability_expression": "label:Verified=MAX AND -label:Verified=MIN",
    "allow_override_in_child_projects": True,
}


def project(
    name: str = "demo",
    labels: list[Any] | None = None,
    requirements: list[Any] | None = None,
    branches: list[Any] | None = None,
    **more: Any,
) -> list[Call]:
    """The questions after a project that is there."""
    path = f"/projects/{name}"
    info = {**response("project.get"), "name": name, **more}
    state = [
        Call("GET", f"{path}/branches/", branches or response("project.get.branches")),
        Call("GET", f"{path}/HEAD", '"refs/heads/master"'),
        Call("GET", f"{path}/config", response("project.get.config")),
        Call("GET", f"{path}/labels/", labels or []),
        Call("GET", f"{path}/submit_requirements/", requirements or []),
    ]
    return [Call("GET", path, info), *state]


def missing(path: str) -> Call:
    return recorded("project.get.missing", "GET", path)


def test_new_project_in_one_go(run: Run) -> None:
    body = {
        "parent": "All-Projects",
        "description": "the demo project",
        "create_empty_commit": True,
        "branches": ["master", "stable"],
    }
    calls = [
        missing("/projects/group%2Fnested"),
        PARENT,
        recorded("project.create", "PUT", "/projects/group%2Fnested", body=body),
        Call(
            "PUT",
            "/projects/group%2Fnested/config",
            {},
            200,
            {"description": "the demo project", "submit_type": "CHERRY_PICK"},
        ),
    ]
    params = {
        "name": "group/nested",
        "description": "the demo project",
        "branches": [{"name": "master"}, {"name": "stable"}],
        "config": {"submit_type": "cherry_pick"},
    }
    result = run("gerrit_project", params, calls)
    assert result["actions"] == ["create the project group/nested below All-Projects", "set submit_type"]
    assert result["diff"]["before"] == {}
    assert list(result["diff"]["after"]["branches"]) == ["master", "stable"]


def test_check_mode_of_a_new_project_below_one_that_is_not_there_yet(run: Run) -> None:
    calls = [missing("/projects/child"), missing("/projects/none-such")]
    result = run("gerrit_project", {"name": "child", "parent": "none-such"}, calls, check=True)
    assert result["actions"] == ["create the project child below none-such"]
    assert "no project 'none-such'" in str(result["warnings"])


def test_unknown_parent(run: Run) -> None:
    calls = [missing("/projects/child"), missing("/projects/none-such")]
    result = run("gerrit_project", {"name": "child", "parent": "none-such"}, calls)
    assert "no project 'none-such' to be the parent of child" in result["msg"]


def test_name_that_is_taken(run: Run) -> None:
    body = {"parent": "All-Projects", "create_empty_commit": True}
    calls = [missing("/projects/demo"), PARENT, recorded("project.create.exists", body=body)]
    result = run("gerrit_project", {"name": "demo"}, calls)
    assert "'demo' is taken" in result["msg"]
    assert "Administrators" in result["msg"]


def test_as_wanted_is_not_changed(run: Run) -> None:
    params = {
        "name": "demo",
        "parent": "base-acl",
        "description": "the demo project",
        "project_state": "active",
        "head": "master",
        "branches": [{"name": "master"}, {"name": "stable", "revision": "master"}],
        "config": {"submit_type": "merge_if_necessary", "require_change_id": "inherit"},
        "labels": [VERIFIED],
        "submit_requirements": [REQUIREMENT],
    }
    requirement = response("requirement.create")
    result = run("gerrit_project", params, project(labels=[LABEL], requirements=[requirement]))
    assert not result["changed"], result["actions"]
    assert result["diff"]["before"] == result["diff"]["after"]


def test_description_is_sent_along_with_settings(run: Run) -> None:
    """A PUT of the configuration without a description removes it (recorded: project.config.put.many)."""
    answer = {**response("project.config.put.many"), "description": "the demo project"}
    body = {"description": "the demo project", "require_change_id": "TRUE", "max_object_size_limit": "10m"}
    calls = [*project(), Call("PUT", "/projects/demo/config", answer, 200, body)]
    params = {"name": "demo", "config": {"require_change_id": True, "max_object_size_limit": "10m"}}
    result = run("gerrit_project", params, calls)
    assert result["project"]["config"]["require_change_id"] == "true"


def test_setting_that_gerrit_ignores(run: Run) -> None:
    answer = recorded(
        "project.config.put.unknown-key",
        "PUT",
        "/projects/demo/config",
        body={"description": "the demo project", "enable_signed_push": "TRUE"},
    )
    result = run(
        "gerrit_project", {"name": "demo", "config": {"enable_signed_push": True}}, [*project(), answer]
    )
    assert "ignores enable_signed_push=true" in result["msg"]


def test_project_becomes_read_only(run: Run) -> None:
    body = {"description": "the demo project", "state": "READ_ONLY"}
    calls = [*project(), recorded("project.state.read-only", "PUT", "/projects/demo/config", body=body)]
    result = run("gerrit_project", {"name": "demo", "project_state": "read_only"}, calls)
    assert result["project"]["project_state"] == "read_only"


def test_new_parent(run: Run) -> None:
    calls = [
        *project(),
        PARENT,
        Call("PUT", "/projects/demo/parent", '"All-Projects"', 200, {"parent": "All-Projects"}),
    ]
    result = run("gerrit_project", {"name": "demo", "parent": "All-Projects"}, calls)
    assert result["diff"]["before"]["parent"] == "base-acl"
    assert result["diff"]["after"]["parent"] == "All-Projects"


def test_parents_in_a_circle(run: Run) -> None:
    calls = [
        *project(),
        PARENT,
        recorded("project.parent.put.cycle", "PUT", "/projects/demo/parent", body={"parent": "All-Projects"}),
    ]
    result = run("gerrit_project", {"name": "demo", "parent": "All-Projects"}, calls)
    assert "cannot be the parent of demo: cycle exists" in result["msg"]


def test_new_label(run: Run) -> None:
    body = {
        "description": "",
        "function": "NoBlock",
        "default_value": 0,
        "values": {
            "-2": "Fails (gate)",
            "-1": "Fails",
            " 0": "No score",
            "+1": "Verified",
            "+2": "Verified (gate)",
        },
        "copy_condition": "changekind:NO_CODE_CHANGE",
        "allow_post_submit": True,
        "can_override": True,
        "branches": [],
    }
    calls = [*project(), recorded("label.create", "PUT", "/projects/demo/labels/Verified", body=body)]
    assert run("gerrit_project", {"name": "demo", "labels": [VERIFIED]}, calls)["changed"]


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({"copy_condition": ""}, {"unset_copy_condition": True}),
        ({"description": "a CI vote"}, {"description": "a CI vote"}),
        ({"allow_post_submit": False}, {"allow_post_submit": False}),
    ],
)
def test_label_changes_only_what_is_given(run: Run, given: dict[str, Any], body: dict[str, Any]) -> None:
    put = recorded("label.update", "PUT", "/projects/demo/labels/Verified", body=body)
    params = {"name": "demo", "labels": [{"name": "Verified", **given}]}
    result = run("gerrit_project", params, [*project(labels=[LABEL]), put])
    assert result["actions"] == ["set the label Verified"]


def test_label_is_removed_once(run: Run) -> None:
    params = {"name": "demo", "labels": [{"name": "Verified", "state": "absent"}]}
    delete = recorded("label.delete", "DELETE", "/projects/demo/labels/Verified")
    assert run("gerrit_project", params, [*project(labels=[LABEL]), delete])["changed"]
    assert not run("gerrit_project", params, project())["changed"]


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ({"name": "New"}, "give its values"),
        ({"name": "New", "values": {"yes": "Works"}}, "keyed by number"),
        ({"name": "New", "values": {"1": "Works"}}, "needs a value 0"),
    ],
)
def test_label_that_cannot_be(run: Run, label: dict[str, Any], words: str) -> None:
    assert words in run("gerrit_project", {"name": "demo", "labels": [label]}, project())["msg"]


def test_label_that_gerrit_refuses(run: Run) -> None:
    put = recorded(
        "label.create.bad-copy",
        "PUT",
        "/projects/demo/labels/Verified",
        body={"copy_condition": "nonsense:x"},
    )
    params = {"name": "demo", "labels": [{"name": "Verified", "copy_condition": "nonsense:x"}]}
    result = run("gerrit_project", params, [*project(labels=[LABEL]), put])
    assert "refuses the label Verified of demo: unable to parse copy condition" in result["msg"]


def test_new_submit_requirement(run: Run) -> None:
    put = recorded(
        "requirement.create", "PUT", "/projects/demo/submit_requirements/Verified", body=REQUIREMENT
    )
    calls = [*project(), put]
    assert run("gerrit_project", {"name": "demo", "submit_requirements": [REQUIREMENT]}, calls)["changed"]


def test_changed_submit_requirement_keeps_what_is_not_given(run: Run) -> None:
    body = {**REQUIREMENT, "description": "changed"}
    put = recorded("requirement.update", "PUT", "/projects/demo/submit_requirements/Verified", body=body)
    calls = [*project(requirements=[response("requirement.create")]), put]
    params = {"name": "demo", "submit_requirements": [{"name": "Verified", "description": "changed"}]}
    assert run("gerrit_project", params, calls)["changed"]


def test_submit_requirement_that_gerrit_refuses(run: Run) -> None:
    wrong = {
        "name": "Bad",
        "submittability_expression": "nonsense:x AND",
        "allow_override_in_child_projects": False,
    }
    put = recorded(
        "requirement.create.bad-expression", "PUT", "/projects/demo/submit_requirements/Bad", body=wrong
    )
    result = run("gerrit_project", {"name": "demo", "submit_requirements": [wrong]}, [*project(), put])
    assert "Unsupported operator" in result["msg"]


def test_missing_branch_and_head(run: Run) -> None:
    calls = [
        *project(),
        recorded(
            "project.branch.create", "PUT", "/projects/demo/branches/release%2F1", body={"revision": "HEAD"}
        ),
        Call("PUT", "/projects/demo/HEAD", '"refs/heads/release/1"', 200, {"ref": "refs/heads/release/1"}),
    ]
    params = {"name": "demo", "branches": [{"name": "release/1"}], "head": "release/1"}
    result = run("gerrit_project", params, calls)
    assert result["diff"]["before"]["branches"] == {"master": SHA, "stable": SHA}


@pytest.mark.parametrize(
    ("params", "call", "words"),
    [
        (
            {"branches": [{"name": "new", "revision": "none-such"}]},
            recorded("project.branch.create.bad-revision", "PUT", "/projects/demo/branches/new",
            body={"revision": "none-such"}), 'base revision "none-such" not found',
        ),
        (
            {"head": "none-such"},
            recorded("project.head.put.missing", "PUT", "/projects/demo/HEAD", body={"ref":
            "refs/heads/none-such"}), "no refs/heads/none-such",
        ),
    ],
)  # fmt: skip
def test_refusals(run: Run, params: dict[str, Any], call: Call, words: str) -> None:
    assert words in run("gerrit_project", {"name": "demo", **params}, [*project(), call])["msg"]
