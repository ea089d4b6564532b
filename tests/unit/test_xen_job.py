"""The job xen-guest-tests, as far as it runs on the executor."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from xenci.paths import checkout

ROOT = checkout()
OUTSIDE = {"xen": {"version": "4.17.5", "kernel": "6.1.0"}, "xl_list": "Name  ID\nnp1  7"}


def run(tmp_path: Path, hosts: dict[str, dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    """Run the first play, for nodes with what Zuul says of them."""
    inventory, playbook = tmp_path / "hosts.json", tmp_path / "play.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    playbook.write_text(
        json.dumps([{"hosts": "localhost", "gather_facts": False, "roles": [{"role": "xen_guest"}]}])
    )
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    variables = json.dumps({"zuul": {"executor": {"log_root": str(tmp_path)}}})
    command = [program, "-c", "local", "-i", str(inventory), "-e", variables, str(playbook)]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    environment["ANSIBLE_ROLES_PATH"] = str(ROOT / "infra/roles")
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_log_has_what_dom0_saw(tmp_path: Path) -> None:
    there = {"zuul_node": {"host_id": "192.0.2.1", "node_properties": {"xen": OUTSIDE}}}
    done = run(tmp_path, {"node": there})
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "dom0.txt").read_text() == (
        "node, on Xen host 192.0.2.1:\nXen 4.17.5, kernel of dom0 6.1.0\nName  ID\nnp1  7\n"
    )


def test_a_node_that_dom0_does_not_know(tmp_path: Path) -> None:
    done = run(tmp_path, {"node": {"zuul_node": {"host_id": None, "node_properties": {}}}})
    assert done.returncode == 0, done.stdout
    assert "node, on Xen host none:\nXen unknown" in (tmp_path / "dom0.txt").read_text()


def test_a_job_without_a_node_fails(tmp_path: Path) -> None:
    done = run(tmp_path, {})
    assert done.returncode == 2
    assert "give it a label of guests as its nodeset" in done.stdout
