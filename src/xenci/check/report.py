"""What a check found: for people and editors, for programs, and for Zuul's comments on lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xenci.check import Result
from xenci.check.mistake import Mistake


def text(result: Result, base: Path) -> str:
    """A line for each mistake, as compilers write them: `file:line: what: fix`."""
    return "".join(f"{path(one, base)}:{one.place.line}: {sentence(one)}\n" for one in result.mistakes)


def as_json(result: Result, base: Path) -> str:
    """Everything, one object for each mistake."""
    mistakes = [
        {
            "file": path(one, base),
            "line": one.place.line,
            "column": one.place.column,
            "variable": one.variable,
            "value": one.value,
            "what": one.what,
            "fix": one.fix,
            "hosts": list(one.hosts),
        }
        for one in result.mistakes
    ]
    return (
        json.dumps(
            {
                "mistakes": mistakes,
                "unreadable": result.unreadable,
                "left_to_hosts": result.left,
                "jobs_of": list(map(str, result.jobs)),
            },
            indent=2,
        )
        + "\n"
    )


def zuul(result: Result, base: Path) -> str:
    """What a job gives to `zuul_return` as `data`, so that Zuul comments on lines of the change."""
    comments: dict[str, list[dict[str, Any]]] = {}
    for one in result.mistakes:
        entry = {"line": one.place.line, "message": sentence(one), "level": "error"}
        comments.setdefault(path(one, base), []).append(entry)
    return json.dumps({"zuul": {"file_comments": comments}}, indent=2) + "\n"


FORMATS: dict[str, Callable[[Result, Path], str]] = {"text": text, "json": as_json, "zuul": zuul}


def path(one: Mistake, base: Path) -> str:
    """The file, from the directory `base` if it lies below it."""
    file = Path(one.place.path)
    return str(file.relative_to(base) if file.is_relative_to(base) else file)


def sentence(one: Mistake) -> str:
    """What is wrong, its fix, and the hosts that it concerns, where they are few."""
    text_ = f"{one.what}: {one.fix}" if one.fix else one.what
    return f"{text_} [{', '.join(one.hosts)}]" if 0 < len(one.hosts) <= 3 else text_


def closing(result: Result, name: str = "check") -> str:
    """How it ended, in one line that begins with the command's name."""
    found = f"{len(result.mistakes)} mistake{'' if len(result.mistakes) == 1 else 's'}"
    if result.unreadable:
        return f"{name}: {found}; some files could not be read, so there may be more"
    if result.mistakes:
        return f"{name}: {found}"
    left = f"; {result.left} values and rules need facts of a host, and are left to it" if result.left else ""
    return f"{name}: no mistakes{left}"


def compared(result: Result) -> str:
    """Whether the jobs that the inventory runs were looked for."""
    if not result.jobs:
        return "jobs were not compared: name the checkout of infra with --infra"
    return f"jobs were compared with those of {', '.join(map(str, result.jobs))}"
