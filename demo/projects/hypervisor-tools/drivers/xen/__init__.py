"""Xen: guests as `xl` defines them (docs/xen.md)."""

import ast
from typing import Dict, List, Union

from drivers.guest import Guest

Value = Union[int, str, List[str]]


def parse(text: str) -> Guest:
    """Read an xl.cfg; ValueError names the line that can't be read."""
    settings = read(text)
    name, memory, vcpus, disks = (settings.get(key) for key in ("name", "memory", "vcpus", "disk"))
    if not isinstance(name, str):
        raise ValueError("no name")
    if not isinstance(memory, int):
        raise ValueError(f"guest {name}: memory is not a number of MiB")
    return Guest(
        name=name,
        driver="xen",
        memory=memory,
        vcpus=vcpus if isinstance(vcpus, int) else 1,
        disks=tuple(target(disk) for disk in disks) if isinstance(disks, list) else (),
    )


def target(disk: str) -> str:
    """Return the file or device of a disk specification, positional or as target=."""
    fields = [field.strip() for field in disk.split(",")]
    named = [field[len("target=") :] for field in fields if field.startswith("target=")]
    return named[0] if named else fields[0]


def read(text: str) -> Dict[str, Value]:
    """Return the settings: numbers, strings, lists of strings, which may go over several lines."""
    settings: Dict[str, Value] = {}
    pending = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = pending + strip_comment(raw).strip()
        pending = ""
        if not line:
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if value.startswith("[") and not value.endswith("]"):
            pending = line
            continue
        try:
            settings[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            raise ValueError(f"line {number}: can't read {line!r}") from None
    if pending:
        raise ValueError(f"a list that never ends: {pending!r}")
    return settings


def strip_comment(line: str) -> str:
    """Cut a comment off; a # inside quotes is none."""
    quote = ""
    for position, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#":
            return line[:position]
    return line
