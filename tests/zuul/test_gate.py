"""The gate of our own projects, as Zuul reads it."""

import pytest

from tests.zuul import layout


def test_it_tests_changes_on_top_of_each_other_in_one_queue(site):
    made = site("vote")
    assert made.layout.pipeline_managers["gate"].type == "dependent"
    for project in ("infra", "xenci", "sandbox"):
        queue = made.layout.getQueueForProjectBranch(f"{layout.HOST}/{project}", "master")
        assert queue.name == "own"
    assert made.layout.getQueueForProjectBranch(f"{layout.HOST}/hypervisor-tools", "master") is None


def test_success_votes_and_merges(site):
    (told,) = site("vote").said("gate", "sandbox", layout.ended("SUCCESS"))
    assert (told.labels, told.submit) == ({"Verified": 1}, True)


def test_failure_votes_and_does_not_merge(site):
    (told,) = site("vote").said("gate", "sandbox", layout.ended("FAILURE"))
    assert (told.labels, told.submit) == ({"Verified": -1}, False)


def test_its_own_vote_is_not_waited_for(site):
    """The submit requirement Verified is what the gate itself brings; all others must be met before."""
    manager = site("vote").layout.pipeline_managers["gate"]
    change = site("vote").change("sandbox", ["README.md"])
    assert set(manager.getSubmitAllowNeeds(change)) == {"Verified"}


def test_it_takes_the_place_of_the_check(site):
    assert site("vote").pipeline("gate").supercedes == ["own_check", "sandbox"]


def test_it_says_where_to_look_when_it_starts(site):
    with site("vote").item("gate", "sandbox", ["README.md"]) as item:
        (reporter,) = item.manager.pipeline.start_actions
        text = reporter._formatItemReport(item)
        assert text.startswith("Starting the gate: https://zuul.demo.test/t/xenci/status/change/1,1")
        assert reporter._labels == {}


VOTES = {"Code-Review": 2, "Workflow": 1}


def change_with(site, votes: dict[str, int]):
    change = site("vote").change("sandbox", ["README.md"])
    change.open, change.is_current_patchset, change.wip = True, True, False
    change.approvals = [
        {"type": name, "description": name, "value": value, "by": {"username": "bob"}, "grantedOn": 0}
        for name, value in votes.items()
    ]
    return change


@pytest.mark.parametrize(
    ("votes", "admitted"),
    [
        (VOTES, True),
        ({**VOTES, "Verified": -1}, True),
        ({}, False),
        ({"Code-Review": 2}, False),
        ({"Workflow": 1}, False),
        ({"Code-Review": 1, "Workflow": 1}, False),
        ({"Code-Review": 2, "Workflow": -1}, False),
    ],
)
def test_what_must_be_approved(site, votes, admitted):
    change = change_with(site, votes)
    assert all(filter_.matches(change) for filter_ in site("vote").pipeline("gate").ref_filters) is admitted
