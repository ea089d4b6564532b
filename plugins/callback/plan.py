"""Callback that notes what each task would do on each host, for `xenci plan` and `xenci drift`."""

from __future__ import annotations

DOCUMENTATION = """
name: plan
type: aggregate
short_description: Note what each task did or would do on each host, a line of JSON for each result
description:
  - Appends a JSON object to a file for each result that says something, which is what changes, fails, is
    skipped or not reached. A loop has one for each item.
  - The file holds diffs as they are, secrets among them. C(xenci plan) masks them, and removes the file.
options:
  plan_file:
    description: The file to append to, which must be there. Nothing is noted where it is not set.
    type: path
    env:
      - name: XENCI_PLAN_FILE
"""

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

ARGUMENTS = ("dest", "path", "name", "unit", "state", "src", "enabled")
RESULTS = ("checksum", "msg", "skip_reason", "false_condition", "dest", "path")


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core has no types
    """Writes results as they come; the whole of a loop is told by its items."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "xenci.stack.plan"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._play: dict[str, str] = {}

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Note which play, of which playbook."""
        self._play = {
            "play": play.get_name().strip(),
            "playbook": Path(play.get_path().rpartition(":")[0]).stem,
        }

    def v2_runner_on_ok(self, result: Any) -> None:
        """Note a change."""
        self._results("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Note a failure."""
        self._write("ignored" if ignore_errors else "failed", result, result.result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Note a host that did not answer."""
        self._write("unreachable", result, result.result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Note why nothing was done."""
        self._results("skipped", result)

    def _results(self, outcome: str, result: Any) -> None:
        # A loop that is skipped as a whole has one result without items.
        for item in result.result.get("results") or [result.result]:
            if isinstance(item, dict):
                skipped = outcome == "skipped" or item.get("skipped") or "skip_reason" in item
                self._write("skipped" if skipped else outcome, result, item)

    def _write(self, outcome: str, result: Any, answer: dict[str, Any]) -> None:
        path = self.get_option("plan_file")
        if not path or (outcome == "ok" and not answer.get("changed")):
            return
        task = result.task
        arguments = (answer.get("invocation") or {}).get("module_args") or {}
        line = {
            **self._play,
            "host": result.host.get_name(),
            "role": task._role.get_name() if task._role else "",
            "task": task.name or task.action,
            "action": str(task.resolved_action or task.action),
            "where": task.get_path(),
            "outcome": outcome,
            "item": str(answer.get("_ansible_item_label", "")),
            "diff": answer.get("diff") or [],
            "arguments": {key: arguments[key] for key in ARGUMENTS if arguments.get(key) is not None},
            "result": {key: answer[key] for key in RESULTS if key in answer},
            "hidden": "censored" in answer,
            "conditional": bool(task.when),
            # It only looks, whatever it runs.
            "looks": task.changed_when == [False],
        }
        # One write for each line, so that a run that is killed leaves whole lines.
        with open(os.open(path, os.O_WRONLY | os.O_APPEND), "w", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")
