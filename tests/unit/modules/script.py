"""Modules against scripted HTTP calls: what must be asked, in order, and what a real Gerrit answered."""

from __future__ import annotations

import functools
import importlib
import io
import json
import urllib.error
from collections.abc import Iterable
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

RECORDINGS = Path(__file__).parents[2] / "recordings" / "gerrit-3.13.8"
URL = "https://review.example.org"
CLIENT = "ansible_collections.xenci.stack.plugins.module_utils.gerrit.client"
CONNECTION = {"url": URL, "username": "admin", "password": "admin-secret"}


@functools.cache
def _recorded() -> dict[str, dict[str, Any]]:
    """Recorded REST exchanges by case; of a case that was repeated, the first."""
    found: dict[str, dict[str, Any]] = {}
    for name in ("rest", "rest-passwords"):
        for line in (RECORDINGS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            exchange = json.loads(line)
            found.setdefault(exchange["case"], exchange)
    return found


def response(case: str) -> Any:
    """What a recorded case answered, to put it together anew."""
    return json.loads(json.dumps(_recorded()[case]["response"]))


class Call:
    """One expected request and its answer.

    ``body`` is compared with the JSON (or text) that is sent; None means that nothing may be sent.
    ``login`` is the user name and password that must be used, where it matters.
    """

    def __init__(
        self,
        method: str,
        path: str,
        answer: Any = "",
        status: int = 200,
        body: Any = None,
        login: tuple[str, str] | None = None,
        anonymous: bool = False,
    ) -> None:
        self.method, self.path, self.answer, self.status = method, path, answer, status
        self.body, self.login, self.anonymous = body, login, anonymous


def recorded(case: str, method: str = "", path: str = "", **more: Any) -> Call:
    """A call that gets a recorded answer; without a path it is the recorded request, body and all."""
    exchange = _recorded()[case]
    if not path:
        more.setdefault("body", exchange["request_body"])
    return Call(
        method or exchange["method"],
        path or exchange["path"].removeprefix("/a"),
        exchange["response"],
        exchange["status"],
        **more,
    )


class Response(io.BytesIO):
    """What open_url returns."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(body)
        self.status = status


class Script:
    """Stands in for ``open_url``: answers the calls of a list in their order and accepts no other."""

    def __init__(self, calls: Iterable[Call | Exception]) -> None:
        self.calls = list(calls)
        self.done = 0

    def __call__(self, url: str, **options: Any) -> Response:
        assert self.done < len(self.calls), f"unexpected {options['method']} {url} {options['data']}"
        call = self.calls[self.done]
        self.done += 1
        if isinstance(call, Exception):
            raise call
        asked = f"{options['method']} {url}"
        assert asked == f"{call.method} {URL}{'' if call.anonymous else '/a'}{call.path}"
        self._check_body(call, asked, options["data"], options["headers"])
        if call.login:
            assert (options["url_username"], options["url_password"]) == call.login, asked
        raw = self._encode(call.answer)
        if call.status >= 300:
            raise urllib.error.HTTPError(url, call.status, "", Message(), io.BytesIO(raw))
        return Response(call.status, raw)

    @staticmethod
    def _check_body(call: Call, asked: str, data: bytes | None, headers: dict[str, str]) -> None:
        if call.body is None:
            assert data is None, f"{asked} sends {data!r}"
            assert "Content-Type" not in headers, (
                f"{asked}: a content type without a body is refused by Gerrit"
            )
            return
        assert data is not None, f"{asked} sends nothing"
        if isinstance(call.body, str):
            assert headers["Content-Type"].startswith("text/plain")
            assert data.decode() == call.body, asked
            return
        assert headers["Content-Type"].startswith("application/json")
        assert json.loads(data) == call.body, asked

    @staticmethod
    def _encode(answer: Any) -> bytes:
        if isinstance(answer, str) and not answer.startswith('"'):
            return answer.encode()
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return f")]}}'\n{text}\n".encode()


def run_module(
    name: str,
    params: dict[str, Any],
    calls: Iterable[Call | Exception],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    check: bool = False,
) -> dict[str, Any]:
    """Run a module to its end and return what it tells Ansible; every scripted call must have been made."""
    script = Script(calls)
    monkeypatch.setattr(f"{CLIENT}.open_url", script)
    module = importlib.import_module(f"ansible_collections.xenci.stack.plugins.modules.{name}")
    arguments = {**CONNECTION, **params, "_ansible_check_mode": check, "_ansible_diff": True}
    with patch_module_args(arguments), pytest.raises(SystemExit):
        module.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    left = [f"{call.method} {call.path}" for call in script.calls[script.done :] if isinstance(call, Call)]
    assert left == [], f"not asked: {left}; result: {result}"
    return result
