"""Mistakes in the inputs: what is tagged `preflight` refuses them, before anything changes a host."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.testinfra.conftest import LAB, ROOT, SCENARIO, inventories, scenario_vars

MISTAKES: list[dict[str, Any]] = scenario_vars()["scenario_mistakes"]


def refused(mistake: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run the scenario's playbook with the mistake, as far as the preflight."""
    return subprocess.run(
        [
            "ansible-playbook",
            *(f"--inventory={source}" for source in inventories()),
            f"--vault-password-file={ROOT}/.lab/{LAB}/vault-password",
            "--limit=scenario,localhost",
            f"--tags={mistake.get('tags', 'preflight')}",
            f"--extra-vars={json.dumps(mistake['vars'])}",
            f"molecule/{SCENARIO}/converge.yml",
        ],
        cwd=ROOT,
        # Ansible refuses one that an ssh of another test has made non-blocking.
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def runs() -> Iterator[list[Future[subprocess.CompletedProcess[str]]]]:
    """A run with each mistake: none changes anything, so they go side by side."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield [pool.submit(refused, mistake) for mistake in MISTAKES]


@pytest.mark.parametrize("place", range(len(MISTAKES)), ids=lambda place: MISTAKES[place]["says"])
def test_mistake_is_refused(place: int, runs: list[Future[subprocess.CompletedProcess[str]]]) -> None:
    done = runs[place].result()
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 2, said
    assert MISTAKES[place]["says"] in said
    assert "changed: [" not in said
