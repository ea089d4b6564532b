"""Between git and the server: how receive-pack and upload-pack are started, and the hook's socket."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xenci.lab_gerrit import hook
from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.batch import change_of_ref
from xenci.lab_gerrit.git import Repository, environment
from xenci.lab_gerrit.receive import Command, Receive
from xenci.lab_gerrit.server import Server

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Push:
    """A push under way: who, where to, and how he came in."""

    account: Account
    project: str
    over_ssh: bool


class Pushes:
    """Knows the pushes under way by a token that only git's hook is given."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._open: dict[str, Push] = {}
        self._listener: asyncio.Server | None = None
        self._hooks = server.config.site / "tmp" / "hooks"

    async def start(self) -> None:
        """Write the hook and listen for it."""
        self._hooks.mkdir(parents=True, exist_ok=True)
        script = self._hooks / "proc-receive"
        # -I -S: no site packages, no user's settings: the hook starts in a few milliseconds.
        script.write_text(f"#!/bin/sh\nexec {sys.executable} -I -S {Path(hook.__file__)}\n", encoding="utf-8")
        script.chmod(0o755)
        path = self._server.config.hook_socket
        path.unlink(missing_ok=True)
        self._listener = await asyncio.start_unix_server(self._serve, path, limit=2**24)

    async def stop(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.close()

    def receive_environment(self, push: Push, hidden: list[str]) -> tuple[str, dict[str, str]]:
        """Token and environment for `git receive-pack` (or http-backend); give the token to `finish`."""
        token = secrets.token_hex(16)
        self._open[token] = push
        settings = [
            ("core.hooksPath", str(self._hooks)),
            ("receive.procReceiveRefs", "refs"),
            ("receive.advertisePushOptions", "true"),
            ("receive.advertiseAtomic", "false"),
            ("receive.unpackLimit", "1000"),
            ("http.receivepack", "true"),
            *(("receive.hideRefs", ref) for ref in hidden),
            # What may be pushed for review is decided by us, also where everything else is hidden.
            ("receive.hideRefs", "!refs/for"),
        ]
        extra = {
            "LAB_GERRIT_PUSH": token,
            "LAB_GERRIT_SOCKET": str(self._server.config.hook_socket),
            **config_environment(settings),
        }
        return token, environment(extra)

    def finish(self, token: str) -> None:
        """Forget a push."""
        self._open.pop(token, None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = json.loads(await reader.readline())
            push = self._open.get(asked["token"])
            if push is None:
                return

            def say(text: str) -> None:
                writer.write(json.dumps({"progress": text}).encode() + b"\n")

            results = await self._receive(push, asked, say)
            writer.write(json.dumps({"results": results}).encode() + b"\n")
            await writer.drain()
        finally:
            writer.close()

    async def _receive(
        self, push: Push, asked: dict[str, list[str]], say: Callable[[str], None]
    ) -> list[tuple[str, str | None]]:
        commands = [Command(*command) for command in asked["commands"]]
        async with self._server.lock:
            receive = Receive(self._server, push.account, push.project, push.over_ssh, say)
            try:
                await receive.run(commands, asked["options"])
            except Exception:
                LOG.exception("push to %s by %s", push.project, push.account.username)
                for command in commands:
                    command.result = command.result or "internal server error"
        return [(command.ref, command.result or None) for command in commands]


def config_environment(settings: list[tuple[str, str]]) -> dict[str, str]:
    """git settings as environment variables."""
    found = {"GIT_CONFIG_COUNT": str(len(settings))}
    for index, (key, value) in enumerate(settings):
        found[f"GIT_CONFIG_KEY_{index}"] = key
        found[f"GIT_CONFIG_VALUE_{index}"] = value
    return found


def fetch_environment(hidden: list[str], protocol: str | None) -> dict[str, str]:
    """Environment for `git upload-pack` that hides what the user may not see."""
    settings = [("uploadpack.hideRefs", ref) for ref in hidden]
    settings += [("uploadpack.allowFilter", "true"), ("core.hooksPath", os.devnull)]
    extra = config_environment(settings)
    if protocol:
        extra["GIT_PROTOCOL"] = protocol
    return environment(extra)


async def hidden_refs(server: Server, account: Account | None, project: str) -> list[str]:
    """Refs (or prefixes) of a repository that an account may not see."""
    access, number = server.access, account.id if account else None
    repository = server.repository(project)
    hidden: list[str] = []
    seen: dict[int, bool] = {}
    refs = await repository.refs()
    for ref in refs:
        change = change_of_ref(ref)
        if change is None:
            if not access.can_read(number, project, ref):
                hidden.append(ref)
        elif change not in seen:
            row = server.change(change)
            seen[change] = row is not None and access.can_see_change(number, row)
            if not seen[change]:
                hidden.append(ref.rsplit("/", 1)[0])
    hidden = await _without_reached_tags(repository, refs, hidden)
    if refs and len(hidden) == len([ref for ref in refs if change_of_ref(ref) is None]) + len(seen):
        return ["refs", "HEAD"]
    if await repository.head() in hidden:
        hidden.append("HEAD")
    return hidden


async def _without_reached_tags(repository: Repository, refs: dict[str, str], hidden: list[str]) -> list[str]:
    """Gerrit shows a tag to whom it shows a branch from which the tag is reached, whatever the rights on
    tags.
    """
    tags = [ref for ref in hidden if ref.startswith("refs/tags/")]
    heads = [refs[ref] for ref in refs if ref.startswith("refs/heads/") and ref not in hidden]
    if not tags or not heads:
        return hidden
    merged = [f"--merged={head}" for head in dict.fromkeys(heads)]
    reached = (await repository.git("for-each-ref", "--format=%(refname)", *merged, "refs/tags")).splitlines()
    return [ref for ref in hidden if ref not in reached]
