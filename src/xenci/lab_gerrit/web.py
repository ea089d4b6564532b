"""The HTTP front: REST, git, the commit-msg hook and the plain pages, on one port."""

from __future__ import annotations

import re
import ssl

from aiohttp import web

from xenci.lab_gerrit import pages
from xenci.lab_gerrit.commit_msg import HOOK
from xenci.lab_gerrit.git_http import GitHttp
from xenci.lab_gerrit.pushes import Pushes
from xenci.lab_gerrit.rest.app import RestApi
from xenci.lab_gerrit.server import Server


def application(server: Server, pushes: Pushes) -> web.Application:
    """The aiohttp application of a server."""
    rest = RestApi(server)
    git = GitHttp(server, pushes)

    async def route(request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path
        if git.serves(path):
            return await git.handle(request)
        if rest.serves(path):
            return await rest.handle(request)
        return page(server, path, request.headers.get("Accept", "")) or web.Response(
            status=404, text="Not Found", content_type="text/plain", charset="iso-8859-1"
        )

    async def dispatch(request: web.Request) -> web.StreamResponse:
        response = await route(request)
        if server.capture.on:
            is_git = git.serves(request.rel_url.raw_path)
            server.capture.http(request, b"" if is_git else await request.read(), response, is_git)
        return response

    # Bodies of git pushes come gzipped; git http-backend wants them as they are.
    app = web.Application(client_max_size=256 * 2**20, handler_args={"auto_decompress": False})
    app.router.add_route("*", "/{tail:.*}", dispatch)
    return app


def page(server: Server, path: str, accept: str) -> web.Response | None:
    """What is for people and for git's commit-msg hook; None for a path that is nothing.

    Gerrit without its browser application has no pages: who does not ask for HTML finds none here either.
    """
    if path == "/tools/hooks/commit-msg":
        return web.Response(body=HOOK.encode(), content_type="application/octet-stream")
    if "text/html" not in accept and "*/*" not in accept:
        return None
    if path == "/":
        return pages.changes(server)
    match = re.fullmatch(r"/(?:c/.+/\+/)?(\d+)(?:/\d+)?/?", path)
    return pages.change(server, int(match[1])) if match else None


async def serve(server: Server, pushes: Pushes) -> web.AppRunner:
    """Listen as configured; with port 0 the port taken is written to the configuration."""
    config = server.config
    context = None
    if config.tls_cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(config.tls_cert, config.tls_key)
    runner = web.AppRunner(application(server, pushes), access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, config.http_address, config.http_port, ssl_context=context).start()
    config.http_port = runner.addresses[0][1]
    return runner
