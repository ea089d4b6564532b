"""Run programs: argument lists only, never a shell, always with a time limit."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from xenci.guest.errors import GuestError

OUTPUT_LIMIT = 4 * 1024 * 1024
NOT_FOUND = "not found"
TOO_LONG = "too long"


@dataclass(frozen=True)
class Done:
    """How a program ended. `status` is None where it was killed at its time limit."""

    argv: tuple[str, ...]
    status: int | None
    output: str
    errors: str

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.status == 0

    def why(self) -> str:
        """Return one line for a message: the command and the last thing it said."""
        lines = (self.errors.strip() or self.output.strip()).splitlines()
        said = lines[-1].strip()[:300] if lines else "it said nothing"
        ended = "took too long" if self.status is None else f"ended with status {self.status}"
        return f"{' '.join(self.argv[:2])} {ended}: {said}"


def run(argv: Sequence[str], timeout: float = 60) -> Done:
    """Run a program for at most `timeout` seconds and return how it ended.

    A forked copy of this process keeps the program company. It inherits the locks that are held now, so that
    after a kill of this process they are held until the program has ended; the program itself gets none of
    them (`xl create` leaves a daemon behind). Output goes to memory files for the same daemon's sake: it
    would keep a pipe open.
    """
    streams = [os.fdopen(os.memfd_create(name), "w+b") for name in ("out", "err", "end")]
    try:
        keeper = os.fork()
        if not keeper:
            try:
                streams[2].write(_keep(argv, timeout, streams[0], streams[1]).encode("ascii"))
                streams[2].flush()
            finally:
                os._exit(0)
        os.waitpid(keeper, 0)
        texts = []
        for stream in streams:
            stream.seek(0)
            texts.append(stream.read(OUTPUT_LIMIT).decode("utf-8", "replace"))
    finally:
        for stream in streams:
            stream.close()
    output, errors, end = texts
    if end == NOT_FOUND:
        raise GuestError(
            "bad_state", f"can't run {argv[0]}: is it installed, and in {os.environ.get('PATH')}?"
        )
    return Done(tuple(argv), None if end in (TOO_LONG, "") else int(end), output, errors)


def _keep(argv: Sequence[str], timeout: float, out: BinaryIO, err: BinaryIO) -> str:
    """Run the program, in the keeper; return its status or what became of it."""
    # A forced command may get a PATH without the folders of xl and LVM.
    environment = {"PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin", "LC_ALL": "C"}
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    except OSError:
        return NOT_FOUND
    try:
        return str(process.wait(timeout))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return TOO_LONG
