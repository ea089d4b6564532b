#!/usr/bin/python
# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""Ansible module: take a Xen host out of service, and bring it back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: xen_host
short_description: Take a Xen host out of service, and bring it back
description:
  - A host that is drained makes no more guests; those that are there stay until their builds end.
author:
  - The xenci authors (@xenci)
extends_documentation_fragment:
  - xenci.stack.xen
  - xenci.stack.xen.attributes
options:
  state:
    description:
      - Whether guests may be made.
    type: str
    choices: [in_service, drained]
    default: in_service
  reason:
    description:
      - Why not, for whoever looks. Required if O(state=drained).
    type: str
"""

EXAMPLES = r"""
- name: No more guests
  xenci.stack.xen_host:
    state: drained
    reason: a new disk

- name: Guests again
  xenci.stack.xen_host:
    state: in_service
"""

RETURN = r"""
host:
  description: Why the host takes no guests (C(drained)); empty if it does.
  returned: success
  type: dict
  sample: {"drained": "a new disk"}
actions:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: str
  sample: ["drain the host"]
code:
  description: Why the host refused or failed, as a word for programs.
  returned: failure
  type: str
  sample: bad_request
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.xen.host import plan_host
from ansible_collections.xenci.stack.plugins.module_utils.xen.program import program_spec
from ansible_collections.xenci.stack.plugins.module_utils.xen.result import run


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **program_spec(),
            "state": {"type": "str", "choices": ["in_service", "drained"], "default": "in_service"},
            "reason": {"type": "str"},
        },
        required_if=[("state", "drained", ["reason"])],
        supports_check_mode=True,
    )
    run(module, plan_host, returns="host")


if __name__ == "__main__":
    main()
