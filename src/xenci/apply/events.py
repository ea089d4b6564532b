"""Progress of one Ansible run, reduced from ansible-runner's events.

Source of the format: ansible-runner's display callback (`awx_display`); each event is a dictionary with
`event` (name), `created` (ISO time, UTC) and `event_data`. Only the names handled here are looked at.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

OUTCOMES = {
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "unreachable",
    "runner_on_skipped": "skipped",
}


@dataclasses.dataclass
class Task:
    """One task of one play, on all its hosts. Times are seconds since the epoch."""

    play: str
    name: str
    role: str
    action: str
    path: str
    started: float
    ended: float = 0.0
    running: dict[str, float] = dataclasses.field(default_factory=dict)
    notes: dict[str, str] = dataclasses.field(default_factory=dict)
    outcomes: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def title(self) -> str:
        """`role : task`, as Ansible prints it."""
        return f"{self.role} : {self.name}" if self.role else self.name

    @property
    def seconds(self) -> float:
        """Time from start to the last host's result; 0 while nothing has come back."""
        return max(0.0, self.ended - self.started)

    def hosts(self, outcome: str) -> list[str]:
        """Hosts with this outcome: ok, changed, skipped, failed, ignored or unreachable."""
        return sorted(host for host, got in self.outcomes.items() if got == outcome)


@dataclasses.dataclass(frozen=True)
class Failure:
    """A task that failed on a host. `rescued` is only known once the run has ended."""

    host: str
    task: str
    play: str
    path: str
    action: str
    message: str
    output: tuple[str, ...]
    unit: str = ""


@dataclasses.dataclass
class Progress:
    """Everything the display needs; feed it every event in order."""

    play: str = ""
    plays: int = 0
    task: Task | None = None
    tasks: list[Task] = dataclasses.field(default_factory=list)
    failures: list[Failure] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)
    stats: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)

    def feed(self, event: Mapping[str, Any]) -> Task | None:
        """Take one event; return the task that has just ended on all its hosts, if one has."""
        name, data = str(event.get("event", "")), event.get("event_data") or {}
        when = seconds(str(event.get("created", "")))
        done: Task | None = None
        if name == "playbook_on_play_start":
            done = self._finish()
            self.play, self.plays = str(data.get("play") or data.get("name") or ""), self.plays + 1
        elif name in ("playbook_on_task_start", "playbook_on_handler_task_start"):
            done = self._finish()
            self.task = Task(
                play=self.play,
                name=str(data.get("task", "")),
                role=str(data.get("role", "")),
                action=str(data.get("task_action", "")),
                path=str(data.get("task_path", "")),
                started=when,
            )
        elif name == "playbook_on_stats":
            done = self._finish()
            keys = ("ok", "changed", "failures", "dark", "skipped", "rescued", "ignored")
            self.stats = {key: dict(data.get(key) or {}) for key in keys}
        elif name in ("warning", "system_warning"):
            self._warn(str(event.get("stdout", "")))
        elif self.task is not None:
            self._host_event(self.task, name, data, when)
        return done

    def _host_event(self, task: Task, name: str, data: Mapping[str, Any], when: float) -> None:
        host = str(data.get("host", ""))
        if name == "runner_on_start":
            task.running[host] = when
        elif name == "runner_retry":
            result = data.get("res") or {}
            task.notes[host] = f"try {result.get('attempts', '?')} of {result.get('retries', '?')}"
        elif name.startswith("runner_item_on_"):
            task.notes[host] = item_label(data.get("res") or {})
        elif name in OUTCOMES:
            task.running.pop(host, None)
            task.notes.pop(host, None)
            task.ended = when
            outcome = OUTCOMES[name]
            if outcome == "ok" and (data.get("res") or {}).get("changed"):
                outcome = "changed"
            if outcome == "failed" and data.get("ignore_errors"):
                outcome = "ignored"
            task.outcomes[host] = outcome
            if outcome in ("failed", "unreachable"):
                self.failures.append(failure(task, host, data.get("res") or {}))

    def _finish(self) -> Task | None:
        done, self.task = self.task, None
        if done is not None:
            done.ended = done.ended or done.started
            self.tasks.append(done)
        return done

    def _warn(self, text: str) -> None:
        text = " ".join(text.split())
        if text and text not in self.warnings:
            self.warnings.append(text)

    def final_failures(self) -> list[Failure]:
        """The failures that ended a host's run: what a rescue block caught is left out."""
        broken = set(self.stats.get("failures", {})) | set(self.stats.get("dark", {}))
        last: dict[str, Failure] = {}
        for entry in self.failures:
            last.pop(entry.host, None)
            last[entry.host] = entry
        return [entry for host, entry in last.items() if host in broken or not self.stats]

    def slowest(self, count: int = 5, at_least: float = 1.0) -> list[Task]:
        """The slowest tasks so far, the slowest first; `at_least` in seconds."""
        return sorted((t for t in self.tasks if t.seconds >= at_least), key=lambda t: -t.seconds)[:count]

    def total(self, key: str) -> int:
        """Sum over hosts of one column of the recap: ok, changed, failures, dark, skipped …"""
        return sum(self.stats.get(key, {}).values())

    def hosts(self) -> set[str]:
        """Every host that gave an answer."""
        return {host for task in self.tasks for host in task.outcomes}


def seconds(created: str) -> float:
    """ISO time (UTC) of an event as seconds since the epoch; 0 where it has none."""
    if not created:
        return 0.0
    moment = datetime.datetime.fromisoformat(created)
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


def item_label(result: Mapping[str, Any]) -> str:
    """What a loop's item is called; `no_log` items have no name."""
    label = result.get("_ansible_item_label", result.get("item", ""))
    return "" if "censored" in result else str(label)[:60]


def failure(task: Task, host: str, result: Mapping[str, Any]) -> Failure:
    """Why a task failed: the message, the end of its output and the systemd unit it was about."""
    output: list[str] = []
    if "censored" in result:
        message = "the result is hidden by no_log; run the task by hand to see it"
    else:
        broken = [r for r in result.get("results") or [] if isinstance(r, Mapping) and r.get("failed")]
        source: Mapping[str, Any] = broken[0] if broken else result
        message = str(source.get("msg") or result.get("msg") or "no message")
        for key in ("module_stdout", "stdout", "module_stderr", "stderr"):
            output += [line for line in str(source.get(key) or "").splitlines() if line.strip()][-12:]
    arguments = (result.get("invocation") or {}).get("module_args") or {}
    service = task.action.rsplit(".", 1)[-1] in ("systemd", "systemd_service", "service")
    unit = str(arguments.get("name") or "") if service else ""
    return Failure(host, task.title, task.play, task.path, task.action, message, tuple(output), unit)
