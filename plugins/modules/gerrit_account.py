#!/usr/bin/python
# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""Ansible module: an account of a Gerrit."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gerrit_account
short_description: Make and change a Gerrit account
description:
  - Makes an account and sets its name, e-mail address, SSH keys, HTTP password and groups.
  - What is not given stays as it is. Accounts cannot be removed; set O(active=false) instead.
  - A password that is set really ends the one before. From Gerrit 3.13 on a password is one of several
    tokens and setting it alone leaves the others good; this module ends them, then proves by login that the
    new one opens the account and that those of O(ended_passwords) do not.
author:
  - The xenci authors (@xenci)
extends_documentation_fragment:
  - xenci.stack.gerrit
  - xenci.stack.gerrit.attributes
options:
  name:
    description:
      - User name of the account. An account that has none can be given by its number.
    type: str
    required: true
  full_name:
    description:
      - Name of the person or service.
    type: str
  email:
    description:
      - Preferred e-mail address. It is set without asking its owner. Other addresses stay.
    type: str
  active:
    description:
      - Whether the account can be used.
    type: bool
    default: true
  ssh_keys:
    description:
      - Public keys, each as the one line of a C(.pub) file.
    type: list
    elements: str
  ssh_keys_exclusive:
    description:
      - Whether keys that are not listed in O(ssh_keys) are removed.
    type: bool
    default: true
  http_password:
    description:
      - HTTP password of the account, for REST and for git over HTTPS.
      - Gerrit tells no passwords, so whether this one is set already is found out by logging in with it.
      - When the account is the one of O(username), this password is tried before O(password), so that a
        task that sets its own password can be run again.
    type: str
  update_password:
    description:
      - Whether the password is set whenever the login with it fails, or only when the account is made.
    type: str
    choices: [always, on_create]
    default: always
  exclusive_password:
    description:
      - Whether tokens other than the password are ended (Gerrit 3.13 and later). Turn it off for people who
        make tokens of their own; then a password that was set when the account was made stays good beside
        the new one.
    type: bool
    default: true
  ended_passwords:
    description:
      - Secrets that must not open the account any more, such as the one before, or C(secret) of a server
        that was initialised with C(--dev).
      - If one of them works, the password is set anew. If it still works then, the module fails.
    type: list
    elements: str
    default: []
  groups:
    description:
      - Groups that the account is in. Membership of other groups stays; see M(xenci.stack.gerrit_group) for
        groups that shall have no other members.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: The account of the CI
  xenci.stack.gerrit_account:
    url: https://review.example.org
    username: admin
    password: "{{ vault_gerrit_admin_password }}"
    name: xen-ci
    full_name: Example Xen CI
    email: xen-ci@example.org
    ssh_keys:
      - "{{ lookup('ansible.builtin.file', 'keys/xen-ci.pub') }}"
    http_password: "{{ vault_gerrit_xen_ci_password }}"
    groups:
      - Service Users
      - Third-Party CI

- name: End the password that a development server starts with
  xenci.stack.gerrit_account:
    url: https://review.example.org
    username: admin
    password: secret
    name: admin
    http_password: "{{ vault_gerrit_admin_password }}"
    ended_passwords: [secret]
"""

RETURN = r"""
account:
  description: The account afterwards; C(ssh_keys) and C(groups) only where they were given. Never a secret.
  returned: success
  type: dict
  sample:
    name: xen-ci
    full_name: Example Xen CI
    email: xen-ci@example.org
    active: true
    ssh_keys: ["ssh-ed25519 AAAA... xen-ci@example.org"]
    groups: [Service Users, Third-Party CI]
actions:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: str
  sample: ["set the HTTP password (the wanted one is refused)"]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.accounts import plan_account
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.client import connection_spec
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.result import run


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **connection_spec(),
            "name": {"type": "str", "required": True},
            "full_name": {"type": "str"},
            "email": {"type": "str"},
            "active": {"type": "bool", "default": True},
            "ssh_keys": {"type": "list", "elements": "str", "no_log": False},
            "ssh_keys_exclusive": {"type": "bool", "default": True, "no_log": False},
            "http_password": {"type": "str", "no_log": True},
            "update_password": {
                "type": "str",
                "choices": ["always", "on_create"],
                "default": "always",
                "no_log": False,
            },
            "exclusive_password": {"type": "bool", "default": True, "no_log": False},
            "ended_passwords": {"type": "list", "elements": "str", "default": [], "no_log": True},
            "groups": {"type": "list", "elements": "str"},
        },
        supports_check_mode=True,
    )
    run(module, plan_account, returns="account")


if __name__ == "__main__":
    main()
