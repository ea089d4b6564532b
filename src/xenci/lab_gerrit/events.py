"""Events: what `gerrit stream-events` sends and to whom. A slow reader holds up nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from xenci.lab_gerrit.store import now

Event = dict[str, Any]
_LIMIT = 10_000


class Subscriber:
    """One reader. Its queue is bounded: a reader who does not read loses his stream, not the server."""

    def __init__(self, account: int | None, types: frozenset[str]) -> None:
        self.account = account
        self._types = types
        self._queue: asyncio.Queue[str | None] = asyncio.Queue(_LIMIT)
        self.closed = False

    def offer(self, event: Event, line: str) -> None:
        """Queue a line if its type is wanted; a full queue ends the stream."""
        if self.closed or (self._types and event["type"] not in self._types):
            return
        if self._queue.full():
            self.close()
        else:
            self._queue.put_nowait(line)

    def close(self) -> None:
        """End the stream after what is queued is dropped."""
        self.closed = True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def next(self) -> str | None:
        """Next line (JSON, no newline); None when the stream is over."""
        return await self._queue.get()


class Events:
    """The bus. Nothing is kept for those who are away, as in Gerrit."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()

    def subscribe(self, account: int | None, types: frozenset[str]) -> Subscriber:
        """A new reader; no types means all."""
        subscriber = Subscriber(account, types)
        self._subscribers.add(subscriber)
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget a reader."""
        self._subscribers.discard(subscriber)

    def emit(self, event: Event, visible: Callable[[int | None], bool]) -> None:
        """Send an event to those for whose account `visible` says yes; eventCreatedOn is added."""
        event = {**event, "eventCreatedOn": now()}
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        for subscriber in tuple(self._subscribers):
            if visible(subscriber.account):
                subscriber.offer(event, line)
