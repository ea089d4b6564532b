"""Records: what the host knows of its guests. One file each, written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from xenci.guest import names
from xenci.guest.errors import GuestError

# creating: parts of it may be there. booting: its domain was started, nobody has seen its SSH server yet.
# running: it was seen. deleting: parts of it may be gone.
STATES = ("creating", "booting", "running", "deleting")


@dataclass
class Record:
    """One guest. Sizes are MiB, times seconds since 1970. No domid: it changes with every start."""

    name: str
    state: str
    image: str
    version: str
    type: str
    memory_mib: int
    vcpus: int
    disk_mib: int
    mac: str
    address: str
    created: int
    authorized_keys: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    host_keys: list[str] = field(default_factory=list)


class Records:
    """The folder of records."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder

    def _file(self, guest: str) -> Path:
        return self.folder / f"{guest}.json"

    def names(self) -> list[str]:
        """Names of all guests that have a record."""
        stems = (path.stem for path in self.folder.glob("*.json"))
        return sorted(stem for stem in stems if names.GUEST.fullmatch(stem))

    def get(self, guest: str) -> Record | None:
        """Return the record of a guest, None if it has none; `bad_state` if it can't be read."""
        file = self._file(guest)
        try:
            record = Record(**json.loads(file.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise GuestError(
                "bad_state", f"the record {file} can't be read ({error}); delete guest {guest} to remove it"
            ) from error
        return record

    def all(self) -> Iterator[Record]:
        """Return every record; one that vanishes meanwhile is left out."""
        for guest in self.names():
            record = self.get(guest)
            if record:
                yield record

    def written(self, guest: str) -> float:
        """Return when a record was last written (seconds since 1970), 0 if there is none."""
        try:
            return self._file(guest).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def put(self, record: Record) -> None:
        """Write a record: after a crash there is the old one or the new one."""
        write(self._file(record.name), json.dumps(asdict(record), indent=1).encode("ascii"))

    def remove(self, guest: str) -> None:
        """Remove a record, if there is one, and what a killed put() left of one."""
        new_file(self._file(guest)).unlink(missing_ok=True)
        self._file(guest).unlink(missing_ok=True)
        sync(self.folder)

    def unfinished(self) -> list[Path]:
        """Return what a crash left of writing."""
        return sorted(self.folder.glob("*.new"))


def write(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Put a file in place whole, and on disk."""
    new = new_file(file)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
    sync(file.parent)


def new_file(file: Path) -> Path:
    """Return where the next content of a file is written."""
    return file.with_name(f"{file.name}.new")


def sync(folder: Path) -> None:
    """Have the names of a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def to_reply(record: Record, **more: Any) -> dict[str, Any]:
    """Return a record as callers see it."""
    return {**asdict(record), **more}
