"""The list of what the lab Gerrit does not hold may only shrink, against the commit that is checked out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.gerrit_contract import not_held

ROOT = Path(__file__).parents[2]
FILE = "tests/gerrit_contract/not_held.yml"


def grown(before: not_held.NotHeld, after: not_held.NotHeld) -> list[str]:
    """What makes a list larger than another; empty where it only shrank."""
    found = []
    if after.ceiling > before.ceiling:
        found.append(f"ceiling raised from {before.ceiling} to {after.ceiling}")
    found += [f"case added: {name}" for name in sorted(set(after.cases) - set(before.cases))]
    found += [f"exchange added: {name}" for name in sorted(set(after.exchanges) - set(before.exchanges))]
    if len(after.cases) > after.ceiling:
        found.append(f"{len(after.cases)} cases, the ceiling is {after.ceiling}")
    if len(after.cases) < after.ceiling:
        found.append(f"{len(after.cases)} cases: lower the ceiling from {after.ceiling} to that")
    return found


def committed() -> not_held.NotHeld | None:
    """The list in git's HEAD; None where HEAD has none yet or this is no repository (an unpacked tarball)."""
    shown = subprocess.run(["git", "show", f"HEAD:{FILE}"], cwd=ROOT, capture_output=True, text=True)
    return not_held.parse(shown.stdout) if shown.returncode == 0 else None


def test_list_only_shrinks() -> None:
    now = not_held.load()
    assert grown(committed() or now, now) == []


LIST = not_held.NotHeld(2, {"a": "why", "b": "why"}, {"GET /x 200": "why"})


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (not_held.NotHeld(3, {**LIST.cases, "c": "why"}, LIST.exchanges), "ceiling raised from 2 to 3"),
        (not_held.NotHeld(2, {"a": "why", "c": "why"}, LIST.exchanges), "case added: c"),
        (
            not_held.NotHeld(2, LIST.cases, {**LIST.exchanges, "GET /y 200": "why"}),
            "exchange added: GET /y 200",
        ),
        (not_held.NotHeld(1, LIST.cases, LIST.exchanges), "2 cases, the ceiling is 1"),
        (not_held.NotHeld(2, {"a": "why"}, LIST.exchanges), "1 cases: lower the ceiling from 2 to that"),
    ],
)
def test_growth_is_caught(after: not_held.NotHeld, says: str) -> None:
    assert says in grown(LIST, after)


def test_shrinking_is_fine() -> None:
    assert grown(LIST, not_held.NotHeld(1, {"a": "why"}, {})) == []


def test_an_entry_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="a has no reason"):
        not_held.parse("ceiling: 1\ncases: {a: }\n")
