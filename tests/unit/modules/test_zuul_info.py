"""zuul_status_info and zuul_tenant_info against scripted answers, in the shapes of Zuul 14.3."""

from __future__ import annotations

import importlib
import io
import json
import ssl
import urllib.error
from collections.abc import Callable
from email.message import Message
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

URL = "https://zuul.example.org"
API = f"{URL}/api/"
CLIENT = "ansible_collections.xenci.stack.plugins.module_utils.zuul.client"
REFUSED = urllib.error.URLError(ConnectionRefusedError(111, "Connection refused"))

STATUS: dict[str, Any] = {
    "zuul_version": "14.3.0",
    "trigger_event_queue": {"length": 1},
    "state": {"trigger_queue_paused": True, "trigger_queue_discarding": False},
    "management_event_queue": {"length": 0},
    "connection_event_queues": {"gerrit": {"length": 2}},
    "last_reconfigured": 1769860800000,
    "pipelines": [
        {
            "name": "check",
            "state": "normal",
            "change_queues": [
                {"heads": [[{"enqueue_time": 1769860900000}, {"enqueue_time": 1769860890500}]]},
            ],
            "trigger_events": 3,
            "result_events": 4,
            "management_events": 5,
        }
    ],
}
ANSWERS: dict[str, Any] = {
    "tenant/demo/status": STATUS,
    "tenant/demo/buildsets?complete=true&limit=1": [
        {
            "uuid": "b5",
            "pipeline": "check",
            "result": "SUCCESS",
            "event_timestamp": "2026-01-31T12:00:00",
            "last_build_end_time": "2026-01-31T12:00:07",
            "refs": [{"project": "hypervisor-tools", "change": 7}],
        }
    ],
    "tenant/demo/config-errors": [
        {
            "source_context": {"project": "infra", "branch": "master", "path": "zuul.d/jobs.yaml"},
            "error": "Zuul encountered an error\n\nJob x not defined\n",
            "short_error": "Job x not defined",
            "severity": "error",
            "name": "Unknown Job",
        }
    ],
    "tenant/demo/providers": [{"name": "static"}],
    "tenant/demo/labels": [{"name": "debian-12"}],
    "tenant/demo/nodes": [
        {
            "id": "n1",
            "type": ["debian-12"],
            "provider": "review.example.org%2Finfra/static",
            "interface_ip": "192.0.2.7",
            "state": "in-use",
            "state_time": "2026-01-31T12:00:00",
        }
    ],
    "tenant/demo/nodeset-requests": [
        {"job_name": "unit", "state": "requested", "labels": ["debian-12"], "request_time": None}
    ],
}
Ask = Callable[..., dict[str, Any]]


