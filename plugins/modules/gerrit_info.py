#!/usr/bin/python
# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""Ansible module: read a Gerrit."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gerrit_info
short_description: Read what a Gerrit has
description:
  - Reads version, projects, groups and accounts of a Gerrit. Changes nothing.
  - With O(wait) it is also how one waits for a Gerrit that was just started.
author:
  - The xenci authors (@xenci)
extends_documentation_fragment:
  - xenci.stack.gerrit
attributes:
  check_mode:
    description: Can run in check mode and tell what would change, without changing anything.
    support: full
  diff_mode:
    description: Will tell what changed, or in check mode what would change.
    support: none
    details: Nothing ever changes.
options:
  wait:
    description:
      - Seconds to wait for the server to answer, asking once a second. The version is asked for without a
        login.
    type: int
    default: 0
  must_answer:
    description:
      - Whether a server that does not answer is an error. If not, RV(reachable) tells, for example in check
        mode on a host where no Gerrit is installed yet.
    type: bool
    default: true
  projects:
    description:
      - Names of projects to read, V(*) for a list of all of them without details.
    type: list
    elements: str
    default: []
  groups:
    description:
      - Names of groups to read.
    type: list
    elements: str
    default: []
  accounts:
    description:
      - Accounts to read, by user name, e-mail address or number.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Wait until Gerrit answers
  xenci.stack.gerrit_info:
    url: https://review.example.org
    username: admin
    password: "{{ vault_gerrit_admin_password }}"
    wait: 120

- name: Read a project with its rules
  xenci.stack.gerrit_info:
    url: https://review.example.org
    username: admin
    password: "{{ vault_gerrit_admin_password }}"
    projects: [hypervisor-tools]
  register: gerrit
"""

RETURN = r"""
reachable:
  description: Whether the server answered.
  returned: success
  type: bool
version:
  description: Version of the server.
  returned: when it answered
  type: str
  sample: 3.13.8
all_projects:
  description: Names of all projects that the account can see.
  returned: when it answered and V(*) is among O(projects)
  type: list
  elements: str
projects:
  description: Each project that was asked for and exists, as M(xenci.stack.gerrit_project) returns it, with
    its rules
    in C(access) as M(xenci.stack.gerrit_access) returns them.
  returned: when it answered
  type: dict
groups:
  description: Each group that was asked for and exists, as M(xenci.stack.gerrit_group) returns it.
  returned: when it answered
  type: dict
accounts:
  description: Each account that was asked for and exists.
  returned: when it answered
  type: dict
  sample: {"xen-ci": {"number": 1000001, "name": "xen-ci", "full_name": "Example Xen CI", "email": "",
    "active": true}}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.client import (
    Gerrit,
    GerritError,
    connection_spec,
)
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.info import read


def main() -> None:
    """Run the module."""
    names = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(
        argument_spec={
            **connection_spec(),
            "wait": {"type": "int", "default": 0},
            "must_answer": {"type": "bool", "default": True},
            "projects": names,
            "groups": names,
            "accounts": names,
        },
        supports_check_mode=True,
    )
    result: dict[str, Any] = {}
    try:
        result = read(Gerrit.from_params(module.params), module.params)
    except GerritError as error:
        module.fail_json(msg=error.message, status=error.status)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
