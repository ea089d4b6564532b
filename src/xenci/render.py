"""`xenci render`: the infra repository, as far as it follows from the inventory.

The values are Ansible's to work out (defaults, groups, templates in variables), so Ansible renders them: the
role `infra_config`, through `playbooks/operate_render.yml`. This module calls it and says what changed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path


class RenderError(Exception):
    """The inventory could not be rendered; the text says why."""


def render(inventories: Sequence[Path], destination: Path, *, root: Path, check: bool = False) -> list[str]:
    """Write the files that follow from the inventory into the infra checkout `destination`.

    `root` is the checkout of xenci. Returns the paths, relative to `destination`, that changed; with `check`
    those that would have, and writes nothing. Raises RenderError.
    """
    command = [str(root / ".venv/bin/ansible-playbook")]
    for inventory in inventories:
        command += ["-i", str(inventory)]
    command += ["-e", json.dumps({"infra_config_directory": str(destination.resolve())})]
    command += ["--check"] if check else []
    command.append(str(root / "playbooks/operate_render.yml"))
    environment = {
        **os.environ,
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_CONFIG": str(root / "ansible.cfg"),
    }
    result = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    try:
        plays = json.loads(result.stdout[result.stdout.index("{") :])["plays"]
    except (ValueError, KeyError):
        raise RenderError(result.stderr.strip() or result.stdout.strip()) from None
    answers = [
        (task["task"]["name"], host)
        for play in plays
        for task in play["tasks"]
        for host in task["hosts"].values()
    ]
    for name, answer in answers:
        if answer.get("failed") or answer.get("unreachable"):
            # Of a loop, what its first failed item says.
            failed = next((item for item in answer.get("results", []) if item.get("failed")), answer)
            raise RenderError(f"{name}: {failed.get('msg', 'failed')}")
    if result.returncode:
        raise RenderError(result.stderr.strip())
    items = [item for _, answer in answers for item in answer.get("results", []) if item.get("changed")]
    return sorted(item["item"] for item in items if item["item"].endswith((".yaml", ".yml")))


def infra_tree(inventories: Sequence[Path], destination: Path, *, root: Path) -> None:
    """Make `destination` the first content of an operator's infra repository: skeleton and rendered files.

    Files that are there are overwritten, others are left. Raises RenderError.
    """
    shutil.copytree(root / "infra", destination, dirs_exist_ok=True)
    render(inventories, destination, root=root)
