"""Gerrit's query language: `a:b c:"d e" -(f OR g)`, for queries, submit requirements and copy conditions."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<minus>-(?=\S))|(?P<word>(?:[^\s()"{}\[\]]|"[^"]*"|\{[^{}]*\})+))"""
)
_QUOTES = str.maketrans("", "", '"{}')


class QueryError(ValueError):
    """A query that cannot be read; the text is Gerrit's."""


@dataclass(frozen=True)
class Atom:
    """key:value, or a lone word (key is empty)."""

    key: str
    value: str
    text: str


@dataclass(frozen=True)
class And:
    """All of them."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Or:
    """Any of them."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Not:
    """The opposite."""

    part: Expression


Expression = Atom | And | Or | Not


def parse(text: str) -> Expression:
    """The tree of a query; QueryError if there is none."""
    parser = _Parser(text)
    tree = parser.any_of()
    if parser.kind is not None:
        raise QueryError(f"line 1:{parser.start} no viable alternative at input '{parser.value}'")
    return tree


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.kind: str | None = None
        self.value = ""
        self.start = 0
        self._next()

    def _next(self) -> None:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            rest = self._text[self._at :].strip()
            if rest:
                at = self._text.index(rest, self._at)
                raise QueryError(f"line 1:{at} no viable alternative at character '{rest[0]}'")
            self.kind, self.value, self.start = None, "<EOF>", len(self._text)
            return
        self.kind = match.lastgroup
        self.value = match[match.lastgroup or 0]
        self.start = match.start(match.lastgroup or 0)
        self._at = match.end()

    def any_of(self) -> Expression:
        parts = [self._all_of()]
        while self.kind == "word" and self.value in ("OR", "or"):
            self._next()
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all_of(self) -> Expression:
        parts = [self._single()]
        while self.kind in ("word", "open", "minus") and not (
            self.kind == "word" and self.value in ("OR", "or")
        ):
            if self.kind == "word" and self.value in ("AND", "and"):
                self._next()
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _single(self) -> Expression:
        if self.kind == "minus" or (self.kind == "word" and self.value in ("NOT", "not")):
            self._next()
            return Not(self._single())
        if self.kind == "open":
            self._next()
            tree = self.any_of()
            if self.kind != "close":
                raise QueryError(f"line 1:{self.start} mismatched input '{self.value}' expecting ')'")
            self._next()
            return tree
        if self.kind != "word":
            raise QueryError(f"line 1:{self.start} no viable alternative at input '{self.value}'")
        text = self.value
        self._next()
        key, colon, value = text.partition(":")
        if not colon or '"' in key or "{" in key:
            return Atom("", text.translate(_QUOTES), text)
        if not value and self.kind == "open":
            # key:(a b) is not used by any client; key:"a b" is.
            raise QueryError(f"line 1:{self.start} no viable alternative at input '{self.value}'")
        return Atom(key.lower(), value.translate(_QUOTES), text)
