#!/usr/bin/python
# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""Ansible module: a bridge over the network card that this very connection comes through."""

from __future__ import annotations

DOCUMENTATION = r"""
module: xen_bridge
short_description: Make a bridge over a network card without losing the connection
description:
  - Moves the address of a network card, and all that C(/etc/network/interfaces) says of it, to a bridge with
    the card as its port, so that guests share the network with the host.
  - The change is one step on the host and needs no connection. Where the gateway does not answer afterwards
    the host takes it back at once, and where nobody stops the timer C(xenci-bridge-revert.timer), after
    O(revert_seconds).
  - A bridge of that name over the card is taken as it is, whoever made it.
author:
  - The xenci authors (@xenci)
extends_documentation_fragment:
  - xenci.stack.xen.attributes
options:
  name:
    description:
      - Name of the bridge.
    type: str
    required: true
  port:
    description:
      - The network card. The one with the default route, if not given.
    type: str
  revert_seconds:
    description:
      - When the host takes the change back if the timer is not stopped.
    type: int
    default: 180
notes:
  - Needs ifupdown and bridge-utils.
"""

EXAMPLES = r"""
- name: Put the bridge over the network card
  xenci.stack.xen_bridge:
    name: xenbr0
  register: bridged

- name: Come back over a new connection
  ansible.builtin.meta: reset_connection

- name: Keep it
  ansible.builtin.systemd_service:
    name: xenci-bridge-revert.timer
    state: stopped
  when: bridged is changed
"""

RETURN = r"""
port:
  description: The network card.
  returned: success
  type: str
  sample: enp1s0
files:
  description: The files that changed, or in check mode would.
  returned: success
  type: list
  elements: str
  sample: [/etc/network/interfaces]
"""

import json
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.xen.bridge import BridgeError, plan, script

NETWORK = Path("/etc/network")
FOLDER = Path("/var/lib/xenci-bridge")
UNIT = "xenci-bridge-revert"


def default_port(module: AnsibleModule) -> str:
    """The interface of the default route; fails where there is none, or two."""
    output = module.run_command(["ip", "-json", "-4", "route", "show", "default"], check_rc=True)[1]
    found = sorted({route["dev"] for route in json.loads(output or "[]") if "dev" in route})
    if len(found) != 1:
        module.fail_json(
            msg=f"default routes go over {found or 'no interface'}: name the network card in port"
        )
    return str(found[0])


def change(module: AnsibleModule, port: str, new: dict[str, str], old: dict[str, str]) -> None:
    """Make it so, with the way back prepared; returns when the gateway answers, fails when it does not."""
    for version, contents in (("old", old), ("new", new)):
        (FOLDER / version).mkdir(parents=True, exist_ok=True)
        for number, path in enumerate(new):
            (FOLDER / version / str(number)).write_text(contents[path], encoding="utf-8")
    program = FOLDER / "bridge"
    program.write_text(script(port, module.params["name"], str(FOLDER), new), encoding="utf-8")
    program.chmod(0o700)
    timer = [f"--unit={UNIT}", f"--on-active={module.params['revert_seconds']}", str(program), "revert"]
    module.run_command(["systemd-run", *timer], check_rc=True)
    # A unit of its own: it goes on where this process ends with its connection.
    result = module.run_command(
        ["systemd-run", "--collect", "--wait", "--unit=xenci-bridge", str(program), "apply"]
    )
    if result[0]:
        module.run_command(["systemctl", "stop", f"{UNIT}.timer"], check_rc=True)
        said = module.run_command(["journalctl", "--unit=xenci-bridge", "--lines=20", "--output=cat"])[1]
        module.fail_json(
            msg=f"{port} is as it was: over the bridge the gateway does not answer: {said or result[2]}"
        )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "port": {"type": "str"},
            "revert_seconds": {"type": "int", "default": 180},
        },
        supports_check_mode=True,
    )
    bridge = module.params["name"]
    ports = Path("/sys/class/net") / bridge / "brif"
    if ports.is_dir():
        there = sorted(entry.name for entry in ports.iterdir() if not entry.name.startswith("vif"))
        port = module.params["port"] or next(iter(there), "")
        if port not in there:
            module.fail_json(
                msg=f"{bridge} is there without {port or 'a network card'}: add it, or give another name"
            )
        module.exit_json(changed=False, port=port, files=[])
    port = module.params["port"] or default_port(module)
    card = Path("/sys/class/net") / port
    if not card.is_dir() or (card / "bridge").is_dir():
        what = "is a bridge itself" if card.is_dir() else "is not there"
        module.fail_json(msg=f"{port} {what}: name the network card in port, or that bridge in name")
    files = [NETWORK / "interfaces", *sorted((NETWORK / "interfaces.d").glob("*"))]
    old = {str(path): path.read_text(encoding="utf-8") for path in files if path.is_file()}
    try:
        new = plan(old, port, bridge, (card / "address").read_text(encoding="ascii").strip())
    except BridgeError as error:
        module.fail_json(msg=str(error))
    diff = [
        {"before_header": path, "after_header": path, "before": old[path], "after": text}
        for path, text in new.items()
    ]
    if not module.check_mode:
        change(module, port, new, old)
    module.exit_json(changed=True, port=port, files=list(new), diff=diff)


if __name__ == "__main__":
    main()
