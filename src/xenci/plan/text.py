"""A plan as people read it: in a terminal, in a file, and in a comment of the review server."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator

from xenci.plan.compare import about
from xenci.plan.model import DELETES, REBOOTS, RESTARTS, Change, Plan

FIRST = (REBOOTS, DELETES, RESTARTS)


@dataclasses.dataclass(frozen=True)
class Limits:
    """How much is shown: lines of one change's diff, and characters in all; 0 is no limit."""

    lines: int = 0
    characters: int = 0


TERMINAL = Limits(lines=60)
REVIEW = Limits(lines=30, characters=14000)
"""Gerrit takes comments of 16 KiB."""


def whole(plan: Plan, heading: str, limits: Limits, where: str) -> str:
    """The text.

    :param heading: its first line.
    :param where: how a reader gets what is left out, as in `xenci log 20260101T…`.
    """
    lines = list(itertools.chain([heading], sections(plan, limits, where)))
    if not limits.characters:
        return "\n".join(lines) + "\n"
    room = limits.characters - len(where) - 40
    kept = 0
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept += 1
    if kept < len(lines):
        lines = [*lines[:kept], "", f"… {len(lines) - kept} more lines: {where}"]
    return "\n".join(lines) + "\n"


def sections(plan: Plan, limits: Limits, where: str) -> Iterator[str]:
    """What must be read first, then by service and host, then what is not known."""
    yield from first(plan)
    for service, changes in itertools.groupby(in_order(plan.changes), key=lambda one: one.service):
        yield from ("", service or "no service")
        for host, these in itertools.groupby(changes, key=lambda one: one.host):
            yield f"  {host}"
            for one in these:
                yield from change(one, limits, where)
    if plan.unknowns:
        yield from ("", "not known before it is applied")
        for gap in dict.fromkeys(plan.unknowns):
            yield f"  {gap.host}: {gap.what}: {gap.reason}"
    if plan.left:
        yield from ("", f"not looked at, since the change does not reach them: {', '.join(plan.left)}")


def first(plan: Plan) -> Iterator[str]:
    """Hosts without an answer, deletions, restarts and reboots."""
    found = [f"  not reached  {host}" for host in plan.unreachable]
    found += [f"  failed       {host}" for host in plan.failed]
    for effect in FIRST:
        found += [f"  {effect:<11}  {about(one)}" for one in plan.changes if one.effect == effect]
    if found:
        yield from ("", "first of all", *found)


def in_order(changes: Iterable[Change]) -> list[Change]:
    """By service in the order of the flow, then by host; tasks as they came."""
    every = list(changes)
    services = list(dict.fromkeys(one.service for one in every))
    return sorted(every, key=lambda one: (services.index(one.service), one.host))


def change(one: Change, limits: Limits, where: str) -> Iterator[str]:
    """One change: its task, what it is about, who made it where that is known, and its diff."""
    of = " ".join(word for word in (one.subject, f"({one.item})" if one.item else "") if word)
    yield f"    {one.title}" + (f": {of}" if of else "")
    if one.by:
        yield f"      {one.by}"
    shown = one.lines[: limits.lines] if limits.lines else one.lines
    yield from (f"      {line}" for line in shown)
    if len(shown) < len(one.lines):
        yield f"      … {len(one.lines) - len(shown)} more lines: {where}"


def count(plan: Plan) -> str:
    """How much it is, as in `5 changes on 2 hosts, 1 unknown`."""
    hosts = {one.host for one in plan.changes}
    words = [
        f"{number(len(plan.changes), 'change')} on {number(len(hosts), 'host')}"
        if plan.changes
        else "nothing to change"
    ]
    for effect in FIRST:
        if found := sum(one.effect == effect for one in plan.changes):
            words.append(f"{effect} {found}")
    if plan.unknowns:
        words.append(f"{len(set(plan.unknowns))} unknown")
    if plan.unreachable:
        words.append(f"{number(len(plan.unreachable), 'host')} not reached")
    if plan.failed:
        words.append(f"failed on {number(len(plan.failed), 'host')}")
    return ", ".join(words)


def number(count: int, what: str) -> str:
    """`1 host`, `2 hosts`."""
    return f"{count} {what}" + ("s" if count != 1 else "")
