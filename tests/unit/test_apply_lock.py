"""One run at a time, and none is kept out by a run that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from xenci import cli
from xenci.apply import lock
from xenci.cli import errors
from xenci.demo.lab import Lab
from xenci.paths import checkout

HOLD = """
import signal, sys
from pathlib import Path
from xenci.apply import lock
with lock.held(Path(sys.argv[1]), "it"):
    print("held", flush=True)
    signal.pause()
"""


class Holder:
    """Another process that holds a lock until it is killed."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True, env=os.environ
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "held\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Holder]:
    holder = Holder(tmp_path / "lock")
    yield holder
    holder.kill()


def test_a_second_run_is_told_who_holds_it(holder: Holder, tmp_path: Path) -> None:
    told = rf"process {holder.process.pid}\) works on the hosts"
    with pytest.raises(lock.BusyError, match=told), lock.held(tmp_path / "lock", "the hosts"):
        pass


def test_who_is_patient_gets_it_in_the_end(holder: Holder, tmp_path: Path) -> None:
    assert lock.is_held(tmp_path / "lock")
    threading.Timer(0.5, holder.kill).start()
    with lock.held(tmp_path / "lock", "the hosts", patience=30):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    assert not lock.is_held(tmp_path / "lock")


def test_another_lock_is_free(holder: Holder, tmp_path: Path) -> None:
    with lock.held(tmp_path / "other", "the others"):
        pass


def test_a_killed_run_leaves_it_free(holder: Holder, tmp_path: Path) -> None:
    holder.kill()
    with lock.held(tmp_path / "lock", "the hosts"):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_lab_has_one_of_its_own(tmp_path: Path) -> None:
    lab = Lab("test", tmp_path)
    holder = Holder(lab.lock_file)
    with pytest.raises(lock.BusyError, match="works on lab 'test'"), lab.lock():
        pass
    with Lab("other", tmp_path).lock():
        pass
    holder.kill()


def test_apply_runs_once_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("xenci.check.first.mistakes", lambda *_: [])
    monkeypatch.setattr("xenci.cli.running.checkout", lambda: tmp_path)
    holder = Holder(tmp_path / ".cache/apply/lock")
    assert cli.main(["apply", "-i", str(checkout() / "inventories/demo")]) == errors.BUSY
    assert f"another run (process {holder.process.pid})" in capsys.readouterr().err
    holder.kill()
