"""`gerrit <command>`."""

from __future__ import annotations

from xenci.lab_gerrit.server import VERSION
from xenci.lab_gerrit.ssh import connections, projects, query, review, stream
from xenci.lab_gerrit.ssh.session import Command, Session, fatal, parse


async def version(session: Session, words: list[str]) -> None:
    """`gerrit version`."""
    parse(words, flags=["verbose|v"])
    session.write(f"gerrit version {VERSION}\n")


COMMANDS: dict[str, tuple[str, Command]] = {
    "close-connection": ("Close the specified SSH connection", connections.close),
    "ls-projects": ("List projects visible to the caller", projects.list_projects),
    "query": ("Query the change database", query.query),
    "review": ("Apply reviews to one or more patch sets", review.command),
    "show-connections": ("Display active client SSH connections", connections.show),
    "stream-events": ("Monitor events occurring in real time", stream.events),
    "version": ("Display gerrit version", version),
}


async def run(session: Session, words: list[str]) -> int:
    """Run a command; its exit code."""
    if not words:
        lines = [f"   {name:<36} {text}".rstrip() for name, (text, _) in sorted(COMMANDS.items())]
        listing = "\n".join(["Available commands of gerrit are:", "", *lines])
        raise fatal(f"{listing}\n\nSee 'gerrit COMMAND --help' for more information.\n")
    found = COMMANDS.get(words[0])
    if found is None:
        raise fatal(f"gerrit: {words[0]}: not found")
    await found[1](session, words[1:])
    return 0
