"""REST, ssh, git and event stream as a stock client speaks them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import json
import os
import shlex
import ssl
import subprocess
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncssh

JSON_PREFIX = ")]}'"
HEADERS = ("content-type", "location", "www-authenticate", "x-fyi-content-encoding")


class Rest:
    """One kept connection; answers in the format of the recordings."""

    def __init__(self, url: str, ca: str | None = None) -> None:
        parts = urlsplit(url)
        self.base = f"{parts.scheme}://{parts.netloc}"
        self._prefix = parts.path.rstrip("/")
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=ca)
            self._connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=60, context=context
            )
        else:
            self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: str | None, login: tuple[str, str] | None
    ) -> dict[str, Any]:
        """Make one call: `{"status", "response_headers", "response"}`."""
        sent = dict(headers)
        if login:
            sent["Authorization"] = "Basic " + base64.b64encode(":".join(login).encode()).decode()
        data = None if body is None else body.encode()
        try:
            answer, raw = self._once(method, path, data, sent)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._connection.close()
            answer, raw = self._once(method, path, data, sent)
        text = raw.decode("utf-8", "replace")
        response: Any = text
        if text.startswith(JSON_PREFIX):
            response = json.loads(text[len(JSON_PREFIX) :])
        kept = {name: answer.headers[name] for name in HEADERS if answer.headers[name]}
        return {"status": answer.status, "response_headers": kept, "response": response}

    def _once(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        self._connection.request(method, self._prefix + path, body=data, headers=headers)
        answer = self._connection.getresponse()
        return answer, answer.read()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Keys:
    """ssh keys made for this run, one for each user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._public: dict[str, str] = {}

    def public(self, user: str) -> str:
        """The base64 part of the public key."""
        if user not in self._public:
            key = asyncssh.generate_private_key("ssh-ed25519")
            path = self.path(user)
            key.write_private_key(str(path))
            path.chmod(0o600)
            self._public[user] = key.export_public_key("openssh").decode().split()[1]
        return self._public[user]

    def path(self, user: str) -> Path:
        """The private key file."""
        return self.folder / f"key-{user}"

    def made(self) -> dict[str, str]:
        """Every key made so far: user to base64."""
        return dict(self._public)


