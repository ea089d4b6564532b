"""Values against the argument specs: what is missing, what can't be worked out, what has the wrong type."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from xenci.check import evaluate
from xenci.check.inventory import Inventory
from xenci.check.mistake import Mistake, Place, meant, shown
from xenci.check.origins import place
from xenci.check.plays import Use
from xenci.check.specs import Specs

PLAIN: dict[str, type] = {"list": list, "dict": dict, "str": str}


@dataclasses.dataclass(frozen=True)
class Given:
    """What a role gets for one input, and the variables that it comes from."""

    value: Any
    variables: Mapping[str, Any]


Known = dict[str, dict[str, Given]]
"""What roles get: by input, then by host."""


@dataclasses.dataclass
class Found:
    """Mistakes; values; how many need facts; and role and host of those that rules can say nothing about."""

    mistakes: list[Mistake] = dataclasses.field(default_factory=list)
    known: Known = dataclasses.field(default_factory=dict)
    left: int = 0
    broken: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    told: dict[tuple[Place, str, str], str] = dataclasses.field(default_factory=dict)
    """Which input a mistake was first told of: the site's own comes before those that are made of it."""


def check(inventory: Inventory, specs: Specs, uses: list[Use]) -> Found:
    """Check what each role gets on each of its hosts."""
    found = Found()
    for use in uses:
        for host in use.hosts:
            variables = inventory.in_play(use.play, host, use.tasks[0]) | use.tasks[0].get_vars()
            for name, option in specs.roles[use.role].items():
                wrong = list(one(inventory, found, use, str(host.name), variables, name, option))
                found.mistakes += wrong
                if wrong:
                    found.broken.add((use.role, str(host.name)))
    return found


def one(
    inventory: Inventory,
    found: Found,
    use: Use,
    host: str,
    variables: dict[str, Any],
    name: str,
    option: dict[str, Any],
) -> Iterator[Mistake]:
    """Check one input of a role on a host."""
    if name not in variables:
        if option.get("required") and use.whole and not inventory.loader.failed:
            owner = use.group if use.group in inventory.manager.groups else "all"
            here = inventory.group_place(owner)
            fix = f"set it in group_vars/{owner}/{use.role}.yml ({about(option)})"
            yield Mistake(here, name, f"{name} is not set", fix, hosts=(host,))
        return
    try:
        value = inventory.templar(variables).template(variables[name])
    except AnsibleError as error:
        if evaluate.elsewhere(error, inventory, use.whole):
            found.left += 1
        else:
            yield from evaluate.mistakes(inventory, error, name, variables, host)
        return
    found.known.setdefault(name, {}).setdefault(host, Given(value, variables))
    blame = inventory.blame(name, variables, host) or inventory.top()
    secret = inventory.hidden(name, variables[name]) or inventory.hidden(name, value)
    for where, part, what, fix in problems(option, value, name, secret):
        at = where if where and inventory.mine(where.path) else blame
        first = found.told.setdefault((at, what, fix), part)
        yield inventory.mistake(at, f"{first} {what}", fix, name, host)


Problem = tuple[Place | None, str, str, str]


def problems(option: Mapping[str, Any], value: Any, name: str, secret: bool) -> Iterator[Problem]:
    """What is wrong with a value: where (if it says so), which part of it, what, and the fix."""
    kind = option.get("type", "str")
    simple = {key: option[key] for key in ("type", "choices") if key in option and kind != "list"}
    # Ansible copies all that it validates, which is of no use where the type is right and there is no choice.
    right = "choices" not in simple and isinstance(value, PLAIN.get(kind, ()))
    result = ArgumentSpecValidator({"x": simple or {"type": kind}}).validate({"x": None if right else value})
    quoted = "given" if secret else f"{shown(value)}"
    # Ansible takes anything for text.
    wrong = value is None or (kind in ("str", "path") and isinstance(value, list | dict))
    if wrong or result.error_messages:
        fix = (
            f"use one of {', '.join(map(str, option['choices']))}"
            if "choices" in simple
            else f"give {a(kind)} ({about(option)})"
        )
        yield place(value), name, f"is {quoted}" if not secret else f"is no {kind}", fix
        return
    value_ = value if right else result.validated_parameters["x"]
    if kind == "list" and "elements" in option:
        inner = {**option, "type": option["elements"]}
        del inner["elements"]
        for number, element in enumerate(value_):
            yield from problems(inner, element, f"{name}[{number}]", secret)
    elif kind == "dict" and option.get("options"):
        yield from inside(option["options"], value, name, secret)


def inside(
    options: Mapping[str, Any], value: Mapping[str, Any], name: str, secret: bool
) -> Iterator[Problem]:
    """What is wrong inside a dictionary whose keys are specified."""
    if not isinstance(value, Mapping):  # written as a string, such as "name=x"
        return
    for key in value:
        if key not in options:
            near = meant(str(key), options)
            fix = f"did you mean {near}?" if near else f"use {', '.join(options)}"
            yield place(key), name, f"has the unknown key '{key}'", fix
    for key, option in options.items():
        if key in value:
            yield from problems(option, value[key], f"{name}.{key}", secret)
        elif option.get("required"):
            yield place(value), name, f"has no '{key}'", f"add it ({about(option)})"


def a(kind: str) -> str:
    """A type in words."""
    words = {
        "str": "text",
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "dict": "a mapping",
    }
    return {**words, "list": "a list", "path": "a path"}.get(kind, f"a value of type {kind}")


def about(option: Mapping[str, Any]) -> str:
    """The first sentence of an option's description."""
    text = option.get("description", "")
    text = text[0] if isinstance(text, list) else text
    return " ".join(str(text).split()).split(". ")[0].rstrip(".")
