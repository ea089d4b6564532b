"""Mistakes in the inputs: what is tagged `preflight` refuses them, before anything changes a host."""

import json
import subprocess

import pytest

from tests.testinfra.conftest import LAB, ROOT, SCENARIO, inventories, scenario_vars


@pytest.mark.parametrize("mistake", scenario_vars()["scenario_mistakes"], ids=lambda each: each["says"])
def test_mistake_is_refused(mistake):
    done = subprocess.run(
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
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 2, said
    assert mistake["says"] in said
    assert "changed: [" not in said
