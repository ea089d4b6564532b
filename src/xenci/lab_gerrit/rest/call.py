"""What a REST handler gets and gives: `async def handler(call: Call) -> JSON value | Reply`.

It ends with a RestError, or lets the RefusedError of what it calls through: the router answers with either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.server import Server
from xenci.lab_gerrit.times import timestamp


class RestError(Exception):
    """Ends a call with a plain text answer, as Gerrit sends its errors."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def not_found(what: str) -> RestError:
    """404 in Gerrit's words."""
    return RestError(404, f"Not found: {what}")


@dataclass
class Reply:
    """An answer other than 200 with JSON. `value` None means no body; `text` is sent as it is."""

    value: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | bytes | None = None
    content_type: str = "text/plain; charset=utf-8"


NO_CONTENT = Reply(status=204)


@dataclass
class Call:
    """One request: who asks, the URL's parts (decoded), the query, and the body."""

    server: Server
    account: Account | None
    method: str
    path: Mapping[str, str]
    query: list[tuple[str, str]]
    body: bytes
    content_type: str
    json: dict[str, Any] = field(default_factory=dict)

    @property
    def account_id(self) -> int | None:
        """Number of the asking account; None if anonymous."""
        return self.account.id if self.account else None

    @property
    def user(self) -> Account:
        """The asking account; 403 if anonymous."""
        if self.account is None:
            raise RestError(403, "Authentication required")
        return self.account

    def options(self, name: str) -> list[str]:
        """All values of a query parameter."""
        return [value for key, value in self.query if key == name]

    def option(self, name: str) -> str | None:
        """Last value of a query parameter, None if not given."""
        values = self.options(name)
        return values[-1] if values else None

    def number(self, name: str) -> int | None:
        """A query parameter as a number; 400 in Gerrit's words if it is none."""
        text = self.option(name)
        if text is None:
            return None
        try:
            return int(text)
        except ValueError:
            dashes = "-" if len(name) == 1 else "--"
            raise RestError(400, f'"{text}" is not a valid value for "{dashes}{name}"') from None

    def known_options(self, *names: str) -> None:
        """400 if the query has a parameter that this endpoint does not know."""
        for key, _ in self.query:
            if key not in names and key not in ("pp", "alt", "format", "trace", "access_token"):
                raise RestError(400, f'"{"-" if len(key) == 1 else "--"}{key}" is not a valid option')

    def require_capability(self, name: str, text: str) -> None:
        """403 `<text> not permitted` unless the account has a global capability."""
        if not self.server.access.capability(self.account_id, name):
            raise RestError(403, f"{text} not permitted")

    def require_admin(self) -> None:
        """403 unless the account administrates the server."""
        self.require_capability("administrateServer", "administrate server")


Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True)
class Route:
    """`path` is like /projects/{project}/branches/{branch}; a part in braces is one URL segment, decoded.

    `raw`: the handler reads `call.body` itself; otherwise the body is JSON by Gerrit's rules.
    """

    method: str
    path: str
    handler: Handler
    raw: bool = False


__all__ = ["NO_CONTENT", "Call", "Handler", "Reply", "RestError", "Route", "not_found", "timestamp"]
