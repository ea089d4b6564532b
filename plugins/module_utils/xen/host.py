"""What `xen_host` does."""

from __future__ import annotations

from typing import Any

from ansible_collections.xenci.stack.plugins.module_utils.xen.program import Program
from ansible_collections.xenci.stack.plugins.module_utils.xen.result import Plan, listed


def plan_host(program: Program, params: dict[str, Any]) -> Plan:
    """The step from what the host takes now to what it is to take."""
    before = listed(program, "capacity", program.module.check_mode).get("drained", "")
    after = params["reason"] if params["state"] == "drained" else ""
    plan = Plan({"drained": before}, {"drained": after})
    if after and before != after:
        plan.step("drain the host", lambda: program.ask("drain", reason=after))
    elif before and not after:
        plan.step("let it take guests again", lambda: program.ask("resume"))
    return plan
