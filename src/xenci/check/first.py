"""The check as the first thing that a command does with an inventory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def mistakes(
    inventories: Sequence[Path], root: Path, environment: Mapping[str, str], infra: Sequence[Path] = ()
) -> list[str]:
    """What `xenci check` says of an inventory; empty when it is fit to be applied.

    In a process of its own, since Ansible reads its settings once in a process.

    :param root: checkout of xenci.
    :param environment: what Ansible needs beyond this process's to read the inventory.
    :param infra: checkouts that define Zuul's jobs, where the inventory does not lie in one.
    """
    command = [str(root / ".venv" / "bin" / "xenci"), "check"]
    for source in inventories:
        command += ["-i", str(source)]
    for checkout in infra:
        command += ["--infra", str(checkout)]
    answer = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if not answer.returncode:
        return []
    return answer.stdout.splitlines() or answer.stderr.splitlines()
