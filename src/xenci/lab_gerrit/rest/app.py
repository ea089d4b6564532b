"""From HTTP to handlers: login, routing, JSON in and out, errors, all in Gerrit's manner."""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.changes import RefusedError
from xenci.lab_gerrit.rest import (
    accounts,
    changes,
    comments,
    content,
    edits,
    groups,
    life,
    projects,
    reviews,
    server_info,
)
from xenci.lab_gerrit.rest.call import Call, Reply, RestError, Route, not_found
from xenci.lab_gerrit.server import Server

LOG = logging.getLogger(__name__)
PREFIX = ")]}'\n"
_PARTS = (accounts, changes, comments, content, edits, groups, life, projects, reviews, server_info)
_ROOTS = ("access", "accounts", "changes", "config", "groups", "plugins", "projects")


class Router:
    """Finds the handler of a method and path. Literal segments win over `{}` ones."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        for route in routes:
            parts = route.path.strip("/").split("/")
            self._routes.setdefault((route.method, len(parts)), []).append((parts, route))
        for entries in self._routes.values():
            entries.sort(key=lambda entry: [part.startswith("{") for part in entry[0]])

    def find(self, method: str, segments: list[str]) -> tuple[Route, dict[str, str]] | None:
        """Route and its variables, or None."""
        for parts, route in self._routes.get((method, len(segments)), []):
            found: dict[str, str] = {}
            for part, segment in zip(parts, segments, strict=True):
                if part.startswith("{"):
                    found[part.strip("{}")] = unquote(segment)
                elif part != segment:
                    break
            else:
                return route, found
        return None


class RestApi:
    """The aiohttp handler of everything under /a/ and of the anonymous REST paths."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._router = Router(route for part in _PARTS for route in part.routes)

    @staticmethod
    def serves(path: str) -> bool:
        """Whether a path (raw) belongs to the REST API."""
        segments = path.strip("/").split("/")
        return segments[0] in _ROOTS or (segments[0] == "a" and len(segments) > 1)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        segments = request.rel_url.raw_path.strip("/").split("/")
        account: Account | None = None
        if segments[0] == "a":
            segments = segments[1:]
            account = login(self._server, request)
            if account is None:
                return unauthorized()
        if segments[0] not in _ROOTS or (segments[0] == "plugins" and len(segments) > 1):
            return web.Response(status=404, text="Not Found", content_type="text/plain", charset="iso-8859-1")
        try:
            return _response(await self._call(request, account, segments), request)
        except (RestError, RefusedError) as error:
            return web.Response(
                status=error.status, text=error.text + "\n", content_type="text/plain", charset="utf-8"
            )

    async def _call(self, request: web.Request, account: Account | None, segments: list[str]) -> Any:
        method = "GET" if request.method == "HEAD" else request.method
        if account is None and method != "GET":
            raise RestError(403, "Authentication required")
        found = self._router.find(method, segments)
        if found is None:
            raise self._no_route(account, method, segments)
        route, variables = found
        body = await request.read()
        call = Call(
            server=self._server,
            account=account,
            method=method,
            path=variables,
            query=[(key, value) for key, value in request.rel_url.query.items()],
            body=body,
            content_type=request.headers.get("Content-Type", ""),
        )
        if not route.raw and method in ("PUT", "POST", "DELETE"):
            call.json = _parse(call)
        if method == "GET":
            return await route.handler(call)
        async with self._server.lock:
            return await route.handler(call)

    def _no_route(self, account: Account | None, method: str, segments: list[str]) -> RestError:
        """404 in Gerrit's words: it looks up what the URL names before what is asked of it."""
        names = [unquote(segment) for segment in segments]
        if segments[0] == "projects" and len(segments) > 2:
            number = account.id if account else None
            if not self._server.access.can_see_project(number, names[1]):
                return not_found(names[1])
        others = {"GET", "PUT", "POST", "DELETE"} - {method}
        if len(segments) < 3 or any(self._router.find(other, segments) for other in others):
            return RestError(404, "Not Found")
        return not_found(names[-1])


def _parse(call: Call) -> dict[str, Any]:
    """The body as a JSON object, by Gerrit's rules on content types."""
    kind = call.content_type.split(";")[0].strip().lower()
    if kind == "application/json":
        if not call.body:
            raise RestError(400, "Expected JSON object")
        try:
            value = json.loads(call.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise RestError(400, "Invalid application/json in request")
        return value
    if not call.body:
        return {}
    raise RestError(
        400, "Expected JSON object" if kind == "text/plain" else "Expected Content-Type: application/json"
    )


def _response(value: Any, request: web.Request) -> web.Response:
    reply = value if isinstance(value, Reply) else Reply(value)
    if reply.text is not None:
        kind, _, charset = reply.content_type.partition("; charset=")
        body = reply.text.encode() if isinstance(reply.text, str) else reply.text
        return web.Response(
            status=reply.status, body=body, content_type=kind, charset=charset or None, headers=reply.headers
        )
    if reply.value is None:
        return web.Response(status=reply.status, headers=reply.headers)
    pretty = request.rel_url.query.get("pp") == "1"
    text = json.dumps(
        reply.value,
        ensure_ascii=False,
        indent=2 if pretty else None,
        separators=None if pretty else (",", ":"),
    )
    return web.Response(
        status=reply.status,
        text=f"{PREFIX}{text}\n",
        content_type="application/json",
        charset="utf-8",
        headers=reply.headers,
    )


def login(server: Server, request: web.Request) -> Account | None:
    """The account that a request's basic authentication opens, or None."""
    kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        username, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return server.accounts.login(username, secret)


def unauthorized() -> web.Response:
    """401 as Gerrit sends it."""
    return web.Response(
        status=401,
        text="Unauthorized",
        content_type="text/plain",
        charset="iso-8859-1",
        headers={"WWW-Authenticate": 'Basic realm="Gerrit Code Review"'},
    )
