#!/usr/bin/python
"""Ansible module of the base job: write down what a guest printed on its console, as its Xen host kept it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: guest_console
short_description: Write down what a Xen guest printed on its console
description:
  - Asks C(xenci-guest) on the Xen host, with a key that can do no more than that.
  - Works for a guest that is dead, too.
options:
  host: {description: Address of the Xen host., type: str, required: true}
  guest: {description: The guest's name there., type: str, required: true}
  directory: {description: Folder with C(id_ed25519) and C(known_hosts)., type: path, required: true}
  output: {description: File to write., type: path, required: true}
author: The xenci authors
"""

RETURN = """
death:
  description: Dom0's word on why the guest died, empty while it lives.
  type: str
  returned: success
  sample: crash
"""

SECONDS = 60
BYTES = 256 * 1024


def command(host: str, directory: str) -> list[str]:
    """Return ssh's command line: this key, known hosts, nothing of the user's own."""
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": f"{directory}/known_hosts",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "IdentityFile": f"{directory}/id_ed25519",
        "ConnectTimeout": "10",
        "User": "root",
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return ["ssh", "-F", "none", "-T", *words, "--", host, "xenci-guest"]


def main() -> None:
    """Ask, and write."""
    module = AnsibleModule(
        argument_spec={
            "host": {"type": "str", "required": True},
            "guest": {"type": "str", "required": True},
            "directory": {"type": "path", "required": True},
            "output": {"type": "path", "required": True},
        },
    )
    host, guest = module.params["host"], module.params["guest"]
    request = json.dumps({"operation": "console", "name": guest, "bytes": BYTES})
    try:
        done = subprocess.run(
            command(host, module.params["directory"]),
            input=request,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        reply = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        module.fail_json(msg=f"Xen host {host} gave no answer in {SECONDS} s")
    except ValueError:
        module.fail_json(msg=f"Xen host {host} gave no answer: {done.stderr.strip()[-300:]}")
    if not reply["ok"]:
        module.fail_json(msg=f"Xen host {host} refused: {reply['error']['message']}")
    state = f"dead, says dom0: {reply['death']}" if reply["death"] else "alive"
    heading = f"Guest {guest} on Xen host {host}, {state}. The end of its console:\n\n"
    Path(module.params["output"]).write_text(heading + reply["console"], encoding="utf-8")
    module.exit_json(changed=True, death=reply["death"])


if __name__ == "__main__":
    main()
