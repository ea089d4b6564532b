#!/usr/bin/python
# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""Ansible module: a project of a Gerrit."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gerrit_project
short_description: Make and change a Gerrit project
description:
  - Makes a project and sets its parent, description, settings, labels, submit requirements and branches.
  - What is not given stays as it is. Projects cannot be removed; Gerrit itself cannot do that without a
    plugin. Set O(project_state=read_only) or O(project_state=hidden) instead.
author:
  - The xenci authors (@xenci)
extends_documentation_fragment:
  - xenci.stack.gerrit
  - xenci.stack.gerrit.attributes
options:
  name:
    description:
      - Name of the project, for example V(openstack/nova). V(All-Projects) is where labels and submit
        requirements of all projects belong.
    type: str
    required: true
  parent:
    description:
      - Project whose rules, labels and settings this one inherits. A new one inherits from C(All-Projects).
    type: str
  description:
    description:
      - What the project is.
    type: str
  project_state:
    description:
      - Whether the project can be changed, only read, or only be seen by its owners.
    type: str
    choices: [active, read_only, hidden]
  create_empty_commit:
    description:
      - Whether a new project starts with an empty commit on its branches, so that changes can be proposed
        at once.
    type: bool
    default: true
  permissions_only:
    description:
      - Whether a new project only holds rules for others to inherit and no code.
    type: bool
    default: false
  branches:
    description:
      - Branches that exist. Without O(branches[].revision) the first one is HEAD of a new project.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name, without C(refs/heads/).
        type: str
        required: true
      revision:
        description:
          - Branch, tag or commit from which it is made if it is missing. HEAD if not given.
        type: str
  head:
    description:
      - Branch that is HEAD.
    type: str
  config:
    description:
      - Settings of the project by Gerrit's own names. V(inherit) takes the parent's.
    type: dict
    suboptions:
      submit_type:
        description: How a change is brought into its branch.
        type: str
        choices:
          - inherit
          - merge_if_necessary
          - fast_forward_only
          - rebase_if_necessary
          - rebase_always
          - merge_always
          - cherry_pick
      max_object_size_limit:
        description: Largest object that can be pushed, for example V(10m). An empty string removes it.
        type: str
      require_change_id:
        description: Whether a commit needs a Change-Id.
        type: str
        choices: ['inherit', 'true', 'false']
      use_content_merge:
        description: Whether files that both sides changed are merged.
        type: str
        choices: ['inherit', 'true', 'false']
      use_contributor_agreements:
        description: Whether a contributor agreement is needed.
        type: str
        choices: ['inherit', 'true', 'false']
      use_signed_off_by:
        description: Whether a commit needs a C(Signed-off-by) line.
        type: str
        choices: ['inherit', 'true', 'false']
      create_new_change_for_all_not_in_target:
        description: Whether every commit that is not in the target branch becomes a change.
        type: str
        choices: ['inherit', 'true', 'false']
      reject_implicit_merges:
        description: Whether a push is refused that would merge another branch along the way.
        type: str
        choices: ['inherit', 'true', 'false']
      reject_empty_commit:
        description: Whether commits that change nothing are refused.
        type: str
        choices: ['inherit', 'true', 'false']
      private_by_default:
        description: Whether new changes are private.
        type: str
        choices: ['inherit', 'true', 'false']
      work_in_progress_by_default:
        description: Whether new changes are work in progress.
        type: str
        choices: ['inherit', 'true', 'false']
      enable_reviewer_by_email:
        description: Whether people without an account can be reviewers.
        type: str
        choices: ['inherit', 'true', 'false']
      match_author_to_committer_date:
        description: Whether the author's date is set to the committer's on submit.
        type: str
        choices: ['inherit', 'true', 'false']
      skip_adding_author_and_committer_as_reviewers:
        description: Whether author and committer are left out of the reviewers.
        type: str
        choices: ['inherit', 'true', 'false']
      enable_signed_push:
        description: Whether pushes can be signed.
        type: str
        choices: ['inherit', 'true', 'false']
      require_signed_push:
        description: Whether pushes must be signed.
        type: str
        choices: ['inherit', 'true', 'false']
  labels:
    description:
      - Labels that the project defines for itself and its children. Others stay.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the label, for example V(Verified).
        type: str
        required: true
      state:
        description: Whether the label is there.
        type: str
        choices: [present, absent]
        default: present
      description:
        description: What the label is for.
        type: str
      values:
        description:
          - Votes and what they mean, by number, as in the example below. Needed for a new label.
        type: dict
      default_value:
        description: The vote that no vote stands for.
        type: int
      function:
        description: Only V(NoBlock) and its like are left; use submit requirements to block.
        type: str
        choices: [NoBlock, NoOp, PatchSetLock]
      copy_condition:
        description:
          - Query that says when votes are kept for the next patch set, for example
            V(changekind:NO_CODE_CHANGE). An empty string removes it.
        type: str
      allow_post_submit:
        description: Whether one can vote on merged changes.
        type: bool
      can_override:
        description: Whether children can define the label in another way.
        type: bool
      branches:
        description: Refs for which the label exists. All if empty.
        type: list
        elements: str
  submit_requirements:
    description:
      - Submit requirements that the project defines for itself and its children. Others stay.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the submit requirement.
        type: str
        required: true
      state:
        description: Whether it is there.
        type: str
        choices: [present, absent]
        default: present
      description:
        description: What it asks for.
        type: str
      submittability_expression:
        description: Query that a change must match to be submitted. Needed for a new one.
        type: str
      applicability_expression:
        description: Query for the changes that it is about. All if empty.
        type: str
      override_expression:
        description: Query for changes that need not fulfil it. None if empty.
        type: str
      allow_override_in_child_projects:
        description: Whether children can define it in another way.
        type: bool
