"""One command over ssh: who runs it, its words, and where its output goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import asyncssh

from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.server import Server

if TYPE_CHECKING:
    from xenci.lab_gerrit.ssh.server import SshFront


class CommandError(Exception):
    """Ends a command: text on stderr (with its `fatal: ` if it has one) and exit 1."""


def fatal(text: str) -> CommandError:
    """An error as most commands tell it."""
    return CommandError(f"fatal: {text}")


@dataclass
class Session:
    """A command under way."""

    front: SshFront
    account: Account
    process: asyncssh.SSHServerProcess[bytes]
    line: str
    out: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def server(self) -> Server:
        """The server."""
        return self.front.server

    def write(self, text: str) -> None:
        """To the client's stdout."""
        self.out.append(text)
        self.process.stdout.write(text.encode())

    def error(self, text: str) -> None:
        """To the client's stderr."""
        self.errors.append(text)
        self.process.stderr.write(text.encode())

    async def stdin(self) -> str:
        """All of the client's stdin."""
        data: bytes = await self.process.stdin.read()
        return data.decode(errors="replace")

    def require(self, capability: str, text: str) -> None:
        """CommandError `<text> not permitted` unless the account has the capability."""
        if not self.server.access.capability(self.account.id, capability):
            raise CommandError(f"{text} not permitted")


Command = Callable[[Session, list[str]], Awaitable[None]]


@dataclass(frozen=True)
class Parsed:
    """Options by their long name (a list of values; flags hold one empty string), and the other words."""

    options: dict[str, list[str]]
    words: list[str]

    def flag(self, name: str) -> bool:
        """Whether an option was given."""
        return name in self.options

    def value(self, name: str) -> str | None:
        """Last value of an option."""
        return self.options[name][-1] if name in self.options else None

    def values(self, name: str) -> list[str]:
        """All values of an option."""
        return self.options.get(name, [])


def parse(words: Sequence[str], *, flags: Sequence[str] = (), values: Sequence[str] = ()) -> Parsed:
    """Split a command's words as Gerrit does. An option is written `name`, or `name|alias|...`.

    One-letter names take one dash, longer ones two. `fatal: "--x" is not a valid option` otherwise.
    """
    names: dict[str, tuple[str, bool]] = {}
    for takes_value, group in ((False, flags), (True, values)):
        for entry in group:
            first = entry.split("|")[0]
            for name in entry.split("|"):
                names[("-" if len(name) == 1 else "--") + name] = (first, takes_value)
    options: dict[str, list[str]] = {}
    rest: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word == "--":
            rest += queue
            break
        if not word.startswith("-") or len(word) == 1 or _is_negation(word, names):
            rest.append(word)
            continue
        name, equals, value = word.partition("=")
        if name not in names:
            raise fatal(f'"{name}" is not a valid option')
        first, takes_value = names[name]
        if takes_value and not equals:
            if not queue:
                raise fatal(f'Option "{name}" takes an operand')
            value = queue.pop(0)
        options.setdefault(first, []).append(value)
    return Parsed(options, rest)


def _is_negation(word: str, names: dict[str, Any]) -> bool:
    """-word:value is part of a query, not an option."""
    return not word.startswith("--") and ":" in word and word not in names
