"""What a check finds, and where."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable

MADE = re.compile(r"(vault_\w+|local_\w+_public_key)\b")
"""How the names of what `xenci secrets init` makes begin."""


@dataclasses.dataclass(frozen=True, order=True)
class Place:
    """A line of a file; `path` is absolute, lines and columns count from 1."""

    path: str
    line: int = 1
    column: int = 1


@dataclasses.dataclass(frozen=True)
class Mistake:
    """One mistake: what is wrong, and what to do about it.

    `value` is empty where there is none, and for secrets.
    """

    place: Place
    variable: str
    what: str
    fix: str
    value: str = ""
    hosts: tuple[str, ...] = ()


def meant(word: str, known: Iterable[str]) -> str:
    """The known word that is nearest to a misspelt one; empty when none is near."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.8)), "")


def shown(value: object, width: int = 60) -> str:
    """A value as a message quotes it, cut to a width in characters."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    text = f"'{value}'" if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 1]}…"
