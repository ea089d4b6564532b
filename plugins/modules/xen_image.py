#!/usr/bin/python
# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""Ansible module: a golden image on a Xen host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: xen_image
short_description: Import and remove golden images on a Xen host
description:
  - Copies a version of a golden image into the host's guest storage, read-only, after its checksums were
    compared, and makes it the current one, of which new guests are made.
  - Guests that run, and guests of other versions, are not touched.
author:
  - The xenci authors (@xenci)
extends_documentation_fragment:
  - xenci.stack.xen
  - xenci.stack.xen.attributes
options:
  name:
    description:
      - Name of the image.
    type: str
    required: true
  state:
    description:
      - Whether the version, or with V(absent) and no O(version) any version, is there. One that guests use
        can't be removed.
    type: str
    choices: [present, absent]
    default: present
  version:
    description:
      - Version of the image. One version never changes its content.
    type: str
  source:
    description:
      - Folder on the host with C(manifest.json), kernel, initrd and root disk, as role C(golden_image) makes
        it. Not needed where the version is there.
    type: path
  current:
    description:
      - Whether new guests are made of the version from now on. With V(false) it is there to be tried.
    type: bool
    default: true
  keep:
    description:
      - How many old versions to keep beside the current one and those that guests use. All, if not given.
    type: int
"""

EXAMPLES = r"""
- name: Guests are made of this image from now on
  xenci.stack.xen_image:
    name: debian-12
    version: "20261126"
    source: /var/lib/golden_image/debian-12/20261126
    keep: 1

- name: No more Debian 11
  xenci.stack.xen_image:
    name: debian-11
    state: absent
"""

RETURN = r"""
image:
  description: What the last action returned, or the versions if there was none.
  returned: success
  type: dict
  sample: {"name": "debian-12", "version": "20261126"}
actions:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: str
  sample: ["import image debian-12 20261126 from /var/lib/golden_image/debian-12/20261126"]
code:
  description: Why the host refused or failed, as a word for programs.
  returned: failure
  type: str
  sample: image_in_use
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.xen.images import plan_image
from ansible_collections.xenci.stack.plugins.module_utils.xen.program import program_spec
from ansible_collections.xenci.stack.plugins.module_utils.xen.result import run


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            **program_spec(),
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "version": {"type": "str"},
            "source": {"type": "path"},
            "current": {"type": "bool", "default": True},
            "keep": {"type": "int"},
        },
        required_if=[("state", "present", ["version"])],
        supports_check_mode=True,
    )
    run(module, plan_image, returns="image")


if __name__ == "__main__":
    main()
