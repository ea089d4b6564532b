"""The site's SQLite file: opened once, used from the event loop's thread only.

Statements are short, so they run in place. Never await inside `transaction()`: another task would
write into it.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

Row = sqlite3.Row

VERSION = 1
"""Of `schema.sql`, kept in the file as SQLite's `user_version`: counted up with every change of it."""


class VersionError(Exception):
    """The file was made by a program with another schema; the message names file, versions and what to do."""

    def __init__(self, path: Path, found: int) -> None:
        super().__init__(
            f"{path} has schema version {found}, this program works with version {VERSION} and can't convert "
            "it: remove the lab and make it anew (`make demo-down`, `make demo`), or use the checkout that "
            "made it"
        )


class Store:
    """Rows in, rows out. Meaning lives in the modules that use it.

    :raises VersionError: when the file is of another version; it is left as it is.
    """

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._depth = 0
        new = not self.value("SELECT count(*) FROM sqlite_master")
        found = self.value("PRAGMA user_version")
        if not new and found != VERSION:
            self.close()
            raise VersionError(path, found)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._db.execute(f"PRAGMA {pragma}")
        if new:
            schema = resources.files(__package__).joinpath("schema.sql").read_text(encoding="utf-8")
            # All tables and their version, or nothing.
            self._db.executescript(f"BEGIN IMMEDIATE;\n{schema}\nPRAGMA user_version = {VERSION};\nCOMMIT;")

    def close(self) -> None:
        """Close the file; the store is of no use afterwards."""
        self._db.close()

    def all(self, sql: str, *values: Any) -> list[Row]:
        """All rows of a query."""
        return self._db.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> Row | None:
        """First row of a query, or None."""
        row: Row | None = self._db.execute(sql, values).fetchone()
        return row

    def value(self, sql: str, *values: Any) -> Any:
        """First column of the first row, or None."""
        row = self.one(sql, *values)
        return None if row is None else row[0]

    def run(self, sql: str, *values: Any) -> int:
        """Run a statement; returns the number of rows it changed."""
        return self._db.execute(sql, values).rowcount

    def insert(self, table: str, **values: Any) -> int:
        """Insert a row, return its rowid."""
        return self._insert("INSERT", table, values)

    def replace(self, table: str, **values: Any) -> int:
        """Insert a row or put it in place of the one with the same key."""
        return self._insert("INSERT OR REPLACE", table, values)

    def _insert(self, verb: str, table: str, values: dict[str, Any]) -> int:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        cursor = self._db.execute(f"{verb} INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
        return cursor.lastrowid or 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nests (the outermost commits)."""
        if self._depth == 0:
            self._db.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("ROLLBACK")
            raise
        self._depth -= 1
        if self._depth == 0:
            self._db.execute("COMMIT")

    def setting(self, key: str) -> str | None:
        """A value of the table `site`."""
        value: str | None = self.value("SELECT value FROM site WHERE key = ?", key)
        return value

    def put_setting(self, key: str, value: str) -> None:
        """Set a value of the table `site`."""
        self.replace("site", key=key, value=value)


def now() -> int:
    """Seconds since 1970: what Gerrit keeps of a change's times."""
    return int(time.time())


def loads(text: str) -> Any:
    """JSON column to value."""
    return json.loads(text)


def dumps(value: Any) -> str:
    """Value to JSON column."""
    return json.dumps(value, separators=(",", ":"))
