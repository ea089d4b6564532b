"""The recorded exchanges of a real Gerrit, in the order in which they were made.

Format: `tests/recordings/gerrit-<release>/README.md`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RELEASE = "3.13.8"
FOLDER = Path(__file__).parent.parent / "recordings" / f"gerrit-{RELEASE}"
STREAMS = (
    "events",
    "events-xen-ci",
    "events-xen-ci-filtered",
    "events-xen-ci-after-reconnect",
    "events-xen-ci-two-types",
)


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; `name` is the case, made unique with #2, #3 … where a case was repeated."""

    name: str
    kind: str
    n: int
    data: dict[str, Any] = field(hash=False)

    @property
    def case(self) -> str:
        """The case as recorded."""
        return str(self.data["case"])

    @property
    def user(self) -> str:
        """Who asked."""
        return str(self.data["as"])


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _named(rows: list[tuple[str, dict[str, Any]]]) -> list[Exchange]:
    seen: Counter[str] = Counter()
    exchanges = []
    for kind, data in rows:
        case = data["case"]
        seen[case] += 1
        name = case if seen[case] == 1 else f"{case}#{seen[case]}"
        exchanges.append(Exchange(name, kind, data["n"], data))
    return exchanges


def exchanges(folder: Path = FOLDER) -> list[Exchange]:
    """REST, ssh and git in one list, as they were done."""
    rows = [(kind, data) for kind in ("rest", "ssh", "git") for data in _lines(folder / f"{kind}.jsonl")]
    rows.sort(key=lambda row: row[1]["n"])
    return _named(rows)


def password_exchanges(folder: Path = FOLDER) -> list[Exchange]:
    """Which secret still opens the door after a change; recorded on a site of its own."""
    return _named([("rest", data) for data in _lines(folder / "rest-passwords.jsonl")])


def events(stream: str, folder: Path = FOLDER) -> dict[int, list[dict[str, Any]]]:
    """The events of one subscriber by the number of the exchange that caused them."""
    found: dict[int, list[dict[str, Any]]] = {}
    for line in _lines(folder / f"{stream}.jsonl"):
        found.setdefault(line["after_n"], []).append(line["event"])
    return found
