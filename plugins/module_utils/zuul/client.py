"""HTTP client for the part of Zuul's REST API that reads.

Source of paths and shapes: ``zuul/web/__init__.py`` of Zuul 14.3. Answers are JSON. A tenant that Zuul does
not know is 404, one whose layout is not loaded yet 422; nginx before it answers 502 while it is down.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
from typing import Any

from ansible.module_utils.urls import ConnectionError as UrlConnectionError
from ansible.module_utils.urls import open_url
from ansible_collections.xenci.stack.plugins.module_utils.server import Server, ServerError, server_spec

# What a proxy says whose Zuul is not up.
_STARTING = (502, 503, 504)


class ZuulError(ServerError):  # type: ignore[misc]  # mypy can't see a collection's own name
    """What Zuul could not answer, and what to do about it."""


def connection_spec() -> dict[str, Any]:
    """The options that every zuul_* module has; described in the doc fragment ``zuul``."""
    return {**server_spec(), "must_answer": {"type": "bool", "default": True}}


class Zuul(Server):  # type: ignore[misc]  # mypy can't see a collection's own name
    """One Zuul, by the URL of its status page."""

    service = "Zuul's web server"
    error = ZuulError

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Zuul:
        """Make a client from a module's parameters (``connection_spec``)."""
        return cls(**{name: params[name] for name in server_spec()})

    def get(self, path: str) -> Any:
        """The decoded answer to ``GET /api/<path>``; anything but 200 raises ZuulError."""
        url = f"{self.url}/api/{path}"
        try:
            raw = open_url(
                url,
                method="GET",
                headers={"Accept": "application/json"},
                follow_redirects="none",
                use_netrc=False,
                **self.options,
            ).read()
        except urllib.error.HTTPError as error:
            raise self._refused(path, error) from error
        except (UrlConnectionError, OSError) as error:
            raise self.unreachable(error) from error
        try:
            return json.loads(raw)
        except ValueError as error:
            raise ZuulError(
                f"{url} answers with something else than JSON. Check url: it must be that of Zuul's status "
                "page, with its path prefix if it has one."
            ) from error

    def tenant(self, name: str, path: str) -> Any:
        """What Zuul says of a tenant, such as ``status`` or ``buildsets?limit=1``."""
        return self.get(f"tenant/{urllib.parse.quote(name, safe='')}/{path}")

    def _refused(self, path: str, error: urllib.error.HTTPError) -> ZuulError:
        status, says = error.code, error.read().decode(errors="replace").strip()[:300] or "nothing"
        if status in _STARTING:
            message = (
                f"{self.url} answers {status}: the proxy is up but Zuul's web server behind it is not (yet)."
            )
        elif status == 401:
            message = f"{self.url} wants a login to read /api/{path}: allow anonymous reading of the tenant."
        elif 300 <= status < 400:
            message = (
                f"{self.url} redirects to {error.headers.get('Location')}: put the final address into url."
            )
        elif status >= 500:
            message = (
                f"{self.url}/api/{path} answers {status}: Zuul's own error, often a database that does not "
                "answer. See journalctl -u zuul-web."
            )
        else:
            message = f"{self.url}/api/{path} answers {status}: {says}"
        return ZuulError(message, status, down=status >= 500)
