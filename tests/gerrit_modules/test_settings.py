"""Every setting: check mode foresees it, the run does it, a second run has nothing to do.

The rows build on each other: with xdist this file needs `--dist loadfile`.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.gerrit_modules.conftest import Run

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKGtBZ6KtCv3xvN4MXJXDsz0j7XZzk0ssL0qo0kSXpyR first"
KEY_2 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMeXHeGSFMnnlQIcuJbbuMzJkSl3cPcIHUHGKu7SdmhR second"
VERIFIED = {
    "name": "Verified",
    "values": {"-1": "Fails", "0": "No score", "1": "Works"},
    "copy_condition": "changekind:NO_CODE_CHANGE",
}
REQUIREMENT = {"name": "Verified", "submittability_expression": "label:Verified=MAX AND -label:Verified=MIN"}
VOTE = {"ref": "refs/heads/*", "permission": "label-Verified", "group": "ci", "min": -1, "max": 1}
READ = {"ref": "refs/heads/*", "permission": "read", "group": "core"}
SUBMIT = {**READ, "permission": "submit"}
STREAM = {"ref": "GLOBAL_CAPABILITIES", "permission": "streamEvents", "group": "ci"}
PRIORITY = {"ref": "GLOBAL_CAPABILITIES", "permission": "priority", "group": "ci"}
LOCKED = {"ref": "refs/heads/locked", "permission": "push", "group": "Registered Users"}
EXACT = {"project": "rules", "state": "exact"}
NESTED = {"name": "group/nested"}
ROOT = {"name": "All-Projects"}

# In this order: each row builds on those before it.
RUNS: list[tuple[str, str, dict[str, Any]]] = [
    ("new account", "account", {"name": "alice"}),
    ("full name", "account", {"name": "alice", "full_name": "Alice Author"}),
    ("email", "account", {"name": "alice", "email": "alice@review.example.org"}),
    ("another email", "account", {"name": "alice", "email": "a@review.example.org"}),
    ("first email again", "account", {"name": "alice", "email": "alice@review.example.org"}),
    ("keys", "account", {"name": "alice", "ssh_keys": [KEY]}),
    ("one more key", "account", {"name": "alice", "ssh_keys": [KEY_2], "ssh_keys_exclusive": False}),
    ("other keys", "account", {"name": "alice", "ssh_keys": [KEY_2]}),
    ("no key", "account", {"name": "alice", "ssh_keys": []}),
    ("inactive", "account", {"name": "alice", "active": False}),
    ("active", "account", {"name": "alice", "active": True}),
    (
        "whole account",
        "account",
        {
            "name": "bob",
            "full_name": "Bob Reviewer",
            "email": "bob@review.example.org",
            "ssh_keys": [KEY],
            "http_password": "of-bob",
            "groups": ["Service Users"],
        },
    ),
    ("new group", "group", {"name": "ci"}),
    ("description", "group", {"name": "ci", "description": "voters"}),
    ("visible", "group", {"name": "ci", "visible_to_all": True}),
    ("hidden", "group", {"name": "ci", "visible_to_all": False}),
    ("no description", "group", {"name": "ci", "description": ""}),
    ("owner", "group", {"name": "ci", "owner": "Administrators"}),
    ("member", "group", {"name": "ci", "members": ["alice"]}),
    ("member by email", "group", {"name": "ci", "members": ["bob@review.example.org"]}),
    ("only this member", "group", {"name": "ci", "members": ["bob"], "exclusive": True}),
    ("whole group", "group", {"name": "core", "visible_to_all": True, "members": ["bob"]}),
    ("included group", "group", {"name": "ci", "includes": ["core"]}),
    ("no group included", "group", {"name": "ci", "includes": [], "exclusive": True}),
    ("group of an account", "account", {"name": "alice", "groups": ["ci", "core"]}),
    ("rules only", "project", {"name": "rules", "permissions_only": True}),
    ("new project", "project", {**NESTED, "description": "a project"}),
    ("branches", "project", {**NESTED, "branches": [{"name": "stable"}, {"name": "release/1"}]}),
    ("head", "project", {**NESTED, "head": "stable"}),
    ("parent", "project", {**NESTED, "parent": "rules"}),
    ("submit type", "project", {**NESTED, "config": {"submit_type": "cherry_pick"}}),
    ("switch", "project", {**NESTED, "config": {"require_change_id": False}}),
    ("inherited", "project", {**NESTED, "config": {"require_change_id": "inherit"}}),
    ("size", "project", {**NESTED, "config": {"max_object_size_limit": "10m"}}),
    ("no size", "project", {**NESTED, "config": {"max_object_size_limit": ""}}),
    ("description of it", "project", {**NESTED, "description": "changed"}),
    ("read only", "project", {**NESTED, "project_state": "read_only"}),
    ("writable", "project", {**NESTED, "project_state": "active"}),
    ("label", "project", {**ROOT, "labels": [VERIFIED]}),
    ("label's text", "project", {**ROOT, "labels": [{"name": "Verified", "description": "CI"}]}),
    ("nothing copied", "project", {**ROOT, "labels": [{"name": "Verified", "copy_condition": ""}]}),
    ("requirement", "project", {**ROOT, "submit_requirements": [REQUIREMENT]}),
    (
        "applicable",
        "project",
        {
            **ROOT,
            "submit_requirements": [
                {"name": "Verified", "applicability_expression": "-branch:refs/meta/config"}
            ],
        },
    ),
    ("label of its own", "project", {**NESTED, "labels": [{**VERIFIED, "name": "Smoke"}]}),
    ("label gone", "project", {**NESTED, "labels": [{"name": "Smoke", "state": "absent"}]}),
    (
        "whole project",
        "project",
        {
            "name": "whole",
            "parent": "rules",
            "description": "all at once",
            "branches": [{"name": "main"}, {"name": "next"}],
            "config": {"submit_type": "rebase_always", "require_change_id": True},
            "labels": [{**VERIFIED, "name": "Smoke"}],
            "submit_requirements": [{**REQUIREMENT, "name": "Smoke"}],
        },
    ),
    ("rule", "access", {"rules": [VOTE]}),
    ("smaller range", "access", {"rules": [{**VOTE, "max": 0}]}),
    ("capability", "access", {"rules": [STREAM]}),
    ("priority", "access", {"rules": [{**PRIORITY, "action": "batch"}]}),
    ("block", "access", {"project": "rules", "rules": [{**LOCKED, "action": "block", "force": True}]}),
    ("two rules", "access", {"project": "rules", "rules": [READ, {**READ, "group": "ci"}]}),
    ("exclusive", "access", {"project": "rules", "rules": [{**READ, "exclusive": True}]}),
    ("not exclusive", "access", {"project": "rules", "rules": [{**READ, "exclusive": False}]}),
    ("the only group", "access", {**EXACT, "rules": [READ]}),
    ("only on the ref", "access", {**EXACT, "exact_scope": "ref", "rules": [SUBMIT]}),
    ("the only rule", "access", {**EXACT, "exact_scope": "project", "rules": [READ]}),
    ("rule gone", "access", {"state": "absent", "rules": [PRIORITY]}),
    ("ref gone", "access", {"project": "rules", "state": "absent", "rules": [{"ref": "refs/heads/*"}]}),
]  # fmt: skip

RETURNS = {"access": "access", "account": "account", "group": "group", "project": "project"}
# Only the server can say these.
UNFORESEEN = ("uuid", "branches", "config", "http_password")


def told(result: dict[str, Any], module: str) -> dict[str, Any]:
    """The state that a run tells, without what check mode can't know."""
    return {key: value for key, value in result[RETURNS[module]].items() if key not in UNFORESEEN}


@pytest.mark.parametrize(
    ("module", "params"), [row[1:] for row in RUNS], ids=[row[0].replace(" ", "-") for row in RUNS]
)
def test_setting(run: Run, module: str, params: dict[str, Any]) -> None:
    foreseen = run(module, params, check=True)
    assert foreseen.get("changed"), foreseen
    assert foreseen["diff"]["before"] != foreseen["diff"]["after"]
    done = run(module, params)
    assert done.get("changed"), done
    assert done["diff"]["before"] == foreseen["diff"]["before"], "check mode changed something"
    assert done["actions"] == foreseen["actions"]
    again = run(module, params)
    assert again.get("changed") is False, again
    assert again["diff"]["before"] == again["diff"]["after"]
    assert told(again, module) == told(again, module) | told(foreseen, module)
