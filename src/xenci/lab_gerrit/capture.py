"""`--capture FILE`: every REST, ssh and git exchange as a JSON object a line, secrets masked.

The form is that of the recordings of a real Gerrit (tests/recordings), so that the two can be compared.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from pathlib import Path
from typing import Any

from aiohttp import web

_SECRET_KEYS = ("http_password", "password", "token")
_HEADERS = ("content-type", "accept")
_ANSWER_HEADERS = ("content-type", "location", "www-authenticate")
MASK = "<secret>"


class Capture:
    """Appends to a file; without one it does nothing."""

    def __init__(self, path: str) -> None:
        self._file = None
        if path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._file = Path(path).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115
        self._count = 0

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    @property
    def on(self) -> bool:
        """Whether anything is kept."""
        return self._file is not None

    def _write(self, **fields: Any) -> None:
        if self._file is not None and not self._file.closed:
            self._count += 1
            self._file.write(json.dumps({"n": self._count, "case": "captured", **fields}) + "\n")

    def http(self, request: web.Request, body: bytes, response: web.StreamResponse, is_git: bool) -> None:
        """One HTTP exchange; of git's own protocol only that it took place."""
        if not self.on:
            return
        answer = None if is_git or not isinstance(response, web.Response) else _text(response.body)
        self._write(
            **{"as": username(request) or "anonymous"},
            method=request.method,
            path=request.raw_path,
            request_headers=_some(request.headers, _HEADERS),
            request_body=None if is_git else _mask(_json(_text(body))) if body else None,
            status=response.status,
            response_headers=_some(response.headers, _ANSWER_HEADERS),
            response=MASK if _tells_secret(request.raw_path) else _answer(answer),
        )

    def ssh(self, user: str | None, command: str, exit_code: int | None, stdout: str, stderr: str) -> None:
        """One ssh command."""
        streamed = command.startswith("gerrit stream-events")
        self._write(
            **{"as": user},
            command=command,
            stdin=None,
            exit=exit_code,
            stdout="(events)" if streamed and stdout else stdout,
            stderr=stderr,
        )


def username(request: web.Request) -> str | None:
    """User name of a request's basic authentication, whether or not it is a good one."""
    kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None


def _some(headers: Any, names: tuple[str, ...]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}


def _text(body: Any) -> str:
    return body.decode(errors="replace") if isinstance(body, bytes) else ""


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _answer(text: str | None) -> Any:
    if text is None:
        return None
    if text.startswith(")]}'"):
        return _mask(_json(text.removeprefix(")]}'")))
    return text


def _tells_secret(path: str) -> bool:
    return re.search(r"/password\.http|/tokens/", path) is not None


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: MASK if key in _SECRET_KEYS else _mask(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_mask(entry) for entry in value]
    return value
