"""Filter that turns inventory hosts into the machines of a lab."""

from __future__ import annotations

DOCUMENTATION = """
name: lab_machines
short_description: Turn inventory hosts into the machines of a lab
description:
  - Gives the list that the role C(lab_hosts) takes as C(lab_hosts_machines).
positional: hostvars
options:
  _input:
    description: Names of the hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variables of all hosts; C(ansible_host) and C(lab_*) are read.
    type: dict
    required: true
"""

EXAMPLES = """
lab_hosts_machines: "{{ groups['lab'] | xenci.stack.lab_machines(hostvars) }}"
"""

RETURN = """
_value:
  description: One dictionary for each host, with name, address and kind; of a virtual machine more.
  type: list
  elements: dict
"""

from collections.abc import Mapping, Sequence
from typing import Any

# What only virtual machines have: memory (MiB), processors, a second disk (GiB), the first one's file
# system; Debian's release, the lab's where it is empty, and packages that are on the first disk.
MACHINE: dict[str, Any] = {
    "memory": 3072,
    "vcpus": 2,
    "disk": 12,
    "root": "ext4",
    "release": "",
    "packages": [],
}


def lab_machines(hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Name, address and kind of each host; raises KeyError where a host has no C(ansible_host)."""
    return [_machine(host, hostvars[host]) for host in hosts]


def _machine(host: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    machine = {
        "name": host,
        "address": variables["ansible_host"],
        "kind": variables.get("lab_kind", "container"),
    }
    if machine["kind"] == "vm":
        machine |= {name: variables.get(f"lab_{name}", default) for name, default in MACHINE.items()}
    return machine


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Filters by name."""
        return {"lab_machines": lab_machines}
