"""Which role runs on which hosts, and with what: the playbooks, as Ansible loads them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ansible.playbook import Playbook
from ansible.playbook.block import Block

from xenci.check.inventory import Inventory, warnings

ASSERT = ("ansible.builtin.assert", "assert")


@dataclasses.dataclass(frozen=True)
class Use:
    """A role in a play.

    `whole`: the play belongs to the site, so its inputs must all be there; those of `operate_*` get some on
    the command line. `reach`: names of the hosts that the play is for, those in group `disabled` among them;
    `hosts`: Ansible's objects of those that it would run on.
    """

    role: str
    play: Any
    group: str
    whole: bool
    tasks: tuple[Any, ...]
    hosts: tuple[Any, ...]
    reach: frozenset[str]

    @property
    def given(self) -> dict[str, Any]:
        """Variables that the play gives to the role, which outrank the inventory's: name → value."""
        return dict(self.tasks[0]._role.vars)


def uses(inventory: Inventory, root: Path) -> list[Use]:
    """Every use of a role in the playbooks of the site and those that watch and operate it."""
    found: list[Use] = []
    names = [
        "site.yml",
        "healthcheck.yml",
        *sorted(path.name for path in root.glob("playbooks/operate_*.yml")),
    ]
    for path in (root / "playbooks" / name for name in names):
        with warnings():
            playbook = Playbook.load(str(path), variable_manager=inventory.variables, loader=inventory.loader)
            for play in playbook.get_plays():
                found += in_play(inventory, play, path.name == "site.yml")
    return found


def in_play(inventory: Inventory, play: Any, whole: bool) -> Iterator[Use]:
    """Uses in one play: each role whose preflight it runs."""
    hosts = tuple(inventory.manager.get_hosts(play.hosts))
    patterns = [
        pattern.partition(":!")[0]
        for pattern in ([play.hosts] if isinstance(play.hosts, str) else play.hosts)
    ]
    reach = frozenset(str(host.name) for host in inventory.manager.get_hosts(patterns))
    by_role: dict[str, list[Any]] = {}
    for block in play.compile():
        for task in tasks(block):
            if task._role and re.search(r"/tasks/preflight\.yml(:\d+)?$", task.get_path() or ""):
                by_role.setdefault(Path(task._role._role_path).name, []).append(task)
    for role, its in by_role.items():
        yield Use(role, play, patterns[0], whole, tuple(its), hosts, reach)


def tasks(block: Any) -> Iterator[Any]:
    """All tasks of a block and the blocks in it."""
    for one in block.block:
        if isinstance(one, Block):
            yield from tasks(one)
        else:
            yield one


def facts(root: Path) -> frozenset[str]:
    """Names of the facts that roles set while they run."""
    found = set()
    for path in root.glob("roles/*/tasks/*.yml"):
        text = path.read_text(encoding="utf-8")
        if "ansible.builtin.set_fact:" in text:
            for task in yaml.load(text, Loader=yaml.CSafeLoader):
                found |= set(task.get("ansible.builtin.set_fact", {}))
    return frozenset(found - {"cacheable"})
