"""Run a playbook of infra here, as an executor would on a node or on itself, with variables like Zuul's."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xenci.paths import checkout

ROOT = checkout()
INFRA = ROOT / "infra"


def play(
    playbook: Path, home: Path, variables: Mapping[str, Any], **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run it with `home` as the home of the node's user; what it returns is in `home`/returned.json."""
    command = [str(ROOT / ".venv/bin/ansible-playbook"), "-i", "localhost,", "-c", "local"]
    command += ["-e", json.dumps(variables), str(playbook)]
    settings = {
        **os.environ,
        "HOME": str(home),
        "ANSIBLE_LIBRARY": str(Path(__file__).parent / "library"),
        "ANSIBLE_ROLES_PATH": str(INFRA / "roles"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_PYTHON_INTERPRETER": str(ROOT / ".venv/bin/python"),
        "ANSIBLE_REMOTE_TEMP": str(home / "tmp"),
        "RETURNED": str(home / "returned.json"),
        **environment,
    }
    settings.pop("ANSIBLE_CONFIG", None)
    return subprocess.run(
        command, cwd=home, env=settings, capture_output=True, text=True, timeout=300, check=False
    )
