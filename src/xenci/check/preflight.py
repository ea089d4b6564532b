"""The rules of the roles' `tasks/preflight.yml`, evaluated as Ansible does, over inputs alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from ansible.errors import AnsibleError

from xenci.check import evaluate
from xenci.check.inventory import NAME, Inventory
from xenci.check.mistake import Mistake
from xenci.check.plays import ASSERT, Use
from xenci.check.specs import Specs


@dataclasses.dataclass
class Found:
    """Mistakes, and how many rules need facts."""

    mistakes: list[Mistake] = dataclasses.field(default_factory=list)
    left: int = 0


def check(inventory: Inventory, specs: Specs, uses: list[Use], broken: set[tuple[str, str]]) -> Found:
    """Evaluate every rule on every host.

    :param broken: role and host whose inputs have mistakes already: a rule that can't be evaluated there
        says nothing new.
    """
    found = Found()
    for use in uses:
        for host in use.hosts:
            base = inventory.in_play(use.play, host, use.tasks[0])
            name = str(host.name)
            for task in use.tasks:
                if task.action not in ASSERT:
                    continue
                variables = base | task.get_vars()
                for more in rounds(task, inventory, variables):
                    try:
                        found.mistakes += rule(inventory, specs, task, variables | more, name)
                    except AnsibleError as error:
                        if (use.role, name) in broken:
                            continue
                        if evaluate.elsewhere(error, inventory, use.whole):
                            found.left += 1
                        else:
                            about = next(iter(subjects(specs, task, str(task.args.get("fail_msg")))), "")
                            found.mistakes += evaluate.mistakes(inventory, error, about, variables, name)
    return found


def rounds(task: Any, inventory: Inventory, variables: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a task adds to its variables, once for each item of its loop; items are worked out one by one."""
    if task.loop is None:
        yield {}
        return
    items = task.loop
    if not isinstance(items, list):
        try:
            items = inventory.templar(variables).template(items)
        except AnsibleError:
            items = [items]  # whoever reads the item meets the error
    for item in items:
        yield {"item": item}


def rule(
    inventory: Inventory, specs: Specs, task: Any, variables: dict[str, Any], host: str
) -> list[Mistake]:
    """Evaluate one assertion.

    :raises AnsibleError: when it can't be evaluated.
    """
    templar = inventory.templar(variables)
    if not all(templar.evaluate_conditional(condition) for condition in task.when):
        return []
    conditions = task.args["that"]
    conditions = conditions if isinstance(conditions, list) else [conditions]
    if all(templar.evaluate_conditional(condition) for condition in conditions):
        return []
    text = " ".join(str(templar.template(task.args["fail_msg"])).split())
    what, _, fix = text.partition(": ")
    names = subjects(specs, task, text)
    places = (inventory.blame(name, variables, host) for name in names)
    groups = (inventory.group_place(word) for word in NAME.findall(text) if word in inventory.manager.groups)
    where = next(filter(None, (*places, *groups)), inventory.top())
    return [inventory.mistake(where, what, fix.rstrip("."), next(iter(names), ""), host)]


def subjects(specs: Specs, task: Any, text: str) -> list[str]:
    """The inputs that a rule is about: those that its message names, then those of its condition."""
    words = NAME.findall(f"{text} {task.args.get('that')}")
    return [word for word in dict.fromkeys(words) if word in specs.role_of]
