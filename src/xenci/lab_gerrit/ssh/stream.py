"""`gerrit stream-events`."""

from __future__ import annotations

import asyncio

from xenci.lab_gerrit.ssh.session import CommandError, Session, parse


async def events(session: Session, words: list[str]) -> None:
    """Send events as JSON lines until either side ends it."""
    session.require("streamEvents", "stream events")
    parsed = parse(words, values=["subscribe|s"])
    bus = session.server.events
    subscriber = bus.subscribe(session.account.id, frozenset(parsed.values("subscribe")))
    gone = asyncio.ensure_future(session.process.wait_closed())
    try:
        while not session.process.is_closing():
            line = asyncio.ensure_future(subscriber.next())
            await asyncio.wait({line, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not line.done():
                line.cancel()
                return
            text = line.result()
            if text is None:
                raise CommandError("fatal: events are not being read; the stream is closed")
            session.process.stdout.write(text.encode() + b"\n")
            await session.process.stdout.drain()
    finally:
        gone.cancel()
        bus.unsubscribe(subscriber)
