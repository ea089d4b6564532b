"""Every recorded case against a live Gerrit."""

from __future__ import annotations

import pytest

from tests.gerrit_contract import not_held
from tests.gerrit_contract.replay import Result, case_names

NAMES = case_names()


@pytest.mark.parametrize("name", NAMES)
def test_case(name: str, results: dict[str, Result], is_lab: bool) -> None:
    result = results[name]
    if is_lab and name in not_held.load().cases:
        assert not result.held, f"{name} is held now: take it off not_held.yml and lower its ceiling"
    else:
        assert result.held, "\n".join(result.differences)


def test_nothing_was_left_out(results: dict[str, Result]) -> None:
    assert sorted(results) == sorted(NAMES)


def test_list_names_real_cases() -> None:
    unknown = set(not_held.load().cases) - set(NAMES)
    assert not unknown, f"not_held.yml names cases that were never recorded: {sorted(unknown)}"
