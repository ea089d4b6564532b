"""From what each task said in check mode to a plan.

Source of the lines: our callback `xenci.stack.plan`. ansible-runner's own events don't tell why a task was
skipped, nor that a task with `no_log` changes something.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from xenci.plan import diffs
from xenci.plan.mask import Mask
from xenci.plan.model import DELETES, REBOOTS, RESTARTS, Change, Plan, Unknown

UNITS = ("systemd", "systemd_service", "service")
COMMANDS = ("command", "shell", "script", "raw")
GONE = ("absent", "removed", "deleted", "purged")


def plan(
    lines: Iterable[str],
    stats: Mapping[str, Mapping[str, int]],
    mask: Mask,
    key: bytes,
    left: Iterable[str] = (),
) -> Plan:
    """The plan.

    :param lines: of the callback, each an object in JSON; a last one that was cut off is left out.
    :param stats: ansible-runner's, by kind and host; empty where the run did not get to its end.
    :param key: for the changes' marks.
    """
    changes: list[Change] = []
    unknowns: list[Unknown] = []
    broken: dict[str, dict[str, str]] = {"unreachable": {}, "failed": {}}
    for entry in parsed(lines):
        outcome, host = entry["outcome"], entry["host"]
        if outcome == "ok":
            changes.append(change(entry, mask, key))
        elif outcome == "skipped" and not entry["looks"] and (reason := why_unknown(entry)):
            unknowns.append(Unknown(service(entry), host, mask.text(subject_of(entry)), mask.text(reason)))
        elif outcome in broken:
            said = " ".join(str(entry["result"].get("msg", "no reason given")).split())
            broken[outcome][host] = said
            where = "every task" if outcome == "unreachable" else f"what follows {title(entry)}"
            reason = "not reached" if outcome == "unreachable" else "it failed"
            unknowns.append(Unknown(service(entry), host, where, mask.text(f"{reason}: {said}")[:300]))
    answered = {host for kind in ("ok", "changed", "skipped") for host in stats.get(kind, {})}
    failures = set(broken["failed"]) & set(stats.get("failures", broken["failed"]))
    dark = set(broken["unreachable"]) | set(stats.get("dark", {}))
    changes = in_order(changes)
    return Plan(
        hosts=tuple(sorted(answered - dark)),
        unreachable=tuple(sorted(dark)),
        failed=tuple(sorted(failures)),
        changes=tuple(changes),
        unknowns=tuple(unknowns),
        left=tuple(left),
    )


def in_order(changes: list[Change]) -> list[Change]:
    """Tasks as they came, and the hosts of each by name: which one answered first says nothing."""
    tasks = list(dict.fromkeys((one.service, one.role, one.task, one.where) for one in changes))
    place = {task: number for number, task in enumerate(tasks)}
    return sorted(changes, key=lambda one: (place[one.service, one.role, one.task, one.where], one.host))


def parsed(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The lines that are whole."""
    for line in lines:
        if line.endswith("\n"):
            yield json.loads(line)


def change(entry: Mapping[str, Any], mask: Mask, key: bytes) -> Change:
    """One line that says that something changes."""
    shown = ["the content is hidden (no_log)"] if entry["hidden"] else diffs.lines(entry["diff"], mask)
    return Change(
        service=service(entry),
        host=entry["host"],
        role=short(entry["role"]),
        task=mask.text(entry["task"]),
        where=entry["where"],
        subject=mask.text(subject(entry)),
        item=mask.text(entry["item"]),
        lines=tuple(shown),
        mark=mark(entry, key),
        effect=effect(entry),
    )


def mark(entry: Mapping[str, Any], key: bytes) -> str:
    """A keyed hash of all that says what would change; paths of temporary files are no part of it."""
    sides = [
        {name: side for name, side in diff.items() if not name.endswith("_header")}
        for diff in ([entry["diff"]] if isinstance(entry["diff"], dict) else entry["diff"])
    ]
    whole = [entry["action"], subject(entry), entry["item"], sides, entry["result"].get("checksum")]
    text = json.dumps(whole, sort_keys=True, default=str)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]


def effect(entry: Mapping[str, Any]) -> str:
    """Whether it deletes, restarts or reboots."""
    action, state = entry["action"].rpartition(".")[2], str(entry["arguments"].get("state", ""))
    if action == "reboot":
        return REBOOTS
    if action in UNITS:
        return RESTARTS if state in ("restarted", "stopped") else ""
    sides = [entry["diff"]] if isinstance(entry["diff"], dict) else entry["diff"]
    emptied = any(side.get("before") and side.get("after") == "" for side in sides)
    return DELETES if state in GONE or emptied else ""


def why_unknown(entry: Mapping[str, Any]) -> str:
    """Why a skipped task might not be when it counts; empty where its own condition is the reason."""
    result = entry["result"]
    if "ansible_check_mode" in str(result.get("false_condition", "")):
        return "it waits for what an earlier task would make"
    if "false_condition" in result or "skip_reason" in result:
        return ""
    if "check mode" in str(result.get("msg", "")):
        command = entry["action"].rpartition(".")[2] in COMMANDS
        return "a command, which check mode does not run" if command else "its module has no check mode"
    if entry["hidden"]:
        return "" if entry["conditional"] else "hidden by no_log, and not run in check mode"
    return ""


def subject(entry: Mapping[str, Any]) -> str:
    """The file or the object that a task is about."""
    given, result = entry["arguments"], entry["result"]
    # The module's own word first: of a folder as destination it knows the file.
    for value in (
        result.get("dest"),
        result.get("path"),
        given.get("dest"),
        given.get("path"),
        given.get("name"),
        given.get("unit"),
    ):
        if value:
            return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return ""


def subject_of(entry: Mapping[str, Any]) -> str:
    """A task with its item."""
    return f"{title(entry)} ({entry['item']})" if entry["item"] else title(entry)


def title(entry: Mapping[str, Any]) -> str:
    """`role : task`."""
    return f"{short(entry['role'])} : {entry['task']}" if entry["role"] else str(entry["task"])


def service(entry: Mapping[str, Any]) -> str:
    """The stem that role, playbook and tests of a service share."""
    return str(entry.get("playbook", "")).removeprefix("configure_")


def short(role: str) -> str:
    """A role's name without its collection."""
    return role.rpartition(".")[2]
