#!/usr/bin/python
# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""Ansible module: a guest on a Xen host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: xen_guest
short_description: Make, revert and remove a guest on a Xen host
description:
  - Makes a guest as a clone of a golden image, with an SSH host key, machine-id and address of its own, and
    waits for its SSH server.
  - A guest is never changed. One that is there with another image, size or label is an error.
  - What fails leaves nothing behind.
author:
  - The xenci authors (@xenci)
extends_documentation_fragment:
  - xenci.stack.xen
  - xenci.stack.xen.attributes
options:
  name:
    description:
      - Name of the guest, which is its host name too.
    type: str
    required: true
  state:
    description:
      - With V(present) the guest is there; a dead one stays dead.
      - With V(running) one that is dead is started again.
      - With V(reverted) it is as it was when it was made, always as a change unless it is made just now. It
        keeps its address, SSH host keys and machine-id.
      - With V(absent) it is gone, and all that belonged to it but its console log.
    type: str
    choices: [present, running, reverted, absent]
    default: present
  image:
    description:
      - Name of its golden image. Required unless O(state=absent).
    type: str
  version:
    description:
      - Version of the image; a new guest gets the current one if this is not given.
    type: str
  type:
    description:
      - Kind of virtualisation. Some Xen hosts and images can't do all of them.
    type: str
    choices: [pv, pvh, hvm]
    default: pvh
  memory_mib:
    description:
      - Memory in MiB.
    type: int
    default: 512
  vcpus:
    description:
      - Number of virtual CPUs.
    type: int
    default: 1
  disk_mib:
    description:
      - Size of the disk in MiB, at least the image's. The file system on it is not made larger.
    type: int
  authorized_keys:
    description:
      - Public SSH keys that may log in. Required unless O(state=absent).
    type: list
    elements: str
  labels:
    description:
      - Words to find the guest by, which the host keeps and does nothing with.
    type: dict
    default: {}
  ssh_timeout:
    description:
      - Seconds to wait for the guest's SSH server, V(0) for not at all. The host's own limit if not given.
    type: int
"""

EXAMPLES = r"""
- name: A guest to try something in
  xenci.stack.xen_guest:
    name: try-1
    image: debian-12
    memory_mib: 1024
    authorized_keys: ["{{ lookup('file', '~/.ssh/id_ed25519.pub') }}"]

- name: Back to its clean state
  xenci.stack.xen_guest:
    name: try-1
    state: reverted
    image: debian-12
    memory_mib: 1024
    authorized_keys: ["{{ lookup('file', '~/.ssh/id_ed25519.pub') }}"]

- name: Gone
  xenci.stack.xen_guest:
    name: try-1
    state: absent
"""

RETURN = r"""
guest:
  description:
    - The guest afterwards; empty if it is gone. In check mode without what only the host knows, such as its
      address.
  returned: success
  type: dict
  sample:
    name: try-1
    state: running
    image: debian-12
    version: "20261126"
    type: pvh
    memory_mib: 1024
    vcpus: 1
    disk_mib: 1536
    mac: 00:16:3e:4d:00:22
    address: 10.77.0.34
    host_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUbU0sSPiYYEtWM8vJhVhDpa6FKVsLJkhKHZkPrVKGm]
    labels: {}
actions:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: str
  sample: ["create guest try-1"]
code:
  description: Why the host refused or failed, as a word for programs.
  returned: failure
  type: str
  sample: full
console:
  description: The end of the guest's console log.
  returned: when the guest died or stayed silent while it booted
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.xen.guests import plan_guest
from ansible_collections.xenci.stack.plugins.module_utils.xen.program import program_spec
from ansible_collections.xenci.stack.plugins.module_utils.xen.result import run


def main() -> None:
    """Run the module."""
    needs = ["image", "authorized_keys"]
    module = AnsibleModule(
        argument_spec={
            **program_spec(),
            "name": {"type": "str", "required": True},
            "state": {
                "type": "str",
                "choices": ["present", "running", "reverted", "absent"],
                "default": "present",
            },
            "image": {"type": "str"},
            "version": {"type": "str"},
            "type": {"type": "str", "choices": ["pv", "pvh", "hvm"], "default": "pvh"},
            "memory_mib": {"type": "int", "default": 512},
            "vcpus": {"type": "int", "default": 1},
            "disk_mib": {"type": "int"},
            # Public keys: nothing to hide.
            "authorized_keys": {"type": "list", "elements": "str", "no_log": False},
            "labels": {"type": "dict", "default": {}},
            "ssh_timeout": {"type": "int"},
        },
        required_if=[("state", state, needs) for state in ("present", "running", "reverted")],
        supports_check_mode=True,
    )
    run(module, plan_guest, returns="guest")


if __name__ == "__main__":
    main()
