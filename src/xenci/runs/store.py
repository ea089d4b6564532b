"""The runs of a site: one folder each, whole or not at all, kept for as long as somebody wants.

<store>/<id>/run.json       who, what, which commit, result
<store>/<id>/lock           held while it runs
<store>/<id>/events.jsonl   ansible-runner's events, secrets masked
<store>/<id>/plan.json      what would change; of an apply, what it found just before
<store>/<id>/report.txt     the same as people read it
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xenci.apply import lock
from xenci.files import write

KINDS = ("plan", "apply", "drift")
ID = re.compile(r"\d{8}T\d{9}-[a-z]+-[0-9a-f]{4}")
RUNNING, INTERRUPTED, FAILED = "running", "interrupted", "failed"
NOTHING, CHANGES = "nothing", "changes"
"""How a plan or a comparison ends."""
APPLIED, REFUSED = "applied", "refused"
"""How an apply ends."""


class NoSuchRunError(Exception):
    """There is no run of this name; the message says which there are."""


@dataclasses.dataclass(frozen=True)
class Run:
    """One run. Times are ISO 8601 in UTC; `ended` is empty while it runs.

    `result` is running, interrupted, or what a plan, an apply or a comparison ended with: nothing, changes,
    applied, refused or failed. `commit` is that of the inventory, `base` what it was merged into, `code` that
    of xenci; `tree` names the content of the inventory's repository, and `patches` what came since `base`, as
    stable patch-ids. `change` is a change of the review server, as 123,4; an apply may bring several.
    """

    id: str
    kind: str
    who: str
    started: str
    inventories: tuple[str, ...] = ()
    limit: str = ""
    change: str = ""
    changes: tuple[str, ...] = ()
    commit: str = ""
    base: str = ""
    tree: str = ""
    code: str = ""
    patches: tuple[str, ...] = ()
    playbooks: tuple[str, ...] = ()
    break_glass: str = ""
    ended: str = ""
    result: str = RUNNING
    message: str = ""

    @property
    def seconds(self) -> float:
        """How long it took; 0 while it runs."""
        if not self.ended:
            return 0.0
        begin, end = map(datetime.datetime.fromisoformat, (self.started, self.ended))
        return (end - begin).total_seconds()


class Store:
    """The folder of all runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextlib.contextmanager
    def run(self, kind: str, who: str, **known: Any) -> Iterator[Writer]:
        """Begin a run, and hold its lock while inside; whatever ends it, the folder tells.

        :param known: fields of `Run` that are known already.
        """
        moment = now()
        stamp = datetime.datetime.fromisoformat(moment).strftime("%Y%m%dT%H%M%S%f")[:-3]
        one = Run(f"{stamp}-{kind}-{secrets.token_hex(2)}", kind, who, moment, **known)
        folder = self.folder / one.id
        # Made aside, so that nobody meets a folder without a run in it.
        new = self.folder / f".{one.id}"
        new.mkdir(mode=0o750, parents=True)
        write(new / "run.json", json.dumps(dataclasses.asdict(one), indent=1), 0o640)
        with lock.held(new / "lock", f"run {one.id}"):
            new.rename(folder)
            yield Writer(folder, one)

    def all(self) -> list[Run]:
        """Every run, the newest first."""
        names = [path.name for path in self.folder.glob("*") if ID.fullmatch(path.name)]
        return [self.get(name) for name in sorted(names, reverse=True)]

    def get(self, name: str) -> Run:
        """A run by its id, or by its beginning where only one begins so.

        :raises NoSuchRunError: where there is none, or more than one.
        """
        names = [path.name for path in self.folder.glob("*") if ID.fullmatch(path.name)]
        found = [one for one in names if one == name] or [
            one for one in names if name and one.startswith(name)
        ]
        if len(found) != 1:
            last = f"the last one is {max(names)}" if names else "there is none yet"
            raise NoSuchRunError(f"{len(found) or 'no'} run{'s' * (len(found) > 1)} {name!r}; {last}")
        folder = self.folder / found[0]
        values: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        one = Run(**values | lists)
        if one.result == RUNNING and not lock.is_held(folder / "lock"):
            return dataclasses.replace(one, result=INTERRUPTED)
        return one

    def last(self, kind: str, **wanted: Any) -> Run | None:
        """The newest run of a kind, with these values of its fields."""
        runs = (one for one in self.all() if one.kind == kind)
        return next(
            (one for one in runs if all(getattr(one, key) == value for key, value in wanted.items())), None
        )

    def read(self, one: Run, name: str) -> str:
        """A file of a run; empty where it has none."""
        path = self.folder / one.id / name
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def expire(self, days: int) -> list[str]:
        """Remove runs that began more than so many days ago and have ended, but the last apply; name them."""
        limit = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)
        applied = self.last("apply", result="applied")
        gone = []
        for one in self.all():
            old = datetime.datetime.fromisoformat(one.started) < limit
            if old and one.result != RUNNING and (applied is None or one.id != applied.id):
                shutil.rmtree(self.folder / one.id)
                gone.append(one.id)
        for half in self.folder.glob(".*-*"):  # a run that was killed while it began
            if not lock.is_held(half / "lock"):
                shutil.rmtree(half)
        return gone


class Writer:
    """A run that goes on. Everything that is given to it must be masked already."""

    def __init__(self, folder: Path, one: Run) -> None:
        self.folder = folder
        self.run = one

    def note(self, **values: Any) -> None:
        """Set fields of the run."""
        self.run = dataclasses.replace(self.run, **values)
        write(self.folder / "run.json", json.dumps(dataclasses.asdict(self.run), indent=1), 0o640)

    def end(self, result: str, message: str = "") -> Run:
        """Set the result."""
        self.note(result=result, message=message, ended=now())
        return self.run

    def file(self, name: str, text: str) -> None:
        """Write a file of the run."""
        write(self.folder / name, text, 0o640)

    def event(self, event: dict[str, Any]) -> None:
        """Add an event."""
        with (self.folder / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(event, default=str) + "\n")


def now() -> str:
    """This moment, ISO 8601 in UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
