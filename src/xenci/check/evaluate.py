"""What Ansible's errors over values and rules mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleError, AnsibleUndefinedVariable

from xenci.check import undecided
from xenci.check.inventory import Inventory, message
from xenci.check.mistake import MADE, Mistake, meant
from xenci.check.origins import place

UNKNOWN_YET = "known when the hosts are up"
"""What an inventory says with `undef(hint=…)` of a value that its hosts bring."""


def elsewhere(error: AnsibleError, inventory: Inventory, whole: bool) -> bool:
    """Whether a part of a value is known to a host alone, lies in an unreadable file, or is still undecided.

    :param whole: the play gets all its inputs here; others get some on the command line.
    """
    if not isinstance(error, AnsibleUndefinedVariable):
        return False
    if not whole or undecided.HINT in str(error):
        return True
    name = undefined(error)
    if UNKNOWN_YET in str(error) or name == "ansible_facts" or name in inventory.facts:
        return True
    return bool((name or of_hosts(error)) and inventory.loader.failed)


def undefined(error: AnsibleError) -> str:
    """The variable that an error says is undefined."""
    found = re.search(r"'(\w+)' is undefined", str(error))
    return found[1] if found else ""


def of_hosts(error: AnsibleError) -> str:
    """The variable that an error says is lacking of one of the hosts that a template goes through."""
    found = re.search(r"'HostVarsVars' has no attribute '(\w+)'", str(error))
    return found[1] if found else ""


def mistakes(
    inventory: Inventory, error: AnsibleError, name: str, variables: Mapping[str, Any], host: str
) -> Iterator[Mistake]:
    """What an error over a value means: every host that lacks something, or one line of the inventory."""
    lacking = of_hosts(error)
    hosts = inventory.spoken_of(name, variables) if lacking else []
    found = [each for each in hosts if lacking not in inventory.of_host(each)]
    if found:
        yield from (inventory.lacking(each, lacking) for each in found)
    else:
        yield mistake(inventory, error, name, variables, host)


def mistake(
    inventory: Inventory, error: AnsibleError, name: str, variables: Mapping[str, Any], host: str
) -> Mistake:
    """An error over a value, at the line of the inventory that it comes from."""
    where = place(error.obj)
    if where is None or not inventory.mine(where.path):
        where = inventory.blame(name, variables, host) or inventory.top()
    missing = undefined(error)
    if not missing:
        return inventory.mistake(where, f"{name} can't be worked out", message(error), name, host)
    stem = missing.partition("_")[0]
    near = meant(missing, (known for known in variables if known.startswith(f"{stem}_")))
    if MADE.match(missing):
        encrypted = "" if missing.startswith("local_") else ", or add it to an encrypted file"
        fix = f"make it with xenci secrets init{encrypted}"
    else:
        fix = "define it, or correct the name"
    return inventory.mistake(
        where, f"{missing} is not defined", f"did you mean {near}?" if near else fix, name, host
    )