def http(status: int, text: str = "") -> urllib.error.HTTPError:
    """An answer that is not 200."""
    return urllib.error.HTTPError(URL, status, "", Message(), io.BytesIO(text.encode()))


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a module against answers by path; each of them must be asked for."""
    monkeypatch.setattr("ansible.module_utils._internal.is_controller", False)

    def run(name: str, answers: dict[str, Any], **params: Any) -> dict[str, Any]:
        left = dict(answers)

        def open_url(url: str, **options: Any) -> io.BytesIO:
            assert options["method"] == "GET"
            assert options["ca_path"] == params.get("ca_path")
            answer = left.pop(url.removeprefix(API))
            if isinstance(answer, Exception):
                raise answer
            return io.BytesIO(answer.encode() if isinstance(answer, str) else json.dumps(answer).encode())

        monkeypatch.setattr(f"{CLIENT}.open_url", open_url)
        module = importlib.import_module(f"ansible_collections.xenci.stack.plugins.modules.{name}")
        with patch_module_args({"url": f"{URL}/", **params}), pytest.raises(SystemExit):
            module.main()
        assert left == {}, f"not asked: {list(left)}"
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return run


def test_status(ask: Ask) -> None:
    components = {"executor": [{"hostname": "executor", "state": "running", "version": "14.3.0"}]}
    answers = {"components": components, "tenants": [{"name": "demo"}, {"name": "other"}]}
    result = ask("zuul_status_info", answers)
    assert (result["reachable"], result["changed"]) == (True, False)
    assert (result["components"], result["tenants"]) == (components, ["demo", "other"])


def test_tenant(ask: Ask) -> None:
    result = ask("zuul_tenant_info", ANSWERS, tenant="demo")
    assert result["loaded"]
    assert result["last_reconfigured"] == 1769860800
    assert result["events"] == {
        "trigger": 4,
        "management": 5,
        "result": 4,
        "connections": {"gerrit": 2},
        "paused": True,
        "discarding": False,
    }
    assert result["pipelines"] == [{"name": "check", "items": 2, "oldest": 1769860890, "state": "normal"}]
    assert result["config_errors"][0] == {
        "project": "infra",
        "branch": "master",
        "path": "zuul.d/jobs.yaml",
        "severity": "error",
        "name": "Unknown Job",
        "message": "Job x not defined",
    }
    assert (result["providers"], result["labels"]) == (["static"], ["debian-12"])
    assert result["nodes"][0] | {"since": 0} == {
        "id": "n1",
        "label": "debian-12",
        "provider": "review.example.org%2Finfra/static",
        "address": "192.0.2.7",
        "state": "in-use",
        "since": 0,
    }
    assert result["node_requests"][0]["requested"] is None
    assert result["last_buildset"]["ended"] == result["nodes"][0]["since"] + 7
    assert (result["last_buildset"]["project"], result["last_buildset"]["change"]) == ("hypervisor-tools", 7)


def test_tenant_that_has_tested_nothing(ask: Ask) -> None:
    answers = ANSWERS | {"tenant/demo/buildsets?complete=true&limit=1": []}
    assert ask("zuul_tenant_info", answers, tenant="demo")["last_buildset"] is None


def test_tenant_whose_layout_is_not_loaded(ask: Ask) -> None:
    result = ask("zuul_tenant_info", {"tenant/demo/status": http(422)}, tenant="demo")
    assert (result["reachable"], result["loaded"]) == (True, False)


def test_unknown_tenant(ask: Ask) -> None:
    answers = {"tenant/dem%2Fo/status": http(404), "tenants": [{"name": "demo"}]}
    result = ask("zuul_tenant_info", answers, tenant="dem/o")
    assert result["failed"]
    assert result["msg"] == "Zuul has no tenant 'dem/o'; it has: demo."


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (REFUSED, ["cannot be reached", "Is Zuul's web server running"]),
        (urllib.error.URLError(TimeoutError("timed out")), ["no answer within 30 s"]),
        (urllib.error.URLError(ssl.SSLCertVerificationError(1, "self-signed")), ["not trusted", "ca_path"]),
        (http(502, "<html>"), ["the proxy is up"]),
        (http(500, "boom"), ["answers 500", "journalctl -u zuul-web"]),
        (http(401), ["wants a login"]),
        (http(302), ["redirects", "final address"]),
        (http(418, "teapot"), ["answers 418", "teapot"]),
        ("<!DOCTYPE html>", ["Check url"]),
    ],
)
def test_refusal_says_what_to_do(ask: Ask, answer: Any, words: list[str]) -> None:
    result = ask("zuul_status_info", {"components": answer})
    assert result["failed"]
    for word in words:
        assert word in result["msg"]


@pytest.mark.parametrize("answer", [REFUSED, http(503), http(500)])
def test_a_server_that_may_be_down(ask: Ask, answer: Exception) -> None:
    result = ask("zuul_status_info", {"components": answer}, must_answer=False)
    assert "failed" not in result
    assert result["reachable"] is False
    assert URL in result["reason"]


def test_distrust_is_not_taken_for_a_server_that_is_down(ask: Ask) -> None:
    answer = urllib.error.URLError(ssl.SSLCertVerificationError(1, "self-signed"))
    assert ask("zuul_status_info", {"components": answer}, must_answer=False)["failed"]


def test_url_without_scheme(ask: Ask) -> None:
    assert "https://" in ask("zuul_status_info", {}, url="zuul.example.org")["msg"]
