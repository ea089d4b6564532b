"""git over HTTP: requests handed to `git http-backend`, with the user's rights."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import unquote

from aiohttp import web

from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.pushes import Push, Pushes, fetch_environment, hidden_refs
from xenci.lab_gerrit.rest.app import login, unauthorized
from xenci.lab_gerrit.server import Server

_PATH = re.compile(
    r"^(?P<a>/a)?/(?P<project>.+?)(?:\.git)?/(?P<rest>info/refs|git-upload-pack|git-receive-pack)$"
)


class GitHttp:
    """The smart protocol at /PROJECT and /a/PROJECT."""

    def __init__(self, server: Server, pushes: Pushes) -> None:
        self._server = server
        self._pushes = pushes

    @staticmethod
    def serves(path: str) -> bool:
        """Whether a path (raw) is git's."""
        return _PATH.match(path) is not None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        match = _PATH.match(request.rel_url.raw_path)
        if match is None:
            return web.Response(status=404, text="Not Found")
        service = request.rel_url.query.get("service", match["rest"])
        account = login(self._server, request) if "Authorization" in request.headers else None
        if account is None and (match["a"] or "Authorization" in request.headers):
            return unauthorized()
        if account is None and service == "git-receive-pack":
            return unauthorized()
        project = unquote(match["project"])
        if not self._server.access.can_see_project(account.id if account else None, project):
            return self._unavailable(account, project, service)
        return await self._backend(request, account, project, match["rest"], service)

    def _unavailable(self, account: Account | None, project: str, service: str) -> web.Response:
        if account is None:
            return unauthorized()
        error = f"ERR {project} unavailable"
        head = f"# service={service}\n"
        text = f"{len(head) + 4:04x}{head}0000{len(error) + 4:04x}{error}"
        return web.Response(
            status=403, body=text.encode(), content_type=f"application/x-{service}-advertisement"
        )

    async def _backend(
        self, request: web.Request, account: Account | None, project: str, rest: str, service: str
    ) -> web.StreamResponse:
        hidden = await hidden_refs(self._server, account, project)
        token = ""
        if service == "git-receive-pack" and account is not None:
            token, environment = self._pushes.receive_environment(Push(account, project, False), hidden)
        else:
            environment = fetch_environment(hidden, None)
        environment |= {
            "GIT_PROJECT_ROOT": str(self._server.config.git_dir),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{project}.git/{rest}",
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.rel_url.raw_query_string,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": request.remote or "",
        }
        if account is not None:
            environment["REMOTE_USER"] = account.username or str(account.id)
        if "Git-Protocol" in request.headers:
            environment["GIT_PROTOCOL"] = request.headers["Git-Protocol"]
        try:
            return await _cgi(request, environment)
        finally:
            self._pushes.finish(token)


async def _cgi(request: web.Request, environment: dict[str, str]) -> web.StreamResponse:
    git = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    if git.stdin is None or git.stdout is None:
        raise RuntimeError("git was started without pipes")
    feeding = asyncio.ensure_future(_feed(request, git.stdin))
    try:
        head = await git.stdout.readuntil(b"\r\n\r\n")
        response = web.StreamResponse()
        for line in head.decode().strip().split("\r\n"):
            key, _, value = line.partition(": ")
            if key == "Status":
                response.set_status(int(value.split()[0]))
            else:
                response.headers[key] = value
        await response.prepare(request)
        while chunk := await git.stdout.read(2**16):
            await response.write(chunk)
        await response.write_eof()
        return response
    except asyncio.IncompleteReadError:
        return web.Response(status=500, text="git http-backend said nothing")
    except BaseException:
        # Only then: killing a child that is just ending takes its exit status away from asyncio.
        if git.returncode is None:
            git.kill()
        raise
    finally:
        feeding.cancel()
        await git.wait()


async def _feed(request: web.Request, stdin: asyncio.StreamWriter) -> None:
    """The body, as it came: git http-backend itself undoes gzip."""
    try:
        async for chunk in request.content.iter_chunked(2**16):
            stdin.write(chunk)
            await stdin.drain()
    finally:
        stdin.close()
