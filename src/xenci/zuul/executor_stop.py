"""Let an executor that stops end the merge job it is at, before it stops to fetch repositories.

Stock Zuul 14.3 ends the threads that fetch first. A merge job that asks for a repository after that waits for
ever, and with it the stop, until systemd kills the service; what waits for the merge, such as a new layout,
hears of it only when the scheduler next looks for lost requests, up to a minute later.

This file is the only one that leans on that place; a test says when Zuul no longer needs it.
"""

from __future__ import annotations

from typing import Any

from xenci.zuul.registration import lookup


def apply() -> None:
    """Make `ExecutorServer.stop` wait for the merge job. Raises MovedError."""
    server = lookup("zuul.executor.server", "ExecutorServer")
    stock_stop = lookup("zuul.executor.server", "ExecutorServer", "stop")
    lookup("zuul.executor.server", "ExecutorServer", "runMerger")

    def stop(self: Any) -> None:
        if self.process_merge_jobs:
            self._merger_running = False
            self.merger_loop_wake_event.set()
            self.merger_thread.join()
        stock_stop(self)

    server.stop = stop
