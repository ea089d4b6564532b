"""Turn the progress of an Ansible run into what a person reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from xenci.apply.events import Failure, Progress, Task
from xenci.apply.screen import Screen, duration

SLOW = 3.0
"""Seconds from which a task without a change is worth a line."""


class Renderer:
    """Feeds events into a `Progress` and prints them: the one renderer for terminal and plain output."""

    def __init__(self, screen: Screen, clock: Callable[[], float] = time.time) -> None:
        self.screen = screen
        self.progress = Progress()
        self._clock = clock
        self._began = clock()
        self._failures_shown = 0

    def event(self, event: Mapping[str, Any]) -> bool:
        """Take one event of ansible-runner; it always wants to keep it as a file."""
        play = self.progress.play
        done = self.progress.feed(event)
        if done is not None and (line := task_line(done)):
            self.screen.line(line, style="" if not done.hosts("failed") else "red")
        if self.progress.play != play:
            self.screen.line(f"> {self.progress.play}", style="bold")
        for failure in self.progress.failures[self._failures_shown :]:
            self.screen.line(f"  {failure.host} failed: {failure.task}: {first_line(failure.message)}", "red")
        self._failures_shown = len(self.progress.failures)
        return True

    def now(self) -> list[str]:
        """Play, task, and the hosts that it is waiting for, the longest first."""
        progress, clock = self.progress, self._clock()
        task = progress.task
        if task is None and progress.tasks:
            return [progress.play, "no task runs: Ansible ends a play or prepares the next"]
        if task is None:
            return [f"ansible-playbook is starting ({duration(clock - self._began)})"]
        lines = [f"{progress.play}", task.title]
        waiting = sorted(task.running.items(), key=lambda entry: entry[1])
        for host, since in waiting[:6]:
            note = task.notes.get(host, "")
            lines.append(f"{host} {duration(clock - since)}" + (f" ({note})" if note else ""))
        if len(waiting) > 6:
            lines.append(f"and {len(waiting) - 6} more hosts")
        if slow := progress.slowest(1, at_least=10):
            lines.append(f"slowest so far: {slow[0].title} {duration(slow[0].seconds)}")
        return lines

    def warnings(self) -> list[str]:
        """Ansible's own warnings, each once."""
        return list(self.progress.warnings)


def task_line(task: Task) -> str:
    """One line for a task that changed something, failed or was slow; nothing for the others."""
    parts = []
    for outcome in ("changed", "failed", "unreachable", "ignored"):
        if hosts := task.hosts(outcome):
            parts.append(f"{outcome} {', '.join(hosts) if len(hosts) <= 3 else f'on {len(hosts)} hosts'}")
    if not parts and task.seconds < SLOW:
        return ""
    return f"  {task.title}: {'; '.join(parts) or 'ok'} ({duration(task.seconds)})"


def first_line(text: str, width: int = 200) -> str:
    """The first line of a message, cut to a width in characters."""
    line = next(iter(text.strip().splitlines()), "")
    return line if len(line) <= width else line[: width - 1] + "…"


def failure_lines(failure: Failure, log: list[str]) -> list[str]:
    """A failure in full: host, task, where it stands, message, and the end of the log that matters."""
    lines = [
        f"FAILED on {failure.host}: {failure.task}",
        f"  play     {failure.play}",
        f"  defined  {failure.path}",
        *(
            f"  message  {line}" if not n else f"           {line}"
            for n, line in enumerate(_cut(failure.message))
        ),
    ]
    if failure.output:
        lines += ["  output", *(f"    {line}" for line in failure.output)]
    if log:
        lines += [
            f"  end of the journal of {failure.unit} on {failure.host}",
            *(f"    {line}" for line in log),
        ]
    return lines


def summary_lines(progress: Progress, slowest: int = 5) -> list[str]:
    """The slowest tasks, for the end of a run."""
    tasks = progress.slowest(slowest)
    if not tasks:
        return []
    return ["slowest tasks", *(f"  {duration(t.seconds):>10}  {t.title}  ({t.play})" for t in tasks)]


def last_line(progress: Progress, name: str, status: str, seconds: float) -> str:
    """How it ended, in one line."""
    counts = (
        f"{progress.total('ok')} ok, {progress.total('changed')} changed on {len(progress.hosts())} hosts"
    )
    if status == "successful":
        return f"{name}: done in {duration(seconds)}: {counts}"
    broken = progress.final_failures()
    where = ", ".join(sorted({entry.host for entry in broken})) or "no host"
    what = f" in {broken[0].task!r}" if broken else ""
    if status == "canceled":
        return f"{name}: stopped after {duration(seconds)}: {counts}"
    return f"{name}: FAILED after {duration(seconds)} on {where}{what}: {counts}"


def _cut(message: str, lines: int = 20) -> list[str]:
    every = message.strip().splitlines() or [""]
    return every if len(every) <= lines else [f"… {len(every) - lines} lines left out", *every[-lines:]]