"""

EXAMPLES = r"""
- name: A label for CIs, and no merge without it
  xenci.stack.gerrit_project:
    url: https://review.example.org
    username: admin
    password: "{{ vault_gerrit_admin_password }}"
    name: All-Projects
    labels:
      - name: Verified
        description: A CI built and tested it
        values: {-1: Fails, 0: No score, 1: Verified}
        copy_condition: changekind:NO_CODE_CHANGE
    submit_requirements:
      - name: Verified
        submittability_expression: label:Verified=MAX AND -label:Verified=MIN
        allow_override_in_child_projects: true

- name: A project
  xenci.stack.gerrit_project:
    url: https://review.example.org
    username: admin
    password: "{{ vault_gerrit_admin_password }}"
    name: hypervisor-tools
    description: Tools under test
    config:
      submit_type: rebase_if_necessary
      require_change_id: true
    branches:
      - name: master
      - name: stable
"""

RETURN = r"""
project:
  description: The project afterwards. C(config) holds what the project itself sets, C(branches) commits by
    name.
  returned: success
  type: dict
  sample:
    name: hypervisor-tools
    parent: All-Projects
    description: Tools under test
    project_state: active
    head: refs/heads/master
    config: {submit_type: rebase_if_necessary, require_change_id: "true"}
    labels: {}
    submit_requirements: {}
    branches: {master: 6da3cfaa8b2e154599e7da611c8470b54bb86fd1}
actions:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: str
  sample: ["create the project hypervisor-tools below All-Projects"]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.client import connection_spec
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.projects import SWITCHES, plan_project
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.result import run


def main() -> None:
    """Run the module."""
    config = {
        "submit_type": {
            "type": "str",
            "choices": [
                "inherit",
                "merge_if_necessary",
                "fast_forward_only",
                "rebase_if_necessary",
                "rebase_always",
                "merge_always",
                "cherry_pick",
            ],
        },
        "max_object_size_limit": {"type": "str"},
        **{name: {"type": "str", "choices": ["inherit", "true", "false"]} for name in SWITCHES},
    }
    label = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "description": {"type": "str"},
        "values": {"type": "dict"},
        "default_value": {"type": "int"},
        "function": {"type": "str", "choices": ["NoBlock", "NoOp", "PatchSetLock"]},
        "copy_condition": {"type": "str"},
        "allow_post_submit": {"type": "bool"},
        "can_override": {"type": "bool"},
        "branches": {"type": "list", "elements": "str"},
    }
    requirement = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "description": {"type": "str"},
        "submittability_expression": {"type": "str"},
        "applicability_expression": {"type": "str"},
        "override_expression": {"type": "str"},
        "allow_override_in_child_projects": {"type": "bool"},
    }
    branch = {"name": {"type": "str", "required": True}, "revision": {"type": "str"}}
    module = AnsibleModule(
        argument_spec={
            **connection_spec(),
            "name": {"type": "str", "required": True},
            "parent": {"type": "str"},
            "description": {"type": "str"},
            "project_state": {"type": "str", "choices": ["active", "read_only", "hidden"]},
            "create_empty_commit": {"type": "bool", "default": True},
            "permissions_only": {"type": "bool", "default": False},
            "branches": {"type": "list", "elements": "dict", "options": branch},
            "head": {"type": "str"},
            "config": {"type": "dict", "options": config},
            "labels": {"type": "list", "elements": "dict", "options": label},
            "submit_requirements": {"type": "list", "elements": "dict", "options": requirement},
        },
        supports_check_mode=True,
    )
    run(module, plan_project, returns="project")


if __name__ == "__main__":
    main()
