"""Where progress goes: lines that stay, and below them what is going on right now."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

HEARTBEAT = 20.0
"""Seconds of silence after which a run without a terminal says what it is waiting for."""


class Screen:
    """A terminal gets a live block under its lines, anything else plain lines and a heartbeat."""

    def __init__(self, stream: TextIO | None = None, heartbeat: float = HEARTBEAT) -> None:
        self._console = Console(file=stream or sys.stdout, highlight=False, soft_wrap=True)
        self._heartbeat = heartbeat
        self._last_line = time.monotonic()
        self._what: list[Callable[[], list[str]]] = []
        self._live: Live | None = None
        self.mask: Callable[[str], str] = str
        """Everything that is shown goes through it."""

    @property
    def live(self) -> bool:
        """Is there a terminal?"""
        return self._console.is_terminal

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line that stays. Text is printed as it is, never as markup."""
        self._last_line = time.monotonic()
        self._console.print(Text(self.mask(text), style=style))

    @contextlib.contextmanager
    def now(self, what: Callable[[], list[str]]) -> Iterator[None]:
        """While inside, keep showing what `what` returns: one line each, the most important first."""
        self._what.append(what)
        try:
            if len(self._what) > 1:
                yield
            elif self.live:
                with Live(
                    get_renderable=self._render, console=self._console, transient=True, refresh_per_second=4
                ):
                    yield
            else:
                with self._beat():
                    yield
        finally:
            self._what.pop()

    def _render(self) -> Group | Text:
        # What all of it is about first, then what is going on in it.
        outer = [what()[0] for what in self._what[:-1]]
        lines = [self.mask(line) for line in outer + (self._what[-1]() if self._what else [])]
        if not lines:
            return Text("")
        return Group(
            Spinner("dots", text=Text(lines[0], style="bold", no_wrap=True, overflow="ellipsis")),
            *(Text("  " + line, no_wrap=True, overflow="ellipsis") for line in lines[1:]),
        )

    @contextlib.contextmanager
    def _beat(self) -> Iterator[None]:
        stop = threading.Event()

        def beat() -> None:
            while not stop.wait(min(1.0, self._heartbeat)):
                if self._what and time.monotonic() - self._last_line >= self._heartbeat:
                    self.line("  … " + " · ".join(self._what[-1]()[:3]))

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def duration(seconds: float) -> str:
    """Seconds as people read them: `0.4 s`, `12 s`, `3 min 5 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
