"""The inventory that the demo's `infra` holds: both halves of the lab's in one, as an operator has it."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from xenci.demo import hosts
from xenci.demo.lab import Lab
from xenci.files import write

HERE = ("lab_hosts_directory", "site_checkout")
"""Paths on this machine: elsewhere they follow from where the playbooks lie."""
OWN = "group_vars/all/zz_lab.yml"
"""What differs between labs, in the copy."""


def copy(lab: Lab, target: Path) -> None:
    """Make `target` the lab's inventory. Secrets stay encrypted; hosts must be up, for their keys."""
    shutil.copytree(lab.root / "inventories/demo", target)
    for path in sorted(lab.inventory.glob("*.yml")):
        shutil.copy(path, target / (path.name if path.name != "hosts.yml" else "lab.yml"))
    for path in sorted(lab.inventory.glob("group_vars/*/*.yml")):
        # Of two files in a folder the later one outranks the other.
        name = path.name if path.name == "vault.yml" else f"zz_{path.name}"
        folder = target / "group_vars" / path.parent.name
        folder.mkdir(exist_ok=True)
        shutil.copy(path, folder / name)
    values = yaml.safe_load((target / OWN).read_text(encoding="utf-8"))
    _own(target, {name: value for name, value in values.items() if name not in HERE})
    known = {
        name: {"site_host_key": host_key(lab, address)} for name, address in hosts.addresses(lab).items()
    }
    text = yaml.safe_dump({"all": {"hosts": known}}, width=1000)
    write(target / "keys.yml", f"---\n# The hosts' SSH keys.\n{text}", 0o644)


def pin(target: Path, commit: str) -> None:
    """Have the copy `target` name the commit of xenci that its bastion applies."""
    values = yaml.safe_load((target / OWN).read_text(encoding="utf-8"))
    _own(target, values | {"bastion_xenci_commit": commit})


def _own(target: Path, values: dict[str, str]) -> None:
    text = yaml.safe_dump(values, sort_keys=False, width=1000)
    write(target / OWN, f"---\n# What differs between labs.\n{text}", 0o644)


def host_key(lab: Lab, address: str) -> str:
    """A host's SSH key, type and base64, as the lab noted it inside the container."""
    line = (lab.directory / "known_hosts.d" / address).read_text(encoding="utf-8")
    return " ".join(line.split()[1:3])
