"""`lab up` goes on where it was killed; `demo down` removes its own lab and nothing else."""

from __future__ import annotations

import json
import signal
import subprocess

from tests.e2e.conftest import ROOT, Command, kill_at
from xenci.demo.lab import Lab

NAME, SUBNET = "e2e-down", "10.204.0.0/24"
FOREIGN = f"xenci-{NAME}-foreign"
STATE = "{{.Id}} {{.State.Status}} {{.State.StartedAt}}"


def podman(*arguments: str) -> str:
    return subprocess.run(["podman", *arguments], check=True, capture_output=True, text=True).stdout


def names(kind: str) -> set[str]:
    if kind == "network":
        return {network["name"] for network in json.loads(podman("network", "ls", "--format", "json"))}
    return {name for one in json.loads(podman("ps", "--format", "json")) for name in one["Names"]}


def start(name: str, foreign: list[list[str]], image: str) -> None:
    """Start a container that is no lab's, in the network FOREIGN."""
    # To be removed also where it is made but does not start.
    foreign.append(["podman", "rm", "--force", "--time", "0", name])
    options = ["--detach", "--name", name, "--network", FOREIGN]
    # Podman's own limits are more than some machines grant.
    options += ["--ulimit", "nofile=20000:20000", "--ulimit", "nproc=32768:32768"]
    podman("--runtime", "runc", "run", *options, image, "sleep", "infinity")


def test_foreign_container_and_network_survive(foreign: list[list[str]]) -> None:
    lab = Lab(NAME, ROOT)
    cut = Command("lab", "up", "--lab", NAME, "--subnet", SUBNET)
    assert kill_at(cut, "hosts", lab) == -signal.SIGKILL
    made = Command("lab", "up", "--lab", NAME)
    assert made.finish() == 0, made.tail
    own = {name for name in names("container") if name.startswith(f"xenci-{NAME}-")}
    image = json.loads(podman("inspect", next(iter(own))))[0]["ImageName"]

    # As close to the lab's own names as can be.
    podman("network", "create", FOREIGN)
    foreign.append(["podman", "network", "rm", FOREIGN])
    start(FOREIGN, foreign, image)
    identity = podman("inspect", "--format", STATE, FOREIGN)
    labs = {path for path in (ROOT / ".lab").iterdir() if path.name not in (NAME, f"{NAME}.lock")}

    gone = Command("demo", "down", "--lab", NAME)
    assert gone.finish() == 0, gone.tail
    assert len(own) == 8
    assert names("container") & own == set()
    # Only these: what else the machine runs may end at any time, by its own tests.
    assert podman("inspect", "--format", STATE, FOREIGN) == identity
    assert FOREIGN in names("network")
    assert f"xenci-{NAME}" not in names("network")
    assert not lab.directory.exists()
    assert all(path.exists() for path in labs)

    # Not of the lab, but with the name of one of its hosts.
    start(f"xenci-{NAME}-node1", foreign, image)
    refused = Command("lab", "up", "--lab", NAME, "--subnet", SUBNET)
    assert refused.finish() == 1
    assert "Choose another lab_hosts_name" in refused.tail

    again = Command("demo", "down", "--lab", NAME)
    assert again.finish() == 0, again.tail
