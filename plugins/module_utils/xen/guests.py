"""What `xen_guest` does."""

from __future__ import annotations

from typing import Any

from ansible_collections.xenci.stack.plugins.module_utils.xen.program import Program, XenError
from ansible_collections.xenci.stack.plugins.module_utils.xen.result import Plan, listed

# Options that a guest is made with, and that stay as they are for its life.
MADE_WITH = ("image", "version", "type", "memory_mib", "vcpus", "disk_mib", "labels", "authorized_keys")
# States of a guest that is not whole.
HALF = ("creating", "deleting", "broken")


def plan_guest(program: Program, params: dict[str, Any]) -> Plan:
    """The steps from the guest that is there, if one is, to the wanted one."""
    name, state = params["name"], params["state"]
    guests = listed(program, "list", program.module.check_mode).get("guests", [])
    there: dict[str, Any] = next((guest for guest in guests if guest["name"] == name), {})
    before = _shown(there)
    if state == "absent":
        plan = Plan(before, {})
        if there:
            plan.step(f"delete guest {name}", lambda: program.ask("delete", name=name))
        return plan
    wanted = {option: params[option] for option in MADE_WITH if params[option] is not None}
    if not there or there["state"] in HALF:
        return _make(program, params, before, wanted)
    _refuse_other(there, wanted)
    after = {**before, "state": "running"}
    timeout = params["ssh_timeout"]
    if state == "reverted":
        plan = Plan(before, after)
        plan.step(
            f"give guest {name} a fresh clone of its image",
            lambda: program.ask("start", name=name, clean=True, ssh_timeout=timeout),
        )
        return plan
    if state == "running" and there["state"] == "dead":
        plan = Plan(before, after)
        plan.step(f"start guest {name}", lambda: program.ask("start", name=name, ssh_timeout=timeout))
        return plan
    return Plan(before, before)


def _make(program: Program, params: dict[str, Any], before: dict[str, Any], wanted: dict[str, Any]) -> Plan:
    """Make a guest; what is left of one that was not finished goes first."""
    name = params["name"]
    plan = Plan(before, {"name": name, "state": "running", **wanted})
    if before:
        plan.step(f"delete what there is of guest {name}", lambda: program.ask("delete", name=name))
    plan.step(
        f"create guest {name}",
        lambda: program.ask("create", name=name, ssh_timeout=params["ssh_timeout"], **wanted),
    )
    return plan


def _refuse_other(there: dict[str, Any], wanted: dict[str, Any]) -> None:
    """A guest is never changed: it would not be the clone that its user takes it for."""
    other = [
        f"{option} is {there.get(option)!r}, not {value!r}"
        for option, value in wanted.items()
        if there.get(option) != value
    ]
    if other:
        raise XenError(
            "exists",
            f"guest {there['name']} is there and can't be changed: {'; '.join(other)}. Delete it first.",
        )


def _shown(guest: dict[str, Any]) -> dict[str, Any]:
    """A guest as the module returns it."""
    return {key: value for key, value in guest.items() if key != "created"}
