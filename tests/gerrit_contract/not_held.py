"""The list of recorded cases that the lab Gerrit does not hold, with the reason of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PATH = Path(__file__).parent / "not_held.yml"


@dataclass(frozen=True)
class NotHeld:
    """`ceiling`: how many may stand there; `cases` and `exchanges` (of a capture): name to reason."""

    ceiling: int
    cases: dict[str, str]
    exchanges: dict[str, str]


def parse(text: str) -> NotHeld:
    """Read the list; ValueError where an entry has no reason."""
    data: dict[str, Any] = yaml.safe_load(text) or {}
    cases = {str(name): str(reason or "") for name, reason in (data.get("cases") or {}).items()}
    exchanges = {str(name): str(reason or "") for name, reason in (data.get("exchanges") or {}).items()}
    for name, reason in {**cases, **exchanges}.items():
        if not reason.strip():
            raise ValueError(f"not_held.yml: {name} has no reason")
    return NotHeld(int(data["ceiling"]), cases, exchanges)


def load(path: Path = PATH) -> NotHeld:
    """The list of this checkout."""
    return parse(path.read_text(encoding="utf-8"))
