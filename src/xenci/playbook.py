"""Run a playbook for its answers: what each task gave on each host, not what a person reads meanwhile."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class PlaybookError(Exception):
    """Ansible did not get as far as a task; the text is what it printed."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a task gave on a host: the module's result, as Ansible's JSON callback shows it."""

    task: str
    host: str
    result: dict[str, Any]

    @property
    def failure(self) -> str:
        """Why it failed, of a loop what its first failed item says; empty where it did not fail."""
        if not (self.result.get("failed") or self.result.get("unreachable")):
            return ""
        items = self.result.get("results") or []
        broken = next((item for item in items if item.get("failed") or item.get("unreachable")), self.result)
        return f"{self.task} on {self.host}: {broken.get('msg', 'failed')}"


def run(
    name: str,
    inventories: Sequence[Path],
    *,
    root: Path,
    extra_vars: Mapping[str, Any] | None = None,
    check: bool = False,
    environment: Mapping[str, str] | None = None,
) -> list[Answer]:
    """Run `playbooks/<name>.yml` of the checkout `root` and return the answers in order.

    :raises PlaybookError: when there are none to return.
    """
    command = [str(root / ".venv/bin/ansible-playbook")]
    for inventory in inventories:
        command += ["-i", str(inventory)]
    command += ["-e", json.dumps(extra_vars)] if extra_vars else []
    command += ["--check"] if check else []
    command.append(str(root / "playbooks" / f"{name}.yml"))
    settings = {
        **os.environ,
        **(environment or {}),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_CONFIG": str(root / "ansible.cfg"),
    }
    done = subprocess.run(command, cwd=root, env=settings, capture_output=True, text=True, check=False)
    try:
        plays = json.loads(done.stdout[done.stdout.index("{") :])["plays"]
    except (ValueError, KeyError):
        raise PlaybookError(done.stderr.strip() or done.stdout.strip()) from None
    answers = [
        Answer(task["task"]["name"], host, result)
        for play in plays
        for task in play["tasks"]
        for host, result in task["hosts"].items()
    ]
    if done.returncode and not any(answer.failure for answer in answers):
        raise PlaybookError(done.stderr.strip() or done.stdout.strip())
    return answers
