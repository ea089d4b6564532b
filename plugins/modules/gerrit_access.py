#!/usr/bin/python
# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""Ansible module: rules of access of a Gerrit project."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gerrit_access
short_description: Set the access rules of a Gerrit project
description:
  - Adds, changes and removes access rules of a project, by ref, permission and group, in one commit.
  - Rules that other projects pass on by inheritance are not touched and not shown.
  - Refuses what Gerrit would silently accept without effect, a rule for a label or a vote that does not
    exist.
author:
  - The xenci authors (@xenci)
extends_documentation_fragment:
  - xenci.stack.gerrit
  - xenci.stack.gerrit.attributes
options:
  project:
    description:
      - Project whose rules are meant. What stands on V(All-Projects) holds for every project.
    type: str
    default: All-Projects
  rules:
    description:
      - The rules.
    type: list
    elements: dict
    required: true
    suboptions:
      ref:
        description:
          - Ref or pattern of refs, for example V(refs/heads/*), or V(GLOBAL_CAPABILITIES).
        type: str
        required: true
      permission:
        description:
          - Permission or capability by Gerrit's own name, for example V(read), V(push), V(submit),
            V(label-Verified), V(streamEvents).
          - Only with O(state=absent) it can be left out, which means every permission of the ref.
        type: str
      group:
        description:
          - Name or UUID of the group.
          - Only with O(state=absent) it can be left out, which means every group.
        type: str
      action:
        description:
          - What the rule says. V(batch) and V(interactive) belong to the capability C(priority).
        type: str
        choices: [allow, deny, block, batch, interactive]
        default: allow
      force:
        description:
          - Whether the rule includes force, such as pushing without fast-forward.
        type: bool
        default: false
      min:
        description:
          - Lowest vote of a label, or lowest value of a capability such as C(queryLimit).
        type: int
      max:
        description:
          - Highest vote or value.
        type: int
      exclusive:
        description:
          - Whether the permission's rules on this ref replace those of less specific refs. It belongs to the
            permission as a whole; left out, it stays as it is.
        type: bool
  state:
    description:
      - V(present) makes these rules and leaves all others.
      - V(absent) removes the rules of these groups, whatever they say.
      - V(exact) makes these rules the only ones within O(exact_scope).
    type: str
    choices: [present, absent, exact]
    default: present
  exact_scope:
    description:
      - How far O(state=exact) reaches. V(permission) is every permission that a rule names, V(ref) every
        permission of the refs that the rules name, V(project) everything that the project itself sets.
      - V(project) on V(All-Projects) can shut everybody out, administrators too, when a rule is missing.
    type: str
    choices: [permission, ref, project]
    default: permission
"""

EXAMPLES = r"""
- name: Let the CI vote
  xenci.stack.gerrit_access:
    url: https://review.example.org
    username: admin
    password: "{{ vault_gerrit_admin_password }}"
    rules:
      - ref: refs/heads/*
        permission: label-Verified
        group: Third-Party CI
        min: -1
        max: 1

- name: Only the core reviewers submit, whatever was there before
  xenci.stack.gerrit_access:
    url: https://review.example.org
    username: admin
    password: "{{ vault_gerrit_admin_password }}"
    project: hypervisor-tools
    state: exact
    rules:
      - {ref: refs/heads/*, permission: submit, group: tools-core, exclusive: true}

- name: Nobody has rules of their own on the old branches
  xenci.stack.gerrit_access:
    url: https://review.example.org
    username: admin
    password: "{{ vault_gerrit_admin_password }}"
    project: hypervisor-tools
    state: absent
    rules:
      - ref: refs/heads/old/*
"""

RETURN = r"""
access:
  description: The rules that the project itself has afterwards, by ref, permission and group.
  returned: success
  type: dict
  sample: {"refs/heads/*": {"label-Verified": {"rules": {"Third-Party CI": "allow -1..+1"}}}}
actions:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: str
  sample: ["change the rules for label-Verified on refs/heads/*"]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.access import plan_access
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.client import connection_spec
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.result import run


def main() -> None:
    """Run the module."""
    rule = {
        "ref": {"type": "str", "required": True},
        "permission": {"type": "str"},
        "group": {"type": "str"},
        "action": {
            "type": "str",
            "choices": ["allow", "deny", "block", "batch", "interactive"],
            "default": "allow",
        },
        "force": {"type": "bool", "default": False},
        "min": {"type": "int"},
        "max": {"type": "int"},
        "exclusive": {"type": "bool"},
    }
    module = AnsibleModule(
        argument_spec={
            **connection_spec(),
            "project": {"type": "str", "default": "All-Projects"},
            "rules": {"type": "list", "elements": "dict", "required": True, "options": rule},
            "state": {"type": "str", "choices": ["present", "absent", "exact"], "default": "present"},
            "exact_scope": {
                "type": "str",
                "choices": ["permission", "ref", "project"],
                "default": "permission",
            },
        },
        supports_check_mode=True,
    )
    run(module, plan_access, returns="access")


if __name__ == "__main__":
    main()
