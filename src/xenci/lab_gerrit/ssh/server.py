"""Listens, checks keys, and hands each command to its function."""

from __future__ import annotations

import logging
import secrets
import shlex
from dataclasses import dataclass

import asyncssh

from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.pushes import Pushes
from xenci.lab_gerrit.server import Server
from xenci.lab_gerrit.ssh import commands, git, hooks
from xenci.lab_gerrit.ssh.session import CommandError, Session
from xenci.lab_gerrit.store import now

LOG = logging.getLogger(__name__)
VERSION = "GerritCodeReview_3.13.8 (LAB-GERRIT)"
_WELCOME = """
  ****    Welcome to Gerrit Code Review    ****

  Hi {name}, you have successfully connected over SSH.

  Unfortunately, interactive shells are disabled.
  To clone a hosted Git repository, use:

  git clone ssh://{user}@{host}:{port}/REPOSITORY_NAME.git

"""


@dataclass
class Connection:
    """A client that has logged in."""

    id: str
    account: Account
    peer: str
    since: int
    transport: asyncssh.SSHServerConnection


class SshFront:
    """The ssh server of a site."""

    def __init__(self, server: Server, pushes: Pushes) -> None:
        self.server = server
        self.pushes = pushes
        self.connections: dict[str, Connection] = {}
        self._acceptor: asyncssh.SSHAcceptor | None = None

    async def start(self) -> None:
        """Listen as configured; with port 0 the port taken is written to the configuration."""
        config = self.server.config
        self._acceptor = await asyncssh.create_server(
            lambda: _Login(self),
            config.ssh_address,
            config.ssh_port,
            server_host_keys=[str(config.host_key)],
            process_factory=self._run,
            encoding=None,
            server_version=VERSION.replace(" ", "_"),
            public_key_auth=True,
            password_auth=False,
            kbdint_auth=False,
            allow_scp=False,
            agent_forwarding=False,
            x11_forwarding=False,
            keepalive_interval=60,
            line_editor=False,
        )
        config.ssh_port = self._acceptor.get_port()

    async def stop(self) -> None:
        """Close all connections and stop listening."""
        if self._acceptor is not None:
            self._acceptor.close()
        for connection in list(self.connections.values()):
            connection.transport.abort()

    def opened(self, transport: asyncssh.SSHServerConnection, account: Account) -> None:
        """Note who has logged in."""
        peer = transport.get_extra_info("peername") or ("?",)
        number = secrets.token_hex(4)
        self.connections[number] = Connection(number, account, str(peer[0]), now(), transport)
        transport.set_extra_info(lab_connection=number)

    def closed(self, transport: asyncssh.SSHServerConnection) -> None:
        """Forget who is gone."""
        self.connections.pop(transport.get_extra_info("lab_connection", ""), None)

    async def _run(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        connection = self.connections.get(process.get_extra_info("lab_connection", ""))
        if connection is None:
            process.exit(255)
            return
        session = Session(self, connection.account, process, process.command or "")
        try:
            code = await self._command(session)
        except CommandError as error:
            session.error(f"{error}\n")
            code = 1
        except (asyncssh.BreakReceived, asyncssh.TerminalSizeChanged, BrokenPipeError, ConnectionError):
            code = 1
        except Exception:
            LOG.exception("ssh command of %s: %s", connection.account.username, session.line)
            session.error("fatal: internal server error\n")
            code = 1
        self.server.capture.ssh(
            connection.account.username, session.line, code, "".join(session.out), "".join(session.errors)
        )
        process.exit(code)

    async def _command(self, session: Session) -> int:
        try:
            words = shlex.split(session.line)
        except ValueError as error:
            raise CommandError(f"fatal: {error}") from error
        if not words:
            config, account = self.server.config, session.account
            welcome = _WELCOME.format(
                name=account.shown, user=account.username, host=config.host, port=config.ssh_port
            )
            session.error(welcome.replace("\n", "\r\n"))
            return 127
        if words[0] in ("git-upload-pack", "git-receive-pack"):
            return await git.serve(session, words[0].removeprefix("git-"), words[1:])
        if words[0] == "git" and len(words) > 1 and words[1] in ("upload-pack", "receive-pack"):
            return await git.serve(session, words[1], words[2:])
        if words[0] == "scp":
            return await hooks.scp(session, words[1:])
        if words[0] != "gerrit":
            raise CommandError(f"fatal: Gerrit Code Review: {words[0]}: not found")
        return await commands.run(session, words[1:])


class _Login(asyncssh.SSHServer):
    """Public keys only."""

    def __init__(self, front: SshFront) -> None:
        self._front = front
        self._transport: asyncssh.SSHServerConnection | None = None
        self._account: Account | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._transport = conn

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._front.closed(self._transport)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        algorithm, encoded, *_ = key.export_public_key("openssh").decode().split()
        self._account = self._front.server.accounts.by_key(username, algorithm, encoded)
        return self._account is not None

    def auth_completed(self) -> None:
        if self._transport is not None and self._account is not None:
            self._front.opened(self._transport, self._account)
