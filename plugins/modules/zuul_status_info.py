#!/usr/bin/python
# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""Ansible module: read which services a Zuul has."""

from __future__ import annotations

DOCUMENTATION = r"""
module: zuul_status_info
short_description: Read which services and tenants a Zuul has
description:
  - Reads the services that have made themselves known to a Zuul, and its tenants. Changes nothing.
author:
  - The xenci authors (@xenci)
extends_documentation_fragment:
  - xenci.stack.zuul
"""

EXAMPLES = r"""
- name: Read Zuul's services
  xenci.stack.zuul_status_info:
    url: https://zuul.example.org
  register: zuul

- name: Two executors are at work
  ansible.builtin.assert:
    that: zuul.components.executor | selectattr('state', 'eq', 'running') | length == 2
"""

RETURN = r"""
reachable:
  description: Whether the server answered.
  returned: success
  type: bool
reason:
  description: Why it did not.
  returned: when it did not answer
  type: str
components:
  description:
    - The services that are up, by kind. One that was killed stays for as long as its session with ZooKeeper,
      which is less than a minute.
  returned: when it answered
  type: dict
  sample: {"executor": [{"hostname": "executor.example.org", "state": "running", "version": "14.3.0"}]}
tenants:
  description: Names of the tenants whose configuration is loaded.
  returned: when it answered
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.zuul.client import connection_spec
from ansible_collections.xenci.stack.plugins.module_utils.zuul.info import run, status


def main() -> None:
    """Run the module."""
    run(AnsibleModule(argument_spec=connection_spec(), supports_check_mode=True), status)


if __name__ == "__main__":
    main()
