"""Who approves and who merges on the demo's Gerrit: our projects by the gate alone, upstream's as ever."""

from __future__ import annotations

import pytest

from tests.gerrit_contract.replay import Server
from tests.gerrit_modules.conftest import Run
from tests.gerrit_modules.demo import BASTION, ask, given, labels, merge, proposed, reworded, set_up, vote

OWN, UPSTREAM = ("infra", "xenci", "sandbox"), "hypervisor-tools"
PLANNED = {"Allow-Plan", "Planned"}


@pytest.fixture
def demo(run: Run, server: Server) -> Server:
    """The demo's groups, accounts, projects and rules."""
    return set_up(run, server)


def test_own_projects_are_merged_by_the_gate_alone(demo: Server) -> None:
    for project in OWN:
        change = proposed(demo, project)
        assert labels(demo, change) - PLANNED == {"Code-Review", "Verified", "Workflow"}
        for nobody in ("alice", "carol", "xen-ci", BASTION):
            assert vote(demo, nobody, change, Workflow=1) == 403
        assert vote(demo, "bob", change, Code_Review=2) == 200
        assert vote(demo, "xen-ci", change, Verified=1) == 200
        if project == "infra":
            assert vote(demo, BASTION, change, Planned=1) == 200
        # Not before it is approved.
        assert merge(demo, change)[0] == 409
        assert vote(demo, "bob", change, Workflow=1) == 200
        for person in ("alice", "bob", "carol", BASTION):
            assert ask(demo, person, f"/changes/{change}/submit", "POST", {})[0] == 403
        status, merged = merge(demo, change)
        assert (status, merged["status"]) == (200, "MERGED")


def test_the_gates_vote_is_one_or_minus_one(demo: Server) -> None:
    change = proposed(demo, "sandbox")
    assert vote(demo, "xen-ci", change, Verified=-1) == 200
    info = ask(demo, "carol", f"/changes/{change}?o=DETAILED_LABELS")[1]
    assert set(info["labels"]["Verified"]["values"]) == {"-1", " 0", "+1"}


def test_who_holds_a_change_back_stops_it(demo: Server) -> None:
    change = proposed(demo, "sandbox")
    for user, votes in (("bob", {"Code_Review": 2, "Workflow": -1}), ("xen-ci", {"Verified": 1})):
        assert vote(demo, user, change, **votes) == 200
    assert merge(demo, change)[0] == 409


def test_a_new_patch_set_is_approved_anew(demo: Server) -> None:
    change = proposed(demo, "infra")
    assert vote(demo, "bob", change, Code_Review=2, Workflow=1, Allow_Plan=1) == 200
    assert vote(demo, BASTION, change, Planned=1) == 200
    assert vote(demo, "xen-ci", change, Verified=1) == 200
    # Only a CI's vote outlives a new message.
    reworded(demo, "alice", change, "Another change")
    for label, left in (("Workflow", []), ("Allow-Plan", []), ("Planned", []), ("Verified", [1])):
        assert given(demo, change, label) == left, label


def test_upstream_knows_nothing_of_it(demo: Server) -> None:
    change = proposed(demo, UPSTREAM)
    assert labels(demo, change) == {"Code-Review", "Verified"}
    assert vote(demo, "bob", change, Code_Review=2) == 200
    assert vote(demo, "xen-ci", change, Verified=1) == 200
    assert merge(demo, change)[0] == 403
    status, merged = ask(demo, "bob", f"/changes/{change}/submit", "POST", {})
    assert (status, merged["status"]) == (200, "MERGED")


def test_only_infra_is_planned(demo: Server) -> None:
    assert labels(demo, proposed(demo, "infra")) >= PLANNED
    for project in ("xenci", "sandbox"):
        assert not PLANNED & labels(demo, proposed(demo, project))


def test_who_allows_a_plan(demo: Server) -> None:
    change = proposed(demo, "infra")
    for nobody in ("alice", "carol", "xen-ci", BASTION):
        assert vote(demo, nobody, change, Allow_Plan=1) == 403
    assert vote(demo, "bob", change, Allow_Plan=1) == 200


def test_nobody_allows_a_plan_of_their_own_change(demo: Server) -> None:
    """A core reviewer's, or an administrator's who put himself into the group."""
    change = proposed(demo, "infra", "bob")
    for value in (1, -1):
        assert vote(demo, "bob", change, Allow_Plan=value) == 403


def test_only_the_bastion_says_what_is_planned(demo: Server) -> None:
    change = proposed(demo, "infra")
    for nobody in ("alice", "bob", "carol", "xen-ci"):
        assert vote(demo, nobody, change, Planned=1) == 403
    assert vote(demo, BASTION, change, Planned=1) == 200


@pytest.mark.parametrize(
    ("votes", "status"),
    [
        ({}, 409),
        ({"Planned": -1}, 409),
        ({"Planned": 1}, 200),
        # Somebody has thought again.
        ({"Planned": 1, "Allow_Plan": -1}, 409),
    ],
)
def test_what_is_not_planned_is_not_merged(demo: Server, votes: dict[str, int], status: int) -> None:
    change = proposed(demo, "infra")
    assert vote(demo, "bob", change, Code_Review=2, Workflow=1, Allow_Plan=votes.get("Allow_Plan", 1)) == 200
    assert vote(demo, "xen-ci", change, Verified=1) == 200
    if "Planned" in votes:
        assert vote(demo, BASTION, change, Planned=votes["Planned"]) == 200
    assert merge(demo, change)[0] == status
