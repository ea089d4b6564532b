"""What a killed run leaves behind is found by its mark, whatever its session, and ended; nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from xenci.apply import processes

SLEEP = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python with a mark, in a session of its own as Ansible's workers are."""
    running: list[subprocess.Popen[str]] = []

    def run(state: Path, program: str = SLEEP, title: str = "python3") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [title, "-c", program],
            executable="/usr/bin/python3",
            env={**os.environ, processes.MARK: str(state)},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    yield run
    for process in running:
        process.kill()
        process.wait()


def reaped(process: subprocess.Popen[str]) -> int:
    return process.wait(timeout=10)


def test_only_processes_with_this_mark_are_ended(start: Start, tmp_path: Path) -> None:
    ours = start(tmp_path / "a")
    other = start(tmp_path / "ab")
    assert processes.left_behind(tmp_path / "a") == [ours.pid]
    assert processes.end(tmp_path / "a", patience=0.2) == 1
    assert reaped(ours) == -signal.SIGTERM
    assert other.poll() is None


def test_what_does_not_listen_is_killed(start: Start, tmp_path: Path) -> None:
    stubborn = start(tmp_path, STUBBORN)
    processes.end(tmp_path, patience=0.2)
    assert reaped(stubborn) == -signal.SIGKILL


def test_connections_are_kept_for_the_next_run_and_end_with_the_lab(start: Start, tmp_path: Path) -> None:
    connection = start(tmp_path, title="ssh: /socket [mux]")
    assert processes.left_behind(tmp_path) == []
    assert processes.end(tmp_path, patience=0.2) == 0
    assert connection.poll() is None
    assert processes.end(tmp_path, connections=True, patience=0.2) == 1
    assert reaped(connection) == -signal.SIGTERM


def test_what_keeps_containers_alive_is_spared(start: Start, tmp_path: Path) -> None:
    keeper = start(tmp_path, "open('/proc/self/comm', 'w').write('conmon'); " + SLEEP)
    assert processes.left_behind(tmp_path, connections=True) == []
    assert keeper.poll() is None


def test_what_is_tied_ends_with_what_started_it(tmp_path: Path) -> None:
    program = "import subprocess, sys; from xenci.apply import processes\n"
    program += "subprocess.run(processes.tied([sys.executable, '-c', sys.argv[1]]))"
    starter = subprocess.Popen(
        [sys.executable, "-c", program, SLEEP],
        env={**os.environ, processes.MARK: str(tmp_path), "PYTHONPATH": "src"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout is not None
    assert starter.stdout.readline() == "up\n"
    assert len(processes.left_behind(tmp_path)) == 2
    starter.kill()
    try:
        # Both have this output: its end means that the last of them has ended.
        assert starter.communicate(timeout=10)[0] == ""
    finally:
        processes.end(tmp_path)


def test_this_process_and_its_parents_are_never_found(tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from xenci.apply import processes\n"
    program += "print(processes.left_behind(Path(sys.argv[1])))"
    answer = subprocess.run(
        ["/usr/bin/python3", "-c", program, str(tmp_path)],
        env={**os.environ, processes.MARK: str(tmp_path), "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "[]\n"
