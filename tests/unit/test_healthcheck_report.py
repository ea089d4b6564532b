"""The screen of a health check: a healthy site has no problem, and each fault is named with place and fix."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from typing import Any

import pytest

from xenci import cli, playbook
from xenci.cli import errors

NOW = 1769860800.0
LIMITS = {"events": 50, "request_seconds": 3600, "certificate_days": 14}
EXPECTED = {"scheduler": ["ci"], "executor": ["executor", "executor2"]}
WELL: dict[str, Any] = {
    "hosts": {
        "ci": [
            "unit zookeeper.service active",
            "unit zuul-scheduler.service active",
            "stream 1",
            "certificate /etc/xenci/pki/zuul.crt 300",
        ],
        "executor": ["unit zuul-executor.service active", "certificate /etc/xenci/pki/zuul.crt 200"],
        "node1": [],
    },
    "urls": [{"name": "log server", "url": "https://logs.test/", "status": 200, "msg": "OK"}],
    "zuul": {
        "reachable": True,
        "tenants": ["demo"],
        "components": {
            "scheduler": [{"hostname": "ci", "state": "running", "version": "14.3.0"}],
            "executor": [
                {"hostname": "executor.demo.test", "state": "running", "version": "14.3.0"},
                {"hostname": "executor2.demo.test", "state": "running", "version": "14.3.0"},
            ],
        },
    },
    "tenant": {
        "name": "demo",
        "reachable": True,
        "loaded": True,
        "zuul_version": "14.3.0",
        "last_reconfigured": NOW - 7200,
        "config_errors": [],
        "events": {
            "trigger": 0,
            "management": 0,
            "result": 0,
            "connections": {"gerrit": 0},
            "paused": False,
            "discarding": False,
        },
        "pipelines": [{"name": "check", "items": 1, "oldest": NOW - 130, "state": "normal"}],
        "providers": ["static"],
        "nodes": [{"state": "ready"}, {"state": "in-use"}, {"state": "ready"}],
        "node_requests": [],
        "last_buildset": {
            "result": "SUCCESS",
            "pipeline": "check",
            "project": "hypervisor-tools",
            "change": 7,
            "ended": NOW - 240,
        },
    },
}
ERROR = {
    "project": "infra",
    "path": "zuul.d/jobs.yaml",
    "branch": "master",
    "severity": "error",
    "message": "no x",
}
Break = Callable[[dict[str, Any]], object]


def report(answers: dict[str, Any]) -> dict[str, list[str]]:
    """What the filter makes of answers."""
    module = importlib.import_module("plugins.filter.healthcheck_report")
    filters: dict[str, Any] = module.FilterModule().filters()
    made: dict[str, list[str]] = filters["healthcheck_report"](answers, EXPECTED, LIMITS, NOW)
    return made


def test_a_healthy_site() -> None:
    made = report(WELL)
    assert made["problems"] == []
    screen = "\n".join(made["lines"])
    for text in (
        "executor      executor running, executor2 running",
        "tenant        demo, loaded 2 h ago, Zuul 14.3.0",
        "events        waiting: 0 trigger, 0 management, 0 result, 0 of gerrit",
        "pipelines     check 1, the oldest 2 min ago",
        "nodes         1 in-use, 2 ready; 0 jobs wait; providers static",
        "last result   SUCCESS, check of hypervisor-tools 7, 4 min ago",
        "hosts         3 of 3 answer, 3 services are active",
        "event stream  connected",
        "certificates  the first ends in 200 days: /etc/xenci/pki/zuul.crt on executor",
        "log server    https://logs.test/ answers",
    ):
        assert text in screen
    assert len(made["lines"]) < 24, "one screen"


def test_a_site_that_has_tested_nothing_yet_is_well() -> None:
    answers = copy.deepcopy(WELL)
    answers["tenant"] |= {"last_buildset": None, "nodes": []}
    assert report(answers)["problems"] == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda a: a["hosts"].update(node1=None), "node1 can't be reached over SSH"),
        (
            lambda a: a["hosts"]["ci"].append("unit x.service failed"),
            "x.service on ci is failed: see journalctl",
        ),
        (lambda a: a["hosts"]["ci"].append("unit x.service silent"), "x.service on ci does not answer: see"),
        (
            lambda a: a["hosts"]["ci"].append("certificate /c.crt 13"),
            "/c.crt on ci ends in 13 days: run xenci",
        ),
        (
            lambda a: a["hosts"]["ci"].remove("stream 1") or a["hosts"]["ci"].append("stream 0"),
            "no scheduler",
        ),
        (lambda a: a["urls"][0].update(status=-1, msg="refused"), "https://logs.test/ gives -1: refused"),
        (
            lambda a: a["zuul"]["components"].pop("scheduler"),
            "scheduler on ci is not registered: see journalctl",
        ),
        (
            lambda a: a["zuul"]["components"]["executor"][1].update(state="paused"),
            "executor on executor2 is paused",
        ),
        (lambda a: a["tenant"].update(loaded=False), "tenant demo is not loaded: see"),
        (lambda a: a["tenant"].update(reachable=False, reason="answers 500"), "tenant demo: answers 500"),
        (
            lambda a: a["tenant"]["config_errors"].append(ERROR),
            "infra/zuul.d/jobs.yaml of branch master does not",
        ),
        (lambda a: a["tenant"]["events"].update(trigger=51), "51 events trigger wait, more than 50"),
        (lambda a: a["tenant"]["events"]["connections"].update(gerrit=99), "99 events of gerrit wait"),
        (lambda a: a["tenant"]["events"].update(paused=True), "events paused: end it with zuul-client"),
        (lambda a: a["tenant"]["pipelines"][0].update(state="error"), "pipeline check is in state error"),
        (lambda a: a["tenant"].update(providers=[]), "there is no provider"),
        (
            lambda a: a["tenant"]["node_requests"].append(
                {"job": "unit", "state": "requested", "labels": ["debian-12"], "requested": NOW - 7300}
            ),
            "job unit has waited 2 h for debian-12",
        ),
    ],
)
def test_a_fault_is_named(wrong: Break, words: str) -> None:
    answers = copy.deepcopy(WELL)
    wrong(answers)
    (problem,) = report(answers)["problems"]
    assert words in problem


def test_zuul_does_not_answer() -> None:
    down = {"reachable": False, "reason": "https://ci.test cannot be reached"}
    answers = WELL | {"zuul": down, "tenant": {"name": "demo", **down}}
    assert report(answers)["problems"] == ["Zuul's web server: https://ci.test cannot be reached"]


def test_many_errors_do_not_fill_the_screen() -> None:
    answers = copy.deepcopy(WELL)
    answers["tenant"]["config_errors"] = [ERROR] * 9 + [ERROR | {"severity": "warning"}]
    problems = report(answers)["problems"]
    assert len(problems) == 4
    assert "6 more errors" in problems[-1]


def shown(*problems: str) -> list[playbook.Answer]:
    """Answers of the playbook, one host not reached."""
    judged = {"failed": True, "msg": list(problems)} if problems else {"msg": "All assertions passed"}
    return [
        playbook.Answer("healthcheck : host | Ask", "node1", {"unreachable": True, "msg": "timed out"}),
        playbook.Answer("healthcheck : report | Show it", "localhost", {"msg": ["hosts 3"]}),
        playbook.Answer("healthcheck : report | Events flow", "localhost", judged),
    ]


@pytest.mark.parametrize(
    ("problems", "code", "last"),
    [
        ((), 0, "health: events flow"),
        (("node1 can't be reached",), errors.FAILED, "health: 1 problem"),
        (("a", "b"), errors.FAILED, "health: 2 problems"),
    ],
)
def test_the_command(
    problems: tuple[str, ...],
    code: int,
    last: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(playbook, "run", lambda *_, **__: shown(*problems))
    assert cli.main(["health", "-i", "inventories/demo"]) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["hosts 3", *(f"- {problem}" for problem in problems), last]


def test_the_command_when_a_task_breaks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = [playbook.Answer("report | Ask Zuul", "localhost", {"failed": True, "msg": "not trusted"})]
    monkeypatch.setattr(playbook, "run", lambda *_, **__: broken)
    assert cli.main(["health", "-i", "inventories/demo"]) == errors.FAILED
    assert "- report | Ask Zuul on localhost: not trusted" in capsys.readouterr().out