class Stream:
    """One `gerrit stream-events` subscriber."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.exit: int | None = None
        self.missed = 0
        self.stderr = ""
        self.process: asyncssh.SSHClientProcess[bytes] | None = None

    def taken(self) -> list[dict[str, Any]]:
        """Hand over what has come since the last call."""
        found, self.events = self.events, []
        return found


class Ssh:
    """ssh commands with asyncssh (a new connection for each), in a loop of its own thread."""

    def __init__(self, host: str, port: int, keys: Keys) -> None:
        self.host, self.port, self.keys = host, port, keys
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._connections: list[asyncssh.SSHClientConnection] = []
        self._tasks: list[asyncio.Task[None]] = []

    def _do(self, work: Coroutine[Any, Any, Any], timeout: float = 60) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def run(self, user: str, command: str, stdin: str | None, wait: float | None = None) -> dict[str, Any]:
        """Run one command: `{"exit", "stdout", "stderr"}`; exit null where it still ran after `wait`
        seconds.
        """
        return dict(self._do(self._run(user, command, stdin, wait)))

    async def _connect(self, user: str) -> asyncssh.SSHClientConnection:
        self.keys.public(user)
        return await asyncssh.connect(
            self.host,
            self.port,
            username=user,
            client_keys=[str(self.keys.path(user))],
            known_hosts=None,
            agent_path=None,
            config=None,
            preferred_auth="publickey",
            compression_algs=None,
            keepalive_interval=0,
        )

    async def _run(self, user: str, command: str, stdin: str | None, wait: float | None) -> dict[str, Any]:
        try:
            connection = await self._connect(user)
        except asyncssh.PermissionDenied:
            denied = f"{user}@{self.host}: Permission denied (publickey).\r\n"
            return {"exit": 255, "stdout": "", "stderr": denied}
        async with connection:
            process = await connection.create_process(command or None, encoding=None)
            with contextlib.suppress(
                BrokenPipeError
            ):  # a command that is refused does not wait for its input
                process.stdin.write((stdin or "").encode())
                process.stdin.write_eof()
            try:
                done = await asyncio.wait_for(process.wait(), wait)
            except TimeoutError:
                process.close()
                return {"exit": None, "stdout": "", "stderr": ""}
            code = 255 if done.exit_status is None or done.exit_status < 0 else done.exit_status
            return {"exit": code, "stdout": _text(done.stdout), "stderr": _text(done.stderr)}

    def subscribe(self, user: str, command: str) -> Stream:
        """Start a stream; returns once the server has accepted the command, or refused it: then nothing
        comes.
        """
        stream = Stream()
        try:
            self._do(self._subscribe(stream, user, command))
        except (OSError, asyncssh.Error) as error:
            stream.stderr = str(error)
        return stream

    async def _subscribe(self, stream: Stream, user: str, command: str) -> None:
        connection = await self._connect(user)
        self._connections.append(connection)
        stream.process = await connection.create_process(command, encoding=None)
        self._tasks.append(asyncio.create_task(self._read(stream)))

    async def _read(self, stream: Stream) -> None:
        process = stream.process
        assert process is not None
        try:
            async for line in process.stdout:
                if line.strip():
                    stream.events.append(json.loads(line))
        except (asyncssh.Error, OSError):
            pass
        finally:
            status = process.exit_status
            stream.exit = 255 if status is None or status < 0 else status

    def close(self) -> None:
        """Close every stream and stop the thread."""
        for connection in self._connections:
            self._loop.call_soon_threadsafe(connection.close)
        self._do(asyncio.sleep(0.05))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


class Git:
    """The stock git client, with repositories of its own."""

    def __init__(self, folder: Path, keys: Keys, ssh: Ssh) -> None:
        self.folder, self.keys, self.ssh = folder, keys, ssh
        self._sockets = folder / "s"
        self._sockets.mkdir()

    def ssh_command(self, user: str) -> str:
        """GIT_SSH_COMMAND: one kept connection for each user, since a handshake is slower than a push."""
        self.keys.public(user)
        options = {
            "BatchMode": "yes",
            "ControlMaster": "auto",
            "ControlPath": f"{self._sockets}/%r",
            "ControlPersist": "120",
            "IdentitiesOnly": "yes",
            "LogLevel": "ERROR",
            "StrictHostKeyChecking": "accept-new",
            "UserKnownHostsFile": f"{self.folder}/known_hosts",
        }
        words = ["ssh", "-F", "none", "-i", str(self.keys.path(user))]
        for name, value in options.items():
            words += ["-o", f"{name}={value}"]
        return shlex.join(words)

    def run(self, words: list[str], cwd: Path, user: str = "dev", stdin: str | None = None) -> dict[str, Any]:
        """Run git with these arguments: `{"exit", "stdout", "stderr"}`."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSH_COMMAND": self.ssh_command(user),
        }
        done = subprocess.run(
            ["git", *words], cwd=cwd, env=environment, input=stdin, capture_output=True, text=True, timeout=60
        )
        return {"exit": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

    def scp(self, words: list[str], user: str) -> dict[str, Any]:
        """Run scp as a user types it (`scp [-O] USER@HOST:hooks/commit-msg .`), in an empty folder."""
        self.keys.public(user)
        cwd = self.folder / f"scp-{time.monotonic_ns()}"
        cwd.mkdir()
        options = ["-F", "none", "-i", str(self.keys.path(user)), "-P", str(self.ssh.port)]
        for option in ("BatchMode=yes", "StrictHostKeyChecking=accept-new", "LogLevel=ERROR"):
            options += ["-o", option]
        options += ["-o", f"UserKnownHostsFile={self.folder}/known_hosts"]
        done = subprocess.run(["scp", *options, *words], cwd=cwd, capture_output=True, text=True, timeout=60)
        hook = cwd / "commit-msg"
        made = hook.is_file() and hook.read_text().startswith("#!/bin/sh")
        return {
            "exit": done.returncode,
            "stdout": done.stdout,
            "stderr": done.stderr,
            "made": made,
        }

    def close(self) -> None:
        """End the kept connections."""
        for socket in self._sockets.iterdir():
            subprocess.run(
                ["ssh", "-F", "none", "-o", f"ControlPath={socket}", "-O", "exit", "x"],
                capture_output=True,
                check=False,
            )


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
