#!/usr/bin/python
# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""Ansible module: read how a tenant of a Zuul does."""

from __future__ import annotations

DOCUMENTATION = r"""
module: zuul_tenant_info
short_description: Read how a tenant of a Zuul does
description:
  - Reads event queues, pipelines, configuration errors, nodes and the last result of a tenant. Changes
    nothing.
author:
  - The xenci authors (@xenci)
extends_documentation_fragment:
  - xenci.stack.zuul
options:
  tenant:
    description:
      - Name of the tenant.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Read a tenant
  xenci.stack.zuul_tenant_info:
    url: https://zuul.example.org
    tenant: example
  register: tenant

- name: Its configuration loads and its events are handled
  ansible.builtin.assert:
    that:
      - tenant.loaded
      - tenant.config_errors | length == 0
      - tenant.events.trigger < 20
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
loaded:
  description: Whether the tenant has a layout. If not, nothing below is returned.
  returned: when it answered
  type: bool
zuul_version:
  description: Version of Zuul.
  returned: when the tenant is loaded
  type: str
  sample: 14.3.0
last_reconfigured:
  description: When the layout was loaded, in seconds since 1970.
  returned: when the tenant is loaded
  type: int
events:
  description:
    - How many events wait. C(trigger) are those that may enqueue something, C(management) what operators and
      reconfigurations want, C(result) what executors and launchers report, each of the tenant and its
      pipelines together; C(connections) are those of each connection that nobody has looked at yet.
    - C(paused) and C(discarding) tell whether an operator has stopped the tenant's triggers.
  returned: when the tenant is loaded
  type: dict
  sample: {"trigger": 0, "management": 0, "result": 0, "connections": {"gerrit": 0}, "paused": false,
    "discarding": false}
pipelines:
  description: Each pipeline, with the number of its items and when the oldest came, in seconds since 1970.
  returned: when the tenant is loaded
  type: list
  elements: dict
  sample: [{"name": "check", "items": 1, "oldest": 1769860800, "state": "normal"}]
config_errors:
  description:
    - What of the configuration does not load; the first fifty. C(severity) is V(error) or V(warning).
  returned: when the tenant is loaded
  type: list
  elements: dict
  sample: [{"project": "infra", "branch": "master", "path": "zuul.d/jobs.yaml", "severity": "error",
    "name": "Unknown Job", "message": "Job x not defined"}]
providers:
  description: Names of the providers of nodes.
  returned: when the tenant is loaded
  type: list
  elements: str
labels:
  description: Names of the labels of nodes.
  returned: when the tenant is loaded
  type: list
  elements: str
nodes:
  description: The nodes that there are now; C(since) is in seconds since 1970.
  returned: when the tenant is loaded
  type: list
  elements: dict
  sample: [{"id": "0a1b", "label": "debian-12", "provider": "static", "address": "192.0.2.7",
    "state": "in-use", "since": 1769860800}]
node_requests:
  description: Jobs that wait for nodes, or have just got them.
  returned: when the tenant is loaded
  type: list
  elements: dict
  sample: [{"job": "unit", "state": "requested", "labels": ["debian-12"], "requested": 1769860800}]
last_buildset:
  description: The last finished buildset; null where there is none. C(ended) is in seconds since 1970.
  returned: when the tenant is loaded
  type: dict
  sample: {"uuid": "0a1b", "pipeline": "check", "result": "SUCCESS", "project": "demo", "change": 7,
    "ended": 1769860800}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.zuul.client import connection_spec
from ansible_collections.xenci.stack.plugins.module_utils.zuul.info import run, tenant


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={**connection_spec(), "tenant": {"type": "str", "required": True}},
        supports_check_mode=True,
    )
    run(module, lambda zuul: tenant(zuul, module.params["tenant"]))


if __name__ == "__main__":
    main()
