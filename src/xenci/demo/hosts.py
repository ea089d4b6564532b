"""The lab's hosts: make them, remove them, ask them."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import yaml

from xenci.apply import run as applying
from xenci.apply.screen import Screen, duration
from xenci.demo import secrets
from xenci.demo.lab import Lab


def addresses(lab: Lab) -> dict[str, str]:
    """Host name → address in the lab's subnet."""
    network = ipaddress.IPv4Network(secrets.settings(lab)["lab_hosts_subnet"])
    return {name: str(network[values["lab_address"]]) for name, values in described(lab).items()}


def described(lab: Lab) -> dict[str, dict[str, Any]]:
    """The lab's hosts, the demo's and those that a file beside its own inventory adds: name → variables.

    `lab_address` is among the variables.
    """
    found: dict[str, dict[str, Any]] = {}
    for source in (lab.root / "inventories" / "demo" / "hosts.yml", *sorted(lab.inventory.glob("*.yml"))):
        groups = yaml.safe_load(source.read_text(encoding="utf-8"))["all"].get("children", {})
        for host, values in groups.get("lab", {}).get("hosts", {}).items():
            found[host] = found.get(host, {}) | values
    return found


def operate(lab: Lab, screen: Screen, state: str) -> bool:
    """Make the lab's hosts (`present`) or remove them (`absent`)."""
    playbook = applying.Playbook(
        checkout=lab.root,
        # The lab's own directory goes away with it.
        state=lab.runner if state == "present" else lab.root / ".cache" / f"down-{lab.name}",
        path="playbooks/operate_lab.yml",
        inventories=[source for source in lab.inventories if source.exists()],
        extra_vars={"lab_hosts_state": state, "lab_hosts_name": lab.name},
        environment=lab.environment if lab.vault_password.exists() else {},
    )
    return applying.run(playbook, screen, f"hosts of {lab.name} {state}").ok


def containers(lab: Lab) -> dict[str, dict[str, Any]]:
    """The lab's hosts whose containers run: name → what podman lists of it, Id and Pid among it.

    Hosts that joined the lab later and are in no inventory of its own, as a test's, are not among them.
    """
    answer = subprocess.run(
        ["podman", "ps", "--filter", f"label=xenci/lab={lab.name}", "--format", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    listed = json.loads(answer.stdout or "[]")
    found = {name.removeprefix(f"{lab.container_prefix}-"): one for one in listed for name in one["Names"]}
    own = described(lab)
    return {host: one for host, one in found.items() if host in own}


def machines(lab: Lab) -> dict[str, str]:
    """The lab's virtual machines that run: name → process and when it was started, as an id."""
    found = {}
    for directory in (lab.directory / "vms").glob("*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            pid = (directory / "pid").read_text(encoding="ascii").strip()
            started = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
            found[directory.name] = f"{pid} {started}"
    return found


def running(lab: Lab) -> dict[str, str]:
    """The lab's hosts that run: name → an id that changes when the host is made anew."""
    return {host: container["Id"] for host, container in containers(lab).items()} | machines(lab)


# A killed run's modules go on inside the hosts: what root runs there over SSH without a terminal. Who their
# parent is says nothing: the connection may still stand, since ssh keeps it open for the next run.
ORPHANS = r"""
for environ in /proc/[0-9]*/environ; do
    process=${environ%/environ}
    [ "$(stat -c %u "$process" 2>/dev/null)" = 0 ] || continue
    [ "$(sed 's/.*) //' "$process/stat" 2>/dev/null | cut -d' ' -f5)" = 0 ] || continue
    tr '\0' '\n' <"$environ" 2>/dev/null | grep -q '^SSH_CONNECTION=' || continue
    tr '\0' ' ' <"$process/cmdline" | cut -c1-100
    echo
done
"""


def wait_for_orphans(lab: Lab, screen: Screen, patience: float = 600.0) -> None:
    """Let what a killed run still does inside the hosts end: a package manager must not be killed.

    :param patience: seconds for all hosts together; then the run goes on, and says so.
    """
    began = time.monotonic()
    busy: dict[str, str] = {}

    def what() -> list[str]:
        head = f"waiting for what a killed run still does ({duration(time.monotonic() - began)})"
        return [head, *(f"{host}: {command}" for host, command in busy.items())]

    with screen.now(what):
        for host in sorted(containers(lab)):
            while command := orphan(lab, host):
                if host not in busy:
                    screen.line(f"  {host} still runs what a killed run began: {command}")
                busy[host] = command
                if time.monotonic() - began > patience:
                    screen.line(f"  {host} still runs it after {duration(patience)}: going on", "yellow")
                    break
                time.sleep(0.5)
            busy.pop(host, None)


def orphan(lab: Lab, host: str) -> str:
    """The first command that a killed run left on a host; empty when there is none."""
    answer = subprocess.run(
        ["podman", "exec", f"{lab.container_prefix}-{host}", "sh", "-c", ORPHANS],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return next((line.strip() for line in answer.stdout.splitlines() if line.strip()), "")
