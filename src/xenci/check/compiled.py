"""Templates compiled once: the one file that leans on how ansible-core compiles them, which is private.

Every role reads every value anew on each of its hosts, and Ansible would compile it each time: a third of a
check. `tests/unit/check/test_compiled.py` fails when a new ansible-core has moved this.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from ansible._internal._templating._engine import TemplateEngine

from xenci.check.origins import place

_known: dict[tuple[object, ...], Any] = {}


@contextlib.contextmanager
def once() -> Iterator[None]:
    """Have Ansible compile a text of one place once."""
    before = {name: getattr(TemplateEngine, name) for name in ("_compile_template", "_compile_expression")}
    for name, compile_ in before.items():
        setattr(TemplateEngine, name, remembered(name, compile_))
    try:
        yield
    finally:
        for name, compile_ in before.items():
            setattr(TemplateEngine, name, compile_)


def remembered(name: str, compile_: Callable[..., Any]) -> Callable[..., Any]:
    """A method of the engine that remembers what it has made; errors name the text's place, so it counts."""

    def known(engine: TemplateEngine, text: str, options: object) -> Any:
        key = (name, str(text), place(text), options)
        if key not in _known:
            _known[key] = compile_(engine, text, options)
        return _known[key]

    return known
