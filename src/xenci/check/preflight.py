"""The rules of the roles' `tasks/preflight.yml`, evaluated as Ansible does, over inputs alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from ansible.errors import AnsibleError, AnsibleUndefinedVariable
from ansible.template import Templar

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
            for task in use.tasks:
                if task.action not in ASSERT:
                    continue
                variables = base | task.get_vars()
                try:
                    found.mistakes += rule(inventory, specs, task, variables, str(host.name))
                except AnsibleError as error:
                    if (use.role, str(host.name)) in broken:
                        continue
                    if evaluate.needs_facts(error, inventory) or (
                        not use.whole and isinstance(error, AnsibleUndefinedVariable)
                    ):
                        found.left += 1
                    else:
                        name = subject(specs, task, str(task.args.get("fail_msg", "")))
                        found.mistakes.append(
                            evaluate.mistake(inventory, error, name, variables, str(host.name))
                        )
    return found


def rule(
    inventory: Inventory, specs: Specs, task: Any, variables: dict[str, Any], host: str
) -> Iterator[Mistake]:
    """Evaluate one assertion, for each item of its loop.

    :raises AnsibleError: when it can't be evaluated.
    """
    for templar in rounds(inventory, task, variables):
        if not all(templar.evaluate_conditional(condition) for condition in task.when):
            continue
        conditions = task.args["that"]
        conditions = conditions if isinstance(conditions, list) else [conditions]
        if all(templar.evaluate_conditional(condition) for condition in conditions):
            continue
        text = " ".join(str(templar.template(task.args["fail_msg"])).split())
        what, _, fix = text.partition(": ")
        name = subject(specs, task, text)
        where = inventory.blame(name, variables, host) or inventory.top()
        yield inventory.mistake(where, what, fix.rstrip("."), name, host)


def rounds(inventory: Inventory, task: Any, variables: dict[str, Any]) -> Iterator[Templar]:
    """The templates of a task, once for each item of its loop."""
    if task.loop is None:
        yield inventory.templar(variables)
        return
    for item in inventory.templar(variables).template(task.loop):
        yield inventory.templar(variables | {"item": item})


def subject(specs: Specs, task: Any, text: str) -> str:
    """The input that a rule is about: the first that its message names, or else its condition."""
    for words in (text, str(task.args.get("that"))):
        for word in map(str, NAME.findall(words)):
            if word in specs.role_of:
                return word
    return ""
