"""The matcher of captures: every recorded exchange matches, every deviation is named."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.gerrit_contract import match, recordings

EXCHANGES = recordings.exchanges()
RECORDED = match.Recorded(EXCHANGES)
CHANGE = next(e.data for e in EXCHANGES if e.case == "change.zuul")
REFUSAL = next(e.data for e in EXCHANGES if e.case == "review.not-allowed-value")
QUERY = next(e.data for e in EXCHANGES if e.case == "ssh.query.zuul")


def test_every_recorded_exchange_matches() -> None:
    captured = [exchange.data for exchange in EXCHANGES if exchange.kind != "git"]
    report = match.match(captured, RECORDED, {})
    assert report.new == {}
    assert report.matched == len(captured)


def changed(data: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(data), **fields}


def without(data: dict[str, Any], *path: str) -> dict[str, Any]:
    answer = copy.deepcopy(data)
    entry = answer["response"]
    for name in path[:-1]:
        entry = entry[name]
    del entry[path[-1]]
    return answer


def with_field(value: Any) -> dict[str, Any]:
    answer = copy.deepcopy(CHANGE)
    answer["response"] |= value
    return answer


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (changed(CHANGE, status=418), "never recorded"),
        (changed(CHANGE, method="PATCH"), "never recorded"),
        (changed(CHANGE, path="/a/changes/2/nonsense"), "never recorded"),
        (without(CHANGE, "owner"), ".owner: missing"),
        (without(CHANGE, "labels", "Verified", "values"), ".labels.*.values: missing"),
        (with_field({"nonsense": 1}), ".nonsense: never recorded"),
        (with_field({"_number": "2"}), "._number: int recorded, got str"),
        (with_field({"status": "DRAFT"}), "status: 'DRAFT' was never recorded"),
        (changed(REFUSAL, response="no\n"), "other words: 'no'"),
        (changed(QUERY, stdout='{"nonsense":1}\n'), "[].nonsense: never recorded"),
        (changed(QUERY, exit=9), "never recorded"),
    ],
)
def test_deviation_is_named(data: dict[str, Any], says: str) -> None:
    assert any(says in text for text in RECORDED.differences(data)), RECORDED.differences(data)


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/a/changes/demo~2/revisions/current/review", "/changes/{}/revisions/{}/review"),
        ("/changes/?q=status:open&o=LABELS", "/changes"),
        ("/a/group%2Fnested/info/refs?service=git-upload-pack", "/{}/info/refs?service=git-upload-pack"),
        ("/a/config/server/version", "/config/server/version"),
    ],
)
def test_path_pattern(path: str, pattern: str) -> None:
    assert match.path_pattern(path) == pattern


def test_names_of_the_request_are_no_difference() -> None:
    said = changed(REFUSAL)
    other = json.loads(json.dumps(said).replace("/changes/2/", "/changes/77/"))
    assert RECORDED.differences(other) == []


def test_listed_exchanges_are_counted_apart(tmp_path: Path) -> None:
    odd = changed(CHANGE, status=418)
    report = match.match([odd, CHANGE], RECORDED, {match.key_of(odd): "nobody asks this"})
    assert (report.matched, sum(report.listed.values()), len(report.new)) == (1, 1, 0)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (418, 1)])
def test_main(status: int, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "capture.jsonl"
    file.write_text(json.dumps(changed(CHANGE, status=status)) + "\n")
    assert match.main([str(file)]) == code
    assert "1 exchanges" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["no json\n", '{"nothing": 1}\n'])
def test_no_capture_is_an_error(text: str, tmp_path: Path) -> None:
    file = tmp_path / "capture.jsonl"
    file.write_text(text)
    assert match.main([str(file)]) == 2
