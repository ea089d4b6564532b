"""The folder of runs: whole or not at all, and what is left of those that were killed."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xenci.runs import status
from xenci.runs.store import INTERRUPTED, RUNNING, NoSuchRunError, Run, Store


def age(store: Store, run: Run, days: int) -> None:
    """Let a run have begun so many days ago."""
    began = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)
    path = store.folder / run.id / "run.json"
    values = json.loads(path.read_text()) | {"started": began.isoformat()}
    path.write_text(json.dumps(values))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs")


def ended(store: Store, kind: str, result: str, **known: object) -> Run:
    with store.run(kind, "me", **known) as writer:
        return writer.end(result, "said")


def test_a_run_is_there_from_its_first_moment(store: Store) -> None:
    with store.run("plan", "me", commit="a" * 40, patches=("1", "2")) as writer:
        there = store.get(writer.run.id)
        assert (there.result, there.patches) == (RUNNING, ("1", "2"))
        assert status.status(store)["running"]["id"] == writer.run.id
        writer.event({"event": "x"})
        writer.file("report.txt", "text\n")
        writer.end("nothing", "said")
    run = store.get(writer.run.id)
    assert (run.result, run.seconds >= 0, store.read(run, "report.txt")) == ("nothing", True, "text\n")
    assert store.read(run, "none") == ""
    assert status.status(store)["running"] is None


def test_what_was_killed_is_interrupted(store: Store) -> None:
    program = (
        "import sys; from pathlib import Path; from xenci.runs.store import Store\n"
        f"with Store(Path({str(store.folder)!r})).run('apply', 'me'):\n"
        " print('in', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    assert process.stdout
    assert process.stdout.readline() == "in\n"
    assert store.all()[0].result == RUNNING
    process.kill()
    process.wait()
    assert store.all()[0].result == INTERRUPTED


def test_runs_are_found_by_the_beginning_of_their_name(store: Store) -> None:
    with pytest.raises(NoSuchRunError, match="there is none yet"):
        store.get("2026")
    first, second = ended(store, "plan", "nothing"), ended(store, "drift", "changes")
    assert store.get(first.id) == first
    assert store.get(second.id[:-2]) == second
    for name in ("", "2", "../" + first.id, "none"):
        with pytest.raises(NoSuchRunError):
            store.get(name)
    assert [one.id for one in store.all()] == [second.id, first.id]
    assert store.last("plan", result="changes") is None


def test_old_runs_go_but_what_is_live_stays(store: Store) -> None:
    runs = [
        ended(store, "apply", "applied"),
        ended(store, "apply", "applied", commit="b" * 40),
        ended(store, "apply", "failed"),
        ended(store, "plan", "changes"),
    ]
    for run in runs:
        age(store, run, 100)
    young = ended(store, "drift", "nothing")
    with store.run("plan", "me") as writer:
        age(store, writer.run, 100)
        assert sorted(store.expire(90)) == sorted(run.id for run in (runs[0], runs[2], runs[3]))
        assert {one.id for one in store.all()} == {runs[1].id, young.id, writer.run.id}


def test_half_a_run_is_removed(store: Store) -> None:
    ended(store, "plan", "nothing")
    (store.folder / ".20260101T000000000-plan-0000").mkdir()
    store.expire(90)
    assert [path.name for path in store.folder.iterdir()] == [store.all()[0].id]


def test_every_field_comes_back(store: Store) -> None:
    run = ended(store, "plan", "nothing", playbooks=("a",), inventories=("b",), break_glass="c")
    assert dataclasses.asdict(store.get(run.id)) == dataclasses.asdict(run)
