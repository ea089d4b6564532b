"""An executor that is stopped in the middle of a merge job ends the job, and then itself."""

import threading
from unittest.mock import MagicMock

import pytest

from xenci.zuul import executor_stop, registration

PATIENCE = 3.0
"""Seconds after which a stop hangs; one that works takes a fraction of one."""


def executor(server):
    """Zuul's executor with its threads for repositories and merge jobs; the rest of it is hollow."""
    from zuul.executor.server import DeduplicateQueue

    class Executor(server):
        process_merge_jobs = True

        def __init__(self):
            self.job_workers = {}
            self.run_lock = threading.Lock()
            self.update_queue = DeduplicateQueue()
            self.update_threads = [threading.Thread(target=self._updateLoop, daemon=True)]
            self.merger_loop_wake_event = threading.Event()
            self.merger_thread = threading.Thread(target=self.runMerger, daemon=True)
            self._merger_paused = False
            self._merger_running = True
            self.at_work, self.stopping = threading.Event(), threading.Event()
            self.merged = False

        def __getattr__(self, name):
            return self.__dict__.setdefault(name, MagicMock())

        def _lockAndRunMergeJob(self, request):  # noqa: N802, Zuul's name
            self.at_work.set()
            self.stopping.wait()
            # As late as can be: where the stop ends the threads that fetch, they are gone by now.
            for thread in self.update_threads:
                thread.join(1)
            self._update("gerrit", "project")
            self.merged = True

        def begin(self):
            self.merger_api.next.side_effect = [["request"]]
            for thread in (*self.update_threads, self.merger_thread):
                thread.start()
            self.merger_loop_wake_event.set()
            assert self.at_work.wait(PATIENCE)

        def end(self):
            """Stop as a signal does; whether everything has ended in time."""
            stop = threading.Thread(target=self.stop, daemon=True)
            self.stopping.set()
            stop.start()
            threads = (stop, self.merger_thread, *self.update_threads)
            for thread in threads:
                thread.join(PATIENCE)
            return not any(thread.is_alive() for thread in threads)

    return Executor()


@pytest.fixture
def server(monkeypatch):
    """Zuul's class of executors, as it came, after the test."""
    from zuul.executor.server import ExecutorServer

    monkeypatch.setattr(ExecutorServer, "stop", ExecutorServer.stop)
    return ExecutorServer


def test_the_merge_job_is_ended_first(server):
    executor_stop.apply()
    made = executor(server)
    made.begin()
    assert made.end()
    assert made.merged


def test_stock_zuul_hangs(server):
    """Where this fails Zuul does it by itself: drop `executor_stop`."""
    made = executor(server)
    made.begin()
    assert not made.end()
    assert not made.merged


def test_a_moved_place_fails_loudly(server, monkeypatch):
    monkeypatch.delattr(server, "stop")
    monkeypatch.delattr(server.__mro__[1], "runMerger")
    with pytest.raises(registration.MovedError, match="ExecutorServer"):
        executor_stop.apply()
