#!/usr/bin/python
# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""Ansible module: the first commit of a Gerrit project."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gerrit_seed
short_description: Give an empty Gerrit project its first content
description:
  - Commits the files of a directory to a branch that has no content yet and pushes the commit with git over
    HTTP(S).
  - A branch with a file or with more than one commit is left alone, whatever the directory holds.
  - Files that a C(.gitignore) in the directory names are left out, and so is a C(.git); what is committed
    in a git work tree does not matter, only what lies there.
  - The same files make the same tree, message and Change-Id everywhere.
author:
  - The xenci authors (@xenci)
extends_documentation_fragment:
  - xenci.stack.gerrit
  - xenci.stack.gerrit.attributes
requirements:
  - git 2.31 or later where the module runs
options:
  project:
    description:
      - Name of the project. It must exist.
    type: str
    required: true
  directory:
    description:
      - Directory with the files, on the host where the module runs.
    type: path
    required: true
  branch:
    description:
      - Branch, without C(refs/heads/).
    type: str
    default: master
  commit_message:
    description:
      - Message of the commit. A Change-Id is added.
    type: str
    default: Initial import
  date:
    description:
      - Date of the commit, in a form that git reads.
    type: str
    default: '2024-01-01T00:00:00+00:00'
  author_name:
    description:
      - Name of author and committer. That of the account O(username) if not given.
    type: str
  author_email:
    description:
      - E-mail address of author and committer. That of the account O(username) if not given; another one
        needs the permissions C(forgeAuthor) and C(forgeCommitter).
    type: str
"""

EXAMPLES = r"""
- name: Give the project its first files
  xenci.stack.gerrit_seed:
    url: https://review.example.org
    username: admin
    password: "{{ vault_gerrit_admin_password }}"
    project: sandbox
    directory: "{{ playbook_dir }}/files/sandbox"
  delegate_to: localhost
"""

RETURN = r"""
seed:
  description: The branch afterwards.
  returned: success
  type: dict
  sample: {"project": "sandbox", "branch": "master", "revision": "6da3cfaa8b2e154599e7da611c8470b54bb86fd1"}
actions:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: str
  sample: ["seed sandbox master from /srv/sandbox"]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.client import Gerrit, connection_spec
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.result import Plan, run
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.seed import plan_seed


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **connection_spec(),
            "project": {"type": "str", "required": True},
            "directory": {"type": "path", "required": True},
            "branch": {"type": "str", "default": "master"},
            "commit_message": {"type": "str", "default": "Initial import"},
            "date": {"type": "str", "default": "2024-01-01T00:00:00+00:00"},
            "author_name": {"type": "str"},
            "author_email": {"type": "str"},
        },
        supports_check_mode=True,
    )

    def plan(gerrit: Gerrit, params: dict[str, Any], check_mode: bool) -> Plan:
        return plan_seed(gerrit, params, check_mode, module.run_command)

    run(module, plan, returns="seed")


if __name__ == "__main__":
    main()
