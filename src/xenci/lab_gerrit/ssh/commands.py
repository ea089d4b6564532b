"""`gerrit <command>`."""

from __future__ import annotations

from xenci.lab_gerrit.server import VERSION
from xenci.lab_gerrit.ssh import admin, connections, projects, query, review, stream
from xenci.lab_gerrit.ssh.session import Command, Session, fatal, parse


async def version(session: Session, words: list[str]) -> None:
    """`gerrit version`."""
    parse(words, flags=["verbose|v"])
    session.write(f"gerrit version {VERSION}\n")


COMMANDS: dict[str, tuple[str, Command]] = {
    "close-connection": ("Close the specified SSH connection", connections.close),
    "create-account": ("Create a new batch/role account", admin.add_account),
    "create-branch": ("Create a new branch", admin.create_branch),
    "create-group": ("Create a new account group", admin.create_group),
    "create-project": ("Create a new project and associated Git repository", admin.create_project),
    "flush-caches": ("Flush some/all server caches from memory", admin.flush_caches),
    "ls-groups": ("List groups visible to the caller", admin.list_groups),
    "ls-members": ("List the members of a given group", admin.list_members),
    "ls-projects": ("List projects visible to the caller", projects.list_projects),
    "ls-user-refs": ("List refs visible to a specific user", admin.list_user_refs),
    "plugin": ("", admin.list_plugins),
    "query": ("Query the change database", query.query),
    "review": ("Apply reviews to one or more patch sets", review.command),
    "rename-group": ("Rename an account group", admin.rename_group),
    "set-account": ("Change an account's settings", admin.set_account),
    "set-head": ("Change HEAD reference for a project", admin.set_head),
    "set-members": ("Modify members of specific group or number of groups", admin.set_members),
    "set-project": ("Change a project's settings", admin.set_project),
    "set-project-parent": ("Change the project permissions are inherited from", admin.set_project_parent),
    "set-reviewers": ("Add or remove reviewers on a change", review.set_reviewers),
    "set-topic": ("Set the topic for one or more changes", review.set_topic),
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
