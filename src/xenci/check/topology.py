"""Groups: those that are misspelt, and variables for groups and hosts that are not there.

Which groups a site needs, and what must not share a host, are rules of the role `site`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from xenci.check.inventory import Inventory, owners
from xenci.check.mistake import Mistake, Place, meant


def check(inventory: Inventory, root: Path) -> Iterator[Mistake]:
    """Names of groups, and of files of variables."""
    known = known_groups(root)
    groups = set(map(str, inventory.manager.groups))
    for name in sorted(groups - known - {"all", "ungrouped"}):
        if (near := meant(name, known)) and near not in groups:
            yield Mistake(
                inventory.group_place(name),
                "",
                f"no playbook knows the group {name}",
                f"did you mean {near}?",
            )
    for top in inventory.tops:
        for kind, there in (("group_vars", groups), ("host_vars", set(inventory.hosts))):
            for owner in owners(top / kind):
                if owner not in there and (kind == "host_vars" or owner not in known):
                    near = meant(owner, there | (known if kind == "group_vars" else set()))
                    what = f"the inventory has no {kind.removesuffix('_vars')} {owner}"
                    fix = f"did you mean {near}?" if near else f"rename or remove {kind}/{owner}"
                    yield Mistake(first_file(top / kind, owner), "", what, fix)


def known_groups(root: Path) -> set[str]:
    """Groups that the playbooks speak of."""
    found = {"disabled"}
    for path in root.glob("playbooks/*.yml"):
        text = path.read_text(encoding="utf-8")
        for hosts in re.findall(r"^\s*hosts: ([\w:!]+)$", text, re.MULTILINE):
            found |= {name for name in hosts.split(":") if not name.startswith("!")}
        found |= set(re.findall(r"groups\[['\"](\w+)['\"]\]", text))
    return found - {"all", "localhost"}


def addressed_groups(root: Path) -> set[str]:
    """Groups whose hosts the playbooks name by address, to firewalls and the like."""
    groups = known_groups(root)
    found = set()
    for path in root.glob("playbooks/configure_*.yml"):
        for text in texts(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)):
            if re.search(r"hostvars, 'ansible_host'|hostvars\[host\]\.ansible_host(?! \| default)", text):
                found |= groups & set(re.findall(r"'(\w+)'", text))
    return found


def texts(value: object) -> Iterator[str]:
    """All texts in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


def first_file(directory: Path, owner: str) -> Place:
    """A file that holds the variables of a group or host."""
    files = [path for path in sorted(directory.glob(f"{owner}*/**/*")) if path.is_file()]
    files += [path for path in sorted(directory.glob(f"{owner}.*")) if path.is_file()]
    return Place(str(files[0] if files else directory / owner))
