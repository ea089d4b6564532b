#!/usr/bin/python
# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""Ansible module: read a Xen host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: xen_host_info
short_description: Read capacity, guests and images of a Xen host
description:
  - Reads what a Xen host has and carries. Changes nothing.
author:
  - The xenci authors (@xenci)
extends_documentation_fragment:
  - xenci.stack.xen
attributes:
  check_mode:
    description: Can run in check mode and tell what would change, without changing anything.
    support: full
  diff_mode:
    description: Will tell what changed, or in check mode what would change.
    support: none
    details: Nothing ever changes.
options:
  audit:
    description:
      - Whether to look for what guests that are gone left behind, too. Takes some seconds.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Look at the host
  xenci.stack.xen_host_info:
    audit: true
  register: host

- name: Nothing is left of guests that are gone
  ansible.builtin.assert:
    that: host.audit.clean
    fail_msg: "{{ host.audit.findings }}"
"""

RETURN = r"""
installed:
  description: Whether C(xenci-guest) is on the host. If not, nothing else is returned.
  returned: success
  type: bool
capacity:
  description: What the host can carry and carries, which guest types it can do, and why it takes no guests.
  returned: when installed
  type: dict
  sample:
    total: {"memory_mib": 1792, "vcpus": 4, "storage_mib": 20480, "guests": 4}
    used: {"memory_mib": 256, "vcpus": 1, "storage_mib": 1536, "guests": 1}
    types: [pv]
    drained: ""
    lease: true
    leased: {}
    storage_free_percent: 83.1
    xen: {"version": "4.17.5", "free_memory_mib": 1540, "kernel": "6.1.0-41-amd64", "capabilities": [pv, hvm]}
guests:
  description: Every guest, as M(xenci.stack.xen_guest) returns it, with C(reason) for dead ones.
  returned: when installed
  type: list
  elements: dict
images:
  description: Every version of every image, with its manifest and how many guests use it.
  returned: when installed
  type: list
  elements: dict
audit:
  description: What is there without an owner.
  returned: when installed and O(audit=true)
  type: dict
  sample: {"clean": true, "findings": []}
code:
  description: Why the host failed, as a word for programs.
  returned: failure
  type: str
  sample: xen_failed
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.xen.program import Program, XenError, program_spec


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={**program_spec(), "audit": {"type": "bool", "default": False}},
        supports_check_mode=True,
    )
    program = Program(module)
    result: dict[str, Any] = {"installed": program.installed}
    try:
        if program.installed:
            result["capacity"] = program.ask("capacity")
            result["guests"] = program.ask("list")["guests"]
            result["images"] = program.ask("images")["images"]
            if module.params["audit"]:
                found = program.ask("audit")
                result["audit"] = {key: found[key] for key in ("clean", "findings")}
    except XenError as error:
        module.fail_json(msg=error.message, code=error.code, **error.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
