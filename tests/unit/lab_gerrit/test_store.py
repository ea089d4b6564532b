"""The database of a site: made whole, and refused where another schema made it."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.unit.lab_gerrit.lab import Lab
from xenci.lab_gerrit.store import VERSION, Store, VersionError

# Of the schema at VERSION. Where this fails the schema has changed: count VERSION up and note the new one.
SCHEMA = "3730cb420cfa92af"


def test_every_change_of_the_schema_has_a_version(tmp_path: Path) -> None:
    store = Store(tmp_path / "db")
    assert store.value("PRAGMA user_version") == VERSION
    text = "\n".join(row["sql"] for row in store.all("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == SCHEMA
    store.close()
    Store(tmp_path / "db").close()


@pytest.mark.parametrize("version", [0, VERSION + 1])
def test_another_version_is_refused_and_left_as_it_is(tmp_path: Path, version: int) -> None:
    path = tmp_path / "db"
    old = sqlite3.connect(path)
    old.executescript(f"CREATE TABLE changes (number INTEGER); PRAGMA user_version = {version}")
    old.close()
    before = path.read_bytes()
    with pytest.raises(VersionError) as refused:
        Store(path)
    for word in (str(path), f"version {version},", f"version {VERSION} ", "make demo-down"):
        assert word in str(refused.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("command", ["init", "daemon"])
def test_the_program_says_so_and_ends(tmp_path: Path, command: str) -> None:
    lab = Lab(tmp_path)
    lab.init()
    database = lab.site / "db" / "lab_gerrit.sqlite"
    changed = sqlite3.connect(database)
    changed.execute("PRAGMA user_version = 99")
    changed.close()
    done = subprocess.run(
        lab.command(command), env=lab.environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"{database} has schema version 99")
    assert "Traceback" not in done.stderr
