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
    description: The variables of all hosts; C(ansible_host) is read.
    type: dict
    required: true
"""

EXAMPLES = """
lab_hosts_machines: "{{ groups['lab'] | xenci.stack.lab_machines(hostvars) }}"
"""

RETURN = """
_value:
  description: One dictionary for each host, with its name and address.
  type: list
  elements: dict
"""

from collections.abc import Mapping, Sequence
from typing import Any


def lab_machines(hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Name and address of each host; raises KeyError where a host has no C(ansible_host)."""
    return [{"name": host, "address": hostvars[host]["ansible_host"]} for host in hosts]


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Filters by name."""
        return {"lab_machines": lab_machines}
