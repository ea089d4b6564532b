"""A plan: what would change on which host, what can't be known, and what was not reached."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

DELETES, RESTARTS, REBOOTS = "deletes", "restarts", "reboots"
"""What a reader must see first."""


@dataclasses.dataclass(frozen=True)
class Change:
    """One thing that would change on one host.

    `subject` is the file or the object, `item` that of a loop, `lines` the masked diff; `mark` is a hash of
    what would change, with a key of the store's own, so that nobody can guess a secret from it.
    """

    service: str
    host: str
    role: str
    task: str
    where: str
    subject: str
    item: str
    lines: tuple[str, ...]
    mark: str
    effect: str = ""
    by: str = ""
    """Of what differs from what was merged: when and by whom, as far as its host knows."""

    @property
    def title(self) -> str:
        """`role : task`, as Ansible prints it."""
        return f"{self.role} : {self.task}" if self.role else self.task

    @property
    def key(self) -> tuple[str, ...]:
        """By what it is found again in another plan."""
        return (self.service, self.host, self.role, self.task, self.item, self.subject)


@dataclasses.dataclass(frozen=True)
class Unknown:
    """What check mode can't tell: a task that it does not run, or a host that was not reached."""

    service: str
    host: str
    what: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Plan:
    """All of it. `hosts` answered; `unreachable` and `failed` did not or not to the end."""

    hosts: tuple[str, ...] = ()
    unreachable: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    left: tuple[str, ...] = ()
    """Services that were not looked at."""

    @property
    def complete(self) -> bool:
        """Did every host answer to the end?"""
        return not self.unreachable and not self.failed

    def json(self) -> str:
        """As it is kept."""
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False)


def loads(text: str) -> Plan:
    """A plan that was kept."""
    values: dict[str, Any] = json.loads(text)
    changes = tuple(Change(**{**one, "lines": tuple(one["lines"])}) for one in values.pop("changes"))
    unknowns = tuple(Unknown(**one) for one in values.pop("unknowns"))
    return Plan(changes=changes, unknowns=unknowns, **{key: tuple(value) for key, value in values.items()})
