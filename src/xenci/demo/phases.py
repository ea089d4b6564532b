"""The phases of a command, each announced, timed and printed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from xenci.apply.screen import Screen, duration


class Phases:
    """`with phases("test hosts"): …` prints that it starts and how long it took."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.seconds: dict[str, float] = {}
        self._began = time.monotonic()

    @contextlib.contextmanager
    def __call__(self, name: str, waits_for: str = "") -> Iterator[None]:
        """Time one phase; a phase that fails is not counted as done.

        :param waits_for: what a reader is told while nothing inside says something better.
        """
        began = time.monotonic()
        self.screen.line(f"== {name}", style="bold cyan")
        detail = [waits_for] if waits_for else []
        with self.screen.now(lambda: [f"{name} ({duration(time.monotonic() - began)})", *detail]):
            yield
        self.seconds[name] = round(time.monotonic() - began, 2)
        self.screen.line(f"== {name}: {duration(self.seconds[name])}", style="cyan")

    @property
    def total(self) -> float:
        """Seconds since the first phase began."""
        return round(time.monotonic() - self._began, 2)

    def table(self) -> list[str]:
        """Time of every phase, in order."""
        width = max((len(name) for name in self.seconds), default=0)
        rows = [f"  {name:<{width}}  {duration(took):>12}" for name, took in self.seconds.items()]
        return [*rows, f"  {'all':<{width}}  {duration(self.total):>12}"]

    def show(self) -> None:
        """Print it."""
        self.screen.line()
        self.screen.line("time of every phase")
        for line in self.table():
            self.screen.line(line)
