"""The order of a Java hash map: where Gerrit lists without sorting, this is the order that clients get."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T", str, int)


def _of_text(text: str) -> int:
    value = 0
    for character in text:
        value = (value * 31 + ord(character)) & 0xFFFFFFFF
    return value


def _sorted(items: list[T], hashes: dict[T, int]) -> list[T]:
    size = 16
    while len(items) > size * 3 // 4:
        size *= 2
    return sorted(items, key=lambda item: (hashes[item] ^ (hashes[item] >> 16)) & (size - 1))


def names(items: Iterable[str]) -> list[str]:
    """Texts in hash map order."""
    found = list(items)
    return _sorted(found, {item: _of_text(item) for item in found})


def numbers(items: Iterable[int]) -> list[int]:
    """Numbers (of accounts) in hash map order."""
    found = list(items)
    return _sorted(found, {item: item for item in found})
