"""`xenci-bastion`: `request` is what the key of Zuul's jobs runs, the rest is for systemd."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from xenci.bastion import settings
from xenci.bastion.requests import Request, RequestError, Spool, parse
from xenci.runs.status import lines, status
from xenci.runs.store import Store

USAGE = 64
POLL = 0.5
"""Seconds between two looks for an answer."""
PATIENCE = 7200.0
"""Seconds that a job waits; the work goes on without it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words == ["request"]:
            return watch(settings.load(), parse(os.environ.get("SSH_ORIGINAL_COMMAND", "")))
        if words == ["work"]:
            from xenci.bastion.worker import worker

            worker(settings.load()).work()
            return 0
        if words == ["reports"]:
            from xenci.bastion.review import Server

            left = Server(settings.load()).flush()
            print("\n".join(left) or "every report is posted")  # noqa: T201
            return 0
        raise RequestError("xenci-bastion request | work | reports")
    except (RequestError, settings.SettingsError) as error:
        print(f"xenci-bastion: {error}", file=sys.stderr)  # noqa: T201
        return USAGE


def watch(known: settings.Settings, request: Request) -> int:
    """Ask, show what is done, and return the exit code of the answer. What was begun goes on if this ends."""
    if request.kind == "status":  # nothing to wait for
        sys.stdout.write("\n".join(lines(status(Store(known.runs)))) + "\n")
        return 0
    spool = Spool(known.spool)
    name = spool.put(request)
    shown = 0
    deadline = time.monotonic() + PATIENCE
    while (answer := spool.answered(name)) is None:
        shown += show(spool.log(name), shown)
        if time.monotonic() > deadline:
            print("xenci-bastion: no answer yet; it goes on, ask again later", file=sys.stderr)  # noqa: T201
            return 1
        time.sleep(POLL)
    show(spool.log(name), shown)
    sys.stdout.write(answer.text)
    sys.stdout.flush()
    return answer.code


def show(log: Path, begin: int) -> int:
    """Print what a log holds from a byte on; return how many bytes that was."""
    if not log.exists():
        return 0
    with log.open("rb") as file:
        file.seek(begin)
        content = file.read()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
    return len(content)


if __name__ == "__main__":
    sys.exit(main())
