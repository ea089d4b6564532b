"""Requests and answers: files in a spool that two users share, of which one has no keys.

    <spool>/requests/<id>        what is asked for, JSON; written by whoever may ask
    <spool>/answers/<id>.log     what the worker says meanwhile
    <spool>/answers/<id>.json    its answer, when it is there; only the worker writes here

What lies in `requests` is not trusted: anything but a small file with exactly a request in it is refused.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import secrets
import stat
import time
from pathlib import Path

COMMAND = re.compile(r"(?:(plan) ([1-9][0-9]{0,8}),([1-9][0-9]{0,4})|(apply|drift|status))")
ID = re.compile(r"[0-9]{13}-[0-9a-f]{8}")
LARGEST = 1000
"""Bytes of a request."""
USAGE = "one of: plan CHANGE,PATCHSET; apply; drift; status"


class RequestError(Exception):
    """This is no request; the message says what is."""


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked for. `kind` is plan, apply, drift or status; the numbers are those of a plan, else 0."""

    kind: str
    change: int = 0
    patchset: int = 0

    @property
    def name(self) -> str:
        """As it is written on a command line."""
        return f"{self.kind} {self.change},{self.patchset}" if self.kind == "plan" else self.kind


def parse(line: str) -> Request:
    """The request in the one command line that a job may run.

    :raises RequestError: when it is anything else; nothing of it is repeated.
    """
    found = COMMAND.fullmatch(line)
    if not found:
        raise RequestError(f"this key may run {USAGE}")
    return Request("plan", int(found[2]), int(found[3])) if found[1] else Request(found[4])


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came of a request: the exit code of the job, what to print, and the run's id if there was one."""

    code: int
    text: str
    run: str = ""


class Spool:
    """The folder."""

    def __init__(self, folder: Path) -> None:
        self.requests = folder / "requests"
        self.answers = folder / "answers"

    def put(self, request: Request) -> str:
        """Ask; return the request's id. Ids sort by time."""
        name = f"{time.time_ns() // 1_000_000:013d}-{secrets.token_hex(4)}"
        # Whole at once: the worker may look at any moment.
        new = self.requests / f".{name}"
        new.write_text(request.name, encoding="utf-8")
        new.chmod(0o640)
        new.rename(self.requests / name)
        return name

    def waiting(self) -> list[str]:
        """Ids of requests without an answer, the oldest first; what can be none is removed."""
        names = []
        for path in sorted(self.requests.iterdir()):
            if ID.fullmatch(path.name) and not folder(path):
                names.append(path.name)
            elif not path.name.startswith(".") or path.lstat().st_mtime < time.time() - 60:
                remove(path)
        return names

    def get(self, name: str) -> Request:
        """What is asked for.

        :raises RequestError: when it is no request.
        """
        try:
            number = os.open(self.requests / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise RequestError(f"this is no request: {error.strerror}") from error
        try:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise RequestError("this is no request: no file")
            content = os.read(number, LARGEST + 1)
        finally:
            os.close(number)
        if len(content) > LARGEST or not content.isascii():
            raise RequestError(f"this is no request: {USAGE}")
        return parse(content.decode("ascii"))

    def log(self, name: str) -> Path:
        """Where the worker writes what it does."""
        return self.answers / f"{name}.log"

    def answer(self, name: str, answer: Answer) -> None:
        """Answer, and take the request away, in this order: after a crash it is answered again."""
        new = self.answers / f".{name}"
        new.write_text(json.dumps(dataclasses.asdict(answer)), encoding="utf-8")
        new.chmod(0o640)
        new.rename(self.answers / f"{name}.json")
        remove(self.requests / name)

    def answered(self, name: str) -> Answer | None:
        """The answer, if it is there."""
        path = self.answers / f"{name}.json"
        return Answer(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def expire(self, seconds: float = 86400) -> None:
        """Remove old answers."""
        for path in self.answers.iterdir():
            if path.stat().st_mtime < time.time() - seconds:
                path.unlink()


def remove(path: Path) -> None:
    """Remove what should not be in the spool; an empty folder too. A full one stays and harms nobody."""
    if folder(path):
        if not any(path.iterdir()):
            path.rmdir()
        return
    path.unlink(missing_ok=True)


def folder(path: Path) -> bool:
    """Whether it is a folder, and no link to one."""
    return path.is_dir() and not path.is_symlink()
