"""Run playbooks of a site and learn from each task what it changes, or in check mode would."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from xenci.apply import run as applying
from xenci.apply.screen import Screen
from xenci.plan import collect
from xenci.plan.mask import Mask
from xenci.plan.model import Plan
from xenci.runs.site import Site
from xenci.runs.store import Writer

EVENTS = 50_000_000
"""Characters of one event. ansible-runner empties larger ones, and a change would go unseen."""


@dataclasses.dataclass(frozen=True)
class Scope:
    """What of a site is looked at: playbooks, on some hosts or on all where `limit` is empty."""

    limit: str
    playbooks: tuple[str, ...]
    left: tuple[str, ...] = ()
    """Services whose playbooks are left out."""


def run(
    site: Site, scope: Scope, writer: Writer, screen: Screen, mask: Mask, *, name: str, check: bool
) -> Seen:
    """Run them, with diffs; with `check` nothing is changed. The lock must be held.

    Everything that is shown or kept is masked. Without `check` the run ends with the first failure.
    """
    screen.mask = mask.text
    with site.workspace() as folder:
        lines = folder / "plan.jsonl"
        lines.touch(mode=0o600)
        result = applying.run(
            applying.Playbook(
                checkout=site.root,
                state=folder,
                path=scope.playbooks[-1],
                before=scope.playbooks[:-1],
                inventories=site.inventories,
                limit=scope.limit,
                check=check,
                diff=True,
                environment={
                    **site.environment,
                    "ANSIBLE_CALLBACKS_ENABLED": "xenci.stack.plan",
                    "ANSIBLE_ANY_ERRORS_FATAL": str(not check),
                    "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
                    "MAX_EVENT_RES": str(EVENTS),
                    "XENCI_PLAN_FILE": str(lines),
                },
            ),
            screen,
            name,
            keep=Keep(writer, mask).event,
        )
        with lines.open(encoding="utf-8") as file:
            plan = collect.plan(file, result.progress.stats, mask, site.key(), scope.left)
    return Seen(result, plan, mask.text(next((line for line in reversed(result.output) if line.strip()), "")))


@dataclasses.dataclass(frozen=True)
class Seen:
    """How a run ended, and what its tasks changed or would."""

    result: applying.Result
    plan: Plan
    said: str
    """The last line that was printed where no task began, masked."""

    @property
    def broken(self) -> str:
        """Why Ansible did not even begin: no host is to blame. Empty where it did."""
        if self.result.ok or not self.plan.complete:
            return ""
        return f"Ansible could not begin: {self.said or 'it said nothing'}"


class Keep:
    """Masks each event, and keeps it with the run."""

    def __init__(self, writer: Writer, mask: Mask) -> None:
        self._writer = writer
        self._mask = mask

    def event(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event as it may be shown."""
        data = {key: value for key, value in (event.get("event_data") or {}).items() if key != "diff"}
        if isinstance(data.get("res"), dict):
            data["res"] = shortened(data["res"])
        kept = {key: value for key, value in event.items() if key != "stdout" or "warning" in event["event"]}
        masked: dict[str, Any] = self._mask.data({**kept, "event_data": data})
        self._writer.event(masked)
        return masked


def shortened(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result without facts, which are long, and without diffs: the plan has them, and hides in them what a
    secret takes the place of. That is why an event's printed text is not kept either.
    """
    left = {key: value for key, value in result.items() if key not in ("ansible_facts", "diff")}
    if isinstance(left.get("results"), list):
        left["results"] = [shortened(one) if isinstance(one, Mapping) else one for one in left["results"]]
    return left


def playbooks(root: Path) -> Iterator[str]:
    """The playbooks of the site, in its order."""
    for play in yaml.safe_load((root / "playbooks/site.yml").read_text(encoding="utf-8")):
        yield f"playbooks/{play['ansible.builtin.import_playbook']}"


def services(paths: Sequence[str]) -> tuple[str, ...]:
    """The services whose playbooks these are."""
    return tuple(Path(path).stem.removeprefix("configure_") for path in paths)
