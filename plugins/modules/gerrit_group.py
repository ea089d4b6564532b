#!/usr/bin/python
# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""Ansible module: a group of a Gerrit."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gerrit_group
short_description: Make and change a Gerrit group
description:
  - Makes a group and sets its description, owner, visibility, members and included groups.
  - What is not given stays as it is. A new group has exactly the members that are listed; Gerrit's habit of
    making its creator a member is undone.
  - Groups cannot be removed; Gerrit itself cannot do that.
author:
  - The xenci authors (@xenci)
extends_documentation_fragment:
  - xenci.stack.gerrit
  - xenci.stack.gerrit.attributes
options:
  name:
    description:
      - Name of the group. Upper and lower case count.
    type: str
    required: true
  description:
    description:
      - What the group is for.
    type: str
  owner:
    description:
      - Name of the group whose members may change this one. A new group owns itself.
    type: str
  visible_to_all:
    description:
      - Whether everybody may see the group and its members. A new group is hidden unless this is set.
    type: bool
  members:
    description:
      - Accounts that are in the group, by user name, e-mail address or number.
    type: list
    elements: str
  includes:
    description:
      - Groups, by name, whose members count as members of this one.
    type: list
    elements: str
  exclusive:
    description:
      - Whether members and included groups that are not listed are removed. An option that is not given
        removes nothing.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Make the group of the CI accounts
  xenci.stack.gerrit_group:
    url: https://review.example.org
    username: admin
    password: "{{ vault_gerrit_admin_password }}"
    name: Third-Party CI
    description: Accounts of third-party CIs
    visible_to_all: true
    owner: Administrators

- name: Bob and nobody else is a core reviewer
  xenci.stack.gerrit_group:
    url: https://review.example.org
    username: admin
    password: "{{ vault_gerrit_admin_password }}"
    name: xenci-core
    members: [bob]
    exclusive: true
"""

RETURN = r"""
group:
  description: The group afterwards. C(uuid) is missing where check mode foresees a new group.
  returned: success
  type: dict
  sample:
    name: xenci-core
    uuid: 7b8bbc43a7dd4a91e765b9afd4fe2557e6f85b6f
    description: core reviewers
    owner: xenci-core
    visible_to_all: true
    members: [bob]
    includes: []
actions:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: str
  sample: ["create the group xenci-core", "add the member bob"]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.client import connection_spec
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.groups import plan_group
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.result import run


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **connection_spec(),
            "name": {"type": "str", "required": True},
            "description": {"type": "str"},
            "owner": {"type": "str"},
            "visible_to_all": {"type": "bool"},
            "members": {"type": "list", "elements": "str"},
            "includes": {"type": "list", "elements": "str"},
            "exclusive": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    run(module, plan_group, returns="group")


if __name__ == "__main__":
    main()
