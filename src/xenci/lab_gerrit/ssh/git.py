"""git over ssh: a real `git upload-pack` or `git receive-pack` with its pipes joined to the client."""

from __future__ import annotations

import asyncio

import asyncssh

from xenci.lab_gerrit.pushes import Push, fetch_environment, hidden_refs
from xenci.lab_gerrit.ssh.session import Session, fatal

_CHUNK = 2**16


async def serve(session: Session, program: str, words: list[str]) -> int:
    """Run it on the named project; the exit code is git's."""
    paths = [word for word in words if not word.startswith("-")]
    if len(paths) != 1:
        raise fatal('Argument "PROJECT.git" is required')
    project = paths[0].lstrip("/").removesuffix("/").removesuffix(".git")
    server = session.server
    if not server.access.can_see_project(session.account.id, project):
        raise fatal(f"project {project} not found")
    hidden = await hidden_refs(server, session.account, project)
    protocol = session.process.env.get("GIT_PROTOCOL")
    path = str(server.repository(project).path)
    if program == "upload-pack":
        return await _join(session, ["upload-pack", path], fetch_environment(hidden, protocol))
    push = Push(session.account, project, over_ssh=True)
    token, environment = session.front.pushes.receive_environment(push, hidden)
    try:
        return await _join(session, ["receive-pack", path], environment)
    finally:
        session.front.pushes.finish(token)


async def _join(session: Session, words: list[str], environment: dict[str, str]) -> int:
    git = await asyncio.create_subprocess_exec(
        "git",
        *words,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    process = session.process
    if git.stdin is None or git.stdout is None or git.stderr is None:
        raise RuntimeError("git was started without pipes")
    feeding = asyncio.ensure_future(_pump_in(process.stdin, git.stdin))
    try:
        await asyncio.gather(_pump_out(git.stdout, process.stdout), _pump_out(git.stderr, process.stderr))
        return await git.wait()
    finally:
        feeding.cancel()
        if git.returncode is None:
            git.kill()
            await git.wait()


async def _pump_in(source: asyncssh.SSHReader[bytes], sink: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(_CHUNK):
            sink.write(chunk)
            await sink.drain()
    except (ConnectionError, asyncssh.Error):
        # The client or git is gone; whoever is left notices by himself.
        return
    finally:
        sink.close()


async def _pump_out(source: asyncio.StreamReader, sink: asyncssh.SSHWriter[bytes]) -> None:
    while chunk := await source.read(_CHUNK):
        sink.write(chunk)
        await sink.drain()
