"""Callback that notes which tasks changed something, for the scenarios' checks."""

from __future__ import annotations

DOCUMENTATION = """
name: changes
type: aggregate
short_description: Note which tasks changed which host, a line of JSON for each run of a playbook
description:
  - Appends one JSON object to a file when a run ends. Its keys are C(playbook) (its file's name), C(check)
    (whether it was a check run), and C(changed), C(unreachable), C(failed) (lists of C([host, task])).
options:
  changes_file:
    description: The file to append to. Nothing is noted where it is not set.
    type: path
    env:
      - name: XENCI_CHANGES_FILE
"""

import json
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core has no types
    """Collects results and writes them when the run ends."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "xenci.stack.changes"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._playbook = ""
        self._seen: dict[str, list[tuple[str, str]]] = {"changed": [], "failed": [], "unreachable": []}

    def _note(self, kind: str, result: Any) -> None:
        self._seen[kind].append((result.host.get_name(), result.task.get_name()))

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Note which playbook runs."""
        self._playbook = Path(playbook._file_name).name

    def v2_runner_on_ok(self, result: Any) -> None:
        """Note a task that changed its host."""
        if result.result.get("changed"):
            self._note("changed", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Note a task that failed."""
        self._note("failed", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Note a host that did not answer."""
        self._note("unreachable", result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Write what was noted."""
        path = self.get_option("changes_file")
        if path:
            run = {"playbook": self._playbook, "check": bool(context.CLIARGS.get("check")), **self._seen}
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(json.dumps(run) + "\n")
