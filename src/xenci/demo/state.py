"""Is what was applied still what this checkout and inventory say?"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

from xenci.demo.lab import Lab
from xenci.files import write

INPUTS = (
    "ansible.cfg",
    "constraints.txt",
    "constraints-jobs.txt",
    "demo",
    "infra",
    "inventories/demo",
    "playbooks",
    "plugins",
    "pyproject.toml",
    "roles",
    "src",
    "zuul.d",
)
"""What decides how the hosts look; the wheel follows from `src` and `pyproject.toml`."""

LEFT_OUT = ("__pycache__", ".egg-info")


def fingerprint(lab: Lab) -> str:
    """SHA-256 over path, mode and content of everything that an apply reads."""
    digest = hashlib.sha256()
    for path in _files(lab):
        digest.update(f"{path}\0{path.stat().st_mode:o}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(lab: Lab) -> Iterator[Path]:
    for source in [*(lab.root / name for name in INPUTS), lab.inventory]:
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if path.is_file() and not any(part.endswith(LEFT_OUT) for part in path.parts):
                yield path


def note(lab: Lab, found: str, instances: dict[str, str]) -> None:
    """Remember a whole success: what was applied, and to which containers (host → id)."""
    content = {"fingerprint": found, "instances": instances, "at": int(time.time())}
    write(lab.applied, json.dumps(content, indent=2) + "\n")


def stale(lab: Lab, found: str, instances: dict[str, str], missing: list[str]) -> str:
    """Why the lab has to be applied again; empty when it is as it should be.

    :param instances: the containers that run now, host → id.
    :param missing: services that don't answer.
    """
    if not lab.applied.exists():
        return "no earlier run went through"
    noted = json.loads(lab.applied.read_text(encoding="utf-8"))
    if noted["fingerprint"] != found:
        return "checkout or inventory have changed"
    if noted["instances"] != instances:
        gone = sorted(set(noted["instances"]) - set(instances))
        return f"hosts are not running: {', '.join(gone)}" if gone else "hosts have been made anew"
    if missing:
        return f"not answering: {missing[0]}"
    return ""
