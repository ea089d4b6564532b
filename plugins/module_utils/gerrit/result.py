"""How every gerrit_* module runs: plan what differs, do it unless in check mode, tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.client import Gerrit, GerritError


class Plan:
    """The steps from what is to what is wanted, in order, and warnings about what could not be foreseen.

    A step is a sentence for the user and the call that does it. ``before`` and ``after`` are what diff mode
    shows: they hold no secrets.
    """

    def __init__(self, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
        self.before = before
        self.after = after
        self.steps: list[tuple[str, Callable[[], object]]] = []
        self.warnings: list[str] = []

    def step(self, sentence: str, call: Callable[[], object]) -> None:
        """Add a step."""
        self.steps.append((sentence, call))

    def missing(self, check_mode: bool, message: str) -> None:
        """What the plan needs is not there: an error, but in check mode an earlier task may yet make it."""
        if not check_mode:
            raise GerritError(message)
        self.warnings.append(f"{message} (Check mode: fine if an earlier task makes it.)")


def run(module: AnsibleModule, plan: Callable[[Gerrit, dict[str, Any], bool], Plan], returns: str) -> None:
    """Plan, apply, end the module. ``returns`` is the name under which the state afterwards is returned."""
    try:
        gerrit = Gerrit.from_params(module.params)
        work = plan(gerrit, module.params, module.check_mode)
        if not module.check_mode:
            for _sentence, call in work.steps:
                call()
    except GerritError as error:
        module.fail_json(msg=error.message, status=error.status)
    for warning in work.warnings:
        module.warn(warning)
    module.exit_json(
        changed=bool(work.steps),
        actions=[sentence for sentence, _call in work.steps],
        diff={"before": work.before or {}, "after": work.after},
        **{returns: work.after},
    )
