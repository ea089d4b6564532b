"""A closed world of variables: each is in a role's argument spec, Ansible's own, `vault_*` or `local_*`."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from ansible import constants
from ansible.plugins.loader import connection_loader

from xenci.check.inventory import Definition, Inventory
from xenci.check.mistake import Mistake, meant
from xenci.check.plays import Use
from xenci.check.specs import Specs

FREE = ("vault_", "local_")
# They describe the site and the lab, which every play reads, whichever host it runs on.
ANYWHERE = ("site", "lab_hosts")


def check(inventory: Inventory, specs: Specs, uses: list[Use]) -> Iterator[Mistake]:
    """Variables that nobody reads, or that stand where nobody reads them."""
    reach: dict[str, frozenset[str]] = {}
    for use in uses:
        reach[use.role] = reach.get(use.role, frozenset()) | use.reach
    for definition in inventory.definitions:
        name = definition.name
        if name.startswith(FREE) or own(name):
            continue
        role = specs.role_of.get(name)
        if role is None:
            near = meant(name, specs.role_of) or (
                meant(name, ansible_names()) if name.startswith("ansible") else ""
            )
            fix = (
                f"did you mean {near}?"
                if near
                else "correct the name, or call it local_… if only the inventory uses it"
            )
            yield Mistake(definition.place, name, f"{name} is read by no role", fix)
        elif role not in ANYWHERE and definition.hosts and not runs(definition, reach.get(role, frozenset())):
            what = f"{name} is set for {definition.owner}, where the role {role} never runs"
            yield Mistake(definition.place, name, what, home(role, uses))
        elif made := given(definition, [use for use in uses if use.role == role]):
            what = f"{name} is never read from the inventory: the playbook makes it"
            yield Mistake(definition.place, name, what, f"set {made}" if made != name else "remove it")


def runs(definition: Definition, reach: frozenset[str]) -> bool:
    """Whether a role reaches any host that a definition is for; `all` holds for the controller too."""
    hosts = definition.hosts | ({"localhost"} if definition.owner == "all" else set())
    return bool(hosts & reach)


def given(definition: Definition, uses: list[Use]) -> str:
    """What to set in place of a variable that every play of its role gives; empty where some don't.

    The variable's own name where it follows from no input.
    """
    name = definition.name
    reached = [use for use in uses if runs(definition, use.reach)]
    if not reached or not all(name in use.given for use in reached):
        return ""
    inputs = sorted({word for use in reached for word in re.findall(r"\bsite_\w+", str(use.given[name]))})
    return " or ".join(inputs) or name


def home(role: str, uses: list[Use]) -> str:
    """Where a role's variables belong."""
    groups = sorted({use.group for use in uses if use.role == role})
    return (
        f"move it to group_vars/{groups[0] if groups[0] != 'localhost' else 'all'}" if groups else "remove it"
    )


def own(name: str) -> bool:
    """Whether a variable is Ansible's own."""
    return name.startswith("ansible_") and (name in usual_names() or name in ansible_names())


@functools.cache
def usual_names() -> frozenset[str]:
    """Those of Ansible's own variables that it has at hand."""
    return frozenset(name for group in constants.MAGIC_VARIABLE_MAPPING.values() for name in group)


@functools.cache
def ansible_names() -> frozenset[str]:
    """Ansible's own variables that an inventory may set; half a second, since plugins must be loaded."""
    names = set(usual_names())
    for setting in constants.config.get_configuration_definitions().values():
        names |= {variable["name"] for variable in setting.get("vars", [])}
    for kind in ("ssh", "local"):
        connection_loader.get(kind, class_only=True)
        names |= set(constants.config.get_plugin_vars("connection", kind))
    return frozenset(name for name in names if name.startswith("ansible_"))
