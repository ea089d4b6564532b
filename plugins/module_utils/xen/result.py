"""How every xen_* module that changes something runs: plan, do it unless in check mode, tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.xen.program import Program, XenError


class Plan:
    """The steps from what is to what is wanted. ``before`` and ``after`` are what diff mode shows."""

    def __init__(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        self.before = before
        self.after = after
        self.steps: list[tuple[str, Callable[[], dict[str, Any]]]] = []

    def step(self, sentence: str, call: Callable[[], dict[str, Any]]) -> None:
        """Add a step: a sentence for the user, and the call that does it and returns the program's reply."""
        self.steps.append((sentence, call))


def run(module: AnsibleModule, plan: Callable[[Program, dict[str, Any]], Plan], returns: str) -> None:
    """Plan, apply, end the module. ``returns`` names what a reply holds and the module returns."""
    program = Program(module)
    work = Plan({}, {})
    result: dict[str, Any] = {}
    try:
        if module.check_mode and not program.installed:
            module.warn("xenci-guest is not installed yet: what would change is told as for an empty host.")
        work = plan(program, module.params)
        result = work.after
        if not module.check_mode:
            for _sentence, call in work.steps:
                result = call().get(returns, result)
    except XenError as error:
        module.fail_json(msg=error.message, code=error.code, **error.details)
    module.exit_json(
        changed=bool(work.steps),
        actions=[sentence for sentence, _call in work.steps],
        diff={"before": work.before, "after": work.after},
        **{returns: result},
    )


def listed(program: Program, operation: str, check_mode: bool) -> dict[str, Any]:
    """What the program lists; in check mode, a host without the program has nothing."""
    if check_mode and not program.installed:
        return {}
    reply: dict[str, Any] = program.ask(operation)
    return reply
