"""Simple queries (accounts, groups, projects): a list of terms that must all hold."""

from __future__ import annotations

import shlex

from xenci.lab_gerrit.rest.call import RestError


def terms(text: str, operators: set[str]) -> list[tuple[str, str]]:
    """Terms as (operator, value); the operator is empty for a bare word. 400 for one that is not known."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise RestError(400, f"line 1: {error}") from None
    found = []
    for word in words:
        operator, colon, value = word.partition(":")
        if not colon:
            found.append(("", word))
        elif operator in operators:
            found.append((operator, value))
        else:
            raise RestError(400, f"Unsupported operator {word}")
    return found
