"""The HTTP front: REST, git, the commit-msg hook and the plain pages, on one port."""

from __future__ import annotations

import ssl

from aiohttp import web

from xenci.lab_gerrit.rest.app import RestApi
from xenci.lab_gerrit.server import Server


def application(server: Server) -> web.Application:
    """The aiohttp application of a server."""
    rest = RestApi(server)

    async def dispatch(request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path
        if rest.serves(path):
            return await rest.handle(request)
        return web.Response(status=404, text="Not Found", content_type="text/plain", charset="iso-8859-1")

    app = web.Application(client_max_size=256 * 2**20)
    app.router.add_route("*", "/{tail:.*}", dispatch)
    return app


async def serve(server: Server) -> web.AppRunner:
    """Listen as the configuration says; `cleanup()` the runner to stop."""
    config = server.config
    context = None
    if config.tls_cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(config.tls_cert, config.tls_key)
    runner = web.AppRunner(application(server), access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, config.http_address, config.http_port, ssl_context=context).start()
    return runner
