"""Runs of a scenario: check mode predicts, a second run changes nothing, a hand edit alone is repaired."""

import json

import pytest

from tests.testinfra.conftest import ROOT, SCENARIO, scenario_vars


@pytest.fixture(scope="module")
def runs() -> list[dict]:
    """The runs of converge.yml in order: check, first, second, after the edit."""
    lines = (ROOT / ".lab/molecule/changes" / f"{SCENARIO}.jsonl").read_text(encoding="utf-8").splitlines()
    return [run for run in map(json.loads, lines) if run["playbook"] == "converge.yml"]


def tasks(run: dict) -> set[str]:
    """Names of the tasks that changed something, as `role : task`."""
    return {name.removeprefix("xenci.stack.") for _, name in run["changed"]}


def test_runs_are_those_of_the_sequence(runs):
    assert [run["check"] for run in runs] == [True, False, False, False]
    assert not any(run["failed"] or run["unreachable"] for run in runs)


def test_check_mode_on_a_bare_host_predicts(runs):
    assert tasks(runs[1]), "the first run changed nothing: the host was not bare"
    assert tasks(runs[1]) - tasks(runs[0]) == set(scenario_vars()["scenario_not_predicted"])


def test_second_run_changes_nothing(runs):
    assert tasks(runs[2]) == set()


def test_hand_edit_is_the_only_repair(runs):
    assert tasks(runs[3]) == set(scenario_vars()["scenario_repaired_by"])
