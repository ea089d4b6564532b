"""What is live, what runs, and what the last runs found: from what was kept, no host is asked."""

from __future__ import annotations

import dataclasses
from typing import Any

from xenci.runs.store import APPLIED, RUNNING, Store


def status(store: Store) -> dict[str, Any]:
    """Runs by what they tell: `live` is the last apply that came to its end. Each a run, or nothing."""
    found = {
        "running": next((one for one in store.all() if one.result == RUNNING), None),
        "live": store.last("apply", result=APPLIED),
        "apply": store.last("apply"),
        "plan": store.last("plan"),
        "drift": store.last("drift"),
    }
    return {name: dataclasses.asdict(one) if one else None for name, one in found.items()}


def lines(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    shown = []
    for name, what in (
        ("running", "now"),
        ("live", "live"),
        ("apply", "last apply"),
        ("plan", "last plan"),
        ("drift", "last drift"),
    ):
        one = found[name]
        if one is None:
            shown.append(f"{what + ':':<12} nothing")
            continue
        commit = f"commit {one['commit'][:12]}, " if one["commit"] else ""
        said = one["message"] or one["result"]
        shown.append(f"{what + ':':<12} {commit}{one['kind']} {one['id']} by {one['who']}: {said}")
    return shown
