"""Does a plan still hold? What was agreed to is compared with what would change now."""

from __future__ import annotations

from collections.abc import Iterable

from xenci.plan.model import Change, Plan


def surprises(agreed: Iterable[Plan], now: Plan) -> list[str]:
    """What would change now and is in none of the plans; a line for each, empty where the plans hold.

    What was planned and would not change any more is no surprise: an apply that was cut short did it. Where
    several plans tell of one thing, either will do: two changes that were planned at the same time.
    """
    marks: dict[tuple[str, ...], set[str]] = {}
    for plan in agreed:
        for one in plan.changes:
            marks.setdefault(one.key, set()).add(one.mark)
    found = []
    for one in now.changes:
        if one.key not in marks:
            found.append(f"{about(one)}: no plan has it")
        elif one.mark not in marks[one.key]:
            found.append(f"{about(one)}: it would change otherwise than planned")
    return found


def about(one: Change) -> str:
    """Host, task and subject of a change."""
    of = " ".join(word for word in (one.subject, f"({one.item})" if one.item else "") if word)
    return f"{one.host}: {one.title}" + (f": {of}" if of else "")
