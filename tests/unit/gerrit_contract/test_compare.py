"""The comparison of the Gerrit contract suite must be able to fail, in every way that it promises."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.gerrit_contract import recordings
from tests.gerrit_contract.compare import (
    compare,
    compare_command,
    compare_events,
    compare_rest,
    compare_text,
)
from tests.gerrit_contract.identities import Identities

SHA, OTHER, THIRD = "a1" * 20, "b2" * 20, "c3" * 20
ANSWER: dict[str, Any] = {
    "status": 200,
    "response_headers": {"content-type": "application/json;charset=utf-8"},
    "response": {
        "id": "demo~2",
        "change_id": "I" + SHA,
        "status": "NEW",
        "_number": 2,
        "updated": "2026-11-21 02:25:30.000000000",
        "owner": {"_account_id": 1000002},
        "wip": True,
        "labels": {
            "Verified": {"all": [{"value": 1, "_account_id": 1000001}, {"value": 0, "_account_id": 1000002}]}
        },
        "current_revision": SHA,
        "revisions": {SHA: {"_number": 4, "ref": "refs/changes/02/2/4"}},
    },
}


def live(**changes: Any) -> dict[str, Any]:
    answer = copy.deepcopy(ANSWER)
    answer["response"].update(changes)
    return answer


def test_same_answer_is_held() -> None:
    assert compare_rest(ANSWER, live(), Identities()) == []


def test_other_numbers_hashes_and_times_are_held() -> None:
    text = (
        json.dumps(ANSWER)
        .replace(SHA, OTHER)
        .replace("demo~2", "demo~7")
        .replace('"_number": 2', '"_number": 7')
    )
    text = text.replace("02/2/4", "07/7/4").replace("1000002", "1000009").replace("02:25:30", "11:00:01")
    assert compare_rest(ANSWER, json.loads(text), Identities()) == []


def test_wrong_status_is_caught() -> None:
    assert compare_rest(ANSWER, {**live(), "status": 201}, Identities()) == ["status: 200 expected, got 201"]


def test_missing_field_is_caught() -> None:
    answer = live()
    del answer["response"]["owner"]
    assert compare_rest(ANSWER, answer, Identities()) == [".owner: missing"]


def test_missing_nested_field_is_caught() -> None:
    answer = live()
    del answer["response"]["labels"]["Verified"]["all"][0]["value"]
    assert compare_rest(ANSWER, answer, Identities())


def test_additional_field_is_caught() -> None:
    assert compare_rest(ANSWER, live(private=True), Identities()) == [".private: not expected"]


@pytest.mark.parametrize(
    "changes",
    [
        {"_number": "2"},
        {"wip": 1},
        {"owner": [1000002]},
        {"labels": None},
        {"status": {"name": "NEW"}},
    ],
)
def test_wrong_type_is_caught(changes: dict[str, Any]) -> None:
    assert any("expected, got" in text for text in compare_rest(ANSWER, live(**changes), Identities()))


@pytest.mark.parametrize("changes", [{"status": "MERGED"}, {"wip": False}, {"id": "other~2"}])
def test_wrong_fixed_value_is_caught(changes: dict[str, Any]) -> None:
    assert compare_rest(ANSWER, live(**changes), Identities())


def test_wrong_vote_is_caught() -> None:
    answer = live()
    answer["response"]["labels"]["Verified"]["all"][0]["value"] = -1
    assert compare_rest(ANSWER, answer, Identities())


def test_patch_set_number_is_a_fixed_value() -> None:
    answer = live()
    answer["response"]["revisions"][SHA]["_number"] = 5
    assert compare_rest(ANSWER, answer, Identities())


def test_wrong_content_type_is_caught() -> None:
    answer = {**live(), "response_headers": {"content-type": "text/plain;charset=utf-8"}}
    assert compare_rest(ANSWER, answer, Identities())


def test_missing_header_is_caught() -> None:
    assert compare_rest(ANSWER, {**live(), "response_headers": {}}, Identities())


def test_number_must_stay_the_same_thing() -> None:
    ids = Identities()
    assert compare_text("/c/demo/+/2 first", "/c/demo/+/7 first", ids) == []
    assert compare_text("/c/demo/+/2 first", "/c/demo/+/8 first", ids)
    assert compare_text("/c/demo/+/3 second", "/c/demo/+/7 second", ids)


def test_account_must_stay_the_same_one() -> None:
    ids = Identities()
    assert compare({"_account_id": 1000001}, {"_account_id": 1000005}, ids) == []
    assert compare({"_account_id": 1000002}, {"_account_id": 1000005}, ids)


def test_known_commit_must_be_that_commit() -> None:
    ids = Identities()
    ids.seed("sha", SHA, OTHER)
    assert compare({"revision": SHA}, {"revision": OTHER}, ids) == []
    assert compare({"revision": SHA}, {"revision": THIRD}, ids)
    assert compare({"revision": THIRD}, {"revision": OTHER}, ids)


def test_two_known_commits_may_not_swap() -> None:
    ids = Identities()
    assert compare([SHA, OTHER], [OTHER, THIRD], ids) == []
    assert compare({"revision": SHA}, {"revision": THIRD}, ids)


def test_nothing_created_is_told_from_something() -> None:
    assert compare({"oldRev": "0" * 40}, {"oldRev": SHA}, Identities())
    assert compare({"oldRev": SHA}, {"oldRev": "0" * 40}, Identities())


def test_other_words_in_a_text_are_caught() -> None:
    assert compare_text("change is closed\n", "change is open\n", Identities())
    assert compare_text("Not found: 9999\n", "Not found: 9998\n", Identities())
    assert compare_text("denied\n", "denied", Identities())


def test_shorter_list_is_caught() -> None:
    assert compare([1, 2], [1], Identities())


def test_order_of_votes_is_free_but_not_of_messages() -> None:
    swapped = live()
    swapped["response"]["labels"]["Verified"]["all"].reverse()
    assert compare_rest(ANSWER, swapped, Identities()) == []
    assert compare({"messages": ["a", "b"]}, {"messages": ["b", "a"]}, Identities())


@pytest.mark.parametrize(("seconds", "held"), [(0, True), (30, False)])
def test_changes_may_swap_only_within_a_second(seconds: int, held: bool) -> None:
    def change(number: int, second: int) -> dict[str, Any]:
        return {
            "_number": number,
            "id": f"demo~{number}",
            "updated": f"2026-11-21 02:25:{second:02d}.000000000",
        }

    found = compare([change(1, 0), change(2, 0)], [change(2, 20 + seconds), change(1, 20)], seeded())
    assert (found == []) is held


def seeded() -> Identities:
    ids = Identities()
    ids.seed("change", "1", "1")
    ids.seed("change", "2", "2")
    return ids


COMMAND = {"exit": 1, "stdout": "", "stderr": "fatal: change is closed\n"}


@pytest.mark.parametrize(
    "changes", [{"exit": 0}, {"exit": None}, {"stderr": ""}, {"stderr": "fatal: x\n"}, {"stdout": "x\n"}]
)
def test_differences_of_commands_are_caught(changes: dict[str, Any]) -> None:
    assert compare_command(COMMAND, dict(COMMAND), Identities()) == []
    assert compare_command(COMMAND, {**COMMAND, **changes}, Identities())


def test_json_lines_of_commands_are_compared_by_field() -> None:
    def said(**row: Any) -> dict[str, Any]:
        return {"exit": 0, "stdout": json.dumps(row) + "\n", "stderr": ""}

    assert compare_command(said(a=1, lastUpdated=5), said(lastUpdated=9, a=1), Identities()) == []
    assert compare_command(said(a=1), said(a=2), Identities())
    assert compare_command(said(a=1), said(a=1, b=1), Identities())


def test_advertised_refs_are_compared_and_capabilities_are_not() -> None:
    def advertised(sha: str, capability: str, ref: str) -> dict[str, Any]:
        text = f"00da{sha} HEAD\0 {capability} symref=HEAD:refs/heads/master\n003f{sha} {ref}\n0000"
        return {"exit": 0, "stdout": text, "stderr": ""}

    ours = advertised(SHA, "agent=JGit", "refs/heads/master")
    assert compare_command(ours, advertised(OTHER, "agent=git", "refs/heads/master"), Identities()) == []
    assert compare_command(ours, advertised(OTHER, "agent=git", "refs/heads/other"), Identities())
    assert compare_command(ours, {"exit": 0, "stdout": "0000", "stderr": ""}, Identities())


EVENTS = [
    {"type": "ref-updated", "refUpdate": {"refName": "refs/changes/02/2/meta"}, "eventCreatedOn": 1},
    {
        "type": "comment-added",
        "change": {"id": "I" + SHA, "number": 2, "project": "demo"},
        "eventCreatedOn": 1,
    },
]


def test_events_may_come_in_any_order() -> None:
    assert compare_events(EVENTS, list(reversed(EVENTS)), Identities()) == []


@pytest.mark.parametrize(
    "came",
    [
        [],
        EVENTS[:1],
        [*EVENTS, {"type": "comment-added"}],
        [EVENTS[0], {**EVENTS[1], "comment": "x"}],
        [EVENTS[0], {**EVENTS[1], "type": "patchset-created"}],
    ],
)
def test_differences_of_events_are_caught(came: list[dict[str, Any]]) -> None:
    assert compare_events(EVENTS, came, Identities())


def test_every_recorded_answer_is_held_by_itself() -> None:
    ids = Identities()
    for exchange in recordings.exchanges():
        data = exchange.data
        found = (compare_rest if exchange.kind == "rest" else compare_command)(data, data, ids)
        if isinstance(data.get("response"), dict) and "omitted" in data["response"]:
            continue
        assert found == [], exchange.name


def test_every_recorded_answer_is_told_from_a_broken_one() -> None:
    """Take away or change one thing of every recorded JSON answer: each must be noticed."""
    for exchange in recordings.exchanges():
        answer = exchange.data.get("response")
        if exchange.kind != "rest" or not isinstance(answer, dict) or "omitted" in answer or not answer:
            continue
        for key, value in answer.items():
            less = {name: entry for name, entry in answer.items() if name != key}
            assert compare(answer, less, Identities()), f"{exchange.name}: {key} is missing"
            other: Any = {} if isinstance(value, list) else []
            assert compare(answer, {**answer, key: other}, Identities()), (
                f"{exchange.name}: {key} has a wrong type"
            )
