"""The renderer against a recorded run: no_log, a rescue, retries, a failure, a host that is off."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from xenci.apply.events import Failure, Progress, Task, failure, seconds
from xenci.apply.render import Renderer, failure_lines, last_line, summary_lines, task_line
from xenci.apply.screen import Screen, duration

RECORDED = Path(__file__).parent / "runner_events" / "two_plays.jsonl"


def events() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RECORDED.read_text().splitlines()]


def fed(until: str = "", host: str = "") -> Progress:
    """Progress after the whole recording, or right after the first event with this task and host."""
    progress = Progress()
    for event in events():
        progress.feed(event)
        data = event["event_data"]
        if until and data.get("task") == until and data.get("host", "") == host:
            break
    return progress


def test_every_task_has_its_outcomes() -> None:
    outcomes = {task.name: task.outcomes for task in fed().tasks}
    assert outcomes == {
        "install | Say hello": {"a": "changed", "b": "ok"},
        "Loop": {"a": "ok", "b": "ok"},
        "Skipped": {"a": "skipped", "b": "skipped"},
        "Fails but rescued": {"a": "failed", "b": "failed"},
        "Rescue it": {"a": "ok", "b": "ok"},
        "Retry": {"a": "changed", "b": "changed"},
        "Ignored": {"a": "ignored", "b": "ignored"},
        "Change": {"a": "changed", "b": "changed"},
        "Poke": {"a": "changed", "b": "changed"},
        "service | Fail on b": {"a": "changed", "b": "failed", "c": "unreachable"},
        "After": {"a": "ok"},
    }


def test_what_a_rescue_caught_is_no_failure_in_the_end() -> None:
    final = fed().final_failures()
    assert [(entry.host, entry.task) for entry in final] == [
        ("c", "service | Fail on b"),
        ("b", "service | Fail on b"),
    ]


def test_a_task_that_runs_knows_its_hosts_and_since_when() -> None:
    task = fed("install | Say hello", "b").task
    assert task is not None
    assert list(task.running) == ["a", "b"]
    assert 0 < task.running["b"] - task.started < 1


def test_retries_and_items_are_noted_while_they_run() -> None:
    progress, notes = Progress(), []
    for event in events():
        progress.feed(event)
        if event["event"] == "runner_retry":
            assert progress.task is not None
            notes.append(progress.task.notes[event["event_data"]["host"]])
        if event["event"] == "runner_item_on_ok":
            assert progress.task is not None
            assert progress.task.notes[event["event_data"]["host"]] == "", "no_log items have no name"
    assert notes == ["try 1 of 4", "try 1 of 4"]


def test_totals_and_slowest() -> None:
    progress = fed()
    assert (progress.total("ok"), progress.total("changed"), progress.total("dark")) == (16, 10, 1)
    assert [task.name for task in progress.slowest(2, at_least=0.5)] == ["Retry", "install | Say hello"]


def test_plain_output_of_the_whole_run() -> None:
    stream = io.StringIO()
    renderer = Renderer(Screen(stream))
    for event in events():
        renderer.event(event)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "> First play"
    assert lines[1].startswith("  install | Say hello: changed a (1.0 s)")
    assert "  b failed: service | Fail on b: non-zero return code" in lines
    assert not [line for line in lines if "Skipped" in line], "nothing to say about a task without a change"


def test_what_is_shown_while_a_task_runs() -> None:
    renderer = Renderer(Screen(io.StringIO()), clock=lambda: seconds(events()[5]["created"]) + 12)
    for event in events()[:6]:
        renderer.event(event)
    assert renderer.now() == ["First play", "install | Say hello", "b 13 s"]


def test_between_two_tasks_something_is_said() -> None:
    renderer = Renderer(Screen(io.StringIO()))
    for event in events():
        renderer.event(event)
    assert renderer.now() == ["Second play", "no task runs: Ansible ends a play or prepares the next"]


def test_before_the_first_task_something_is_said() -> None:
    renderer = Renderer(Screen(io.StringIO()), clock=lambda: 100.0)
    assert renderer.now() == ["ansible-playbook is starting (0.0 s)"]


@pytest.mark.parametrize(
    ("result", "message", "output"),
    [
        ({"msg": "no such file", "stderr": "line 1\n\nline 2"}, "no such file", ("line 1", "line 2")),
        (
            {"censored": "hidden", "msg": "secret"},
            "the result is hidden by no_log; run the task by hand to see it",
            (),
        ),
        (
            {
                "msg": "All items completed",
                "results": [{"failed": False}, {"failed": True, "msg": "item 2 broke"}],
            },
            "item 2 broke",
            (),
        ),
        ({}, "no message", ()),
        (
            {"msg": "x", "module_stdout": "Traceback", "stdout": "o", "stderr": "e"},
            "x",
            ("Traceback", "o", "e"),
        ),
    ],
)
def test_message_and_output_of_a_failure(
    result: dict[str, Any], message: str, output: tuple[str, ...]
) -> None:
    task = Task("play", "task", "role", "ansible.builtin.command", "file:1", 0.0)
    found = failure(task, "host", result)
    assert (found.message, found.output, found.unit) == (message, output, "")


def test_a_failure_of_a_service_names_its_unit() -> None:
    task = Task("play", "service | Run it", "zuul_web", "ansible.builtin.systemd_service", "file:1", 0.0)
    found = failure(
        task, "ci", {"msg": "failed", "invocation": {"module_args": {"name": "zuul-web.service"}}}
    )
    assert found.unit == "zuul-web.service"
    lines = failure_lines(found, ["the last line"])
    assert lines[0] == "FAILED on ci: zuul_web : service | Run it"
    assert lines[-2:] == ["  end of the journal of zuul-web.service on ci", "    the last line"]


def test_a_long_message_keeps_its_end() -> None:
    entry = Failure("h", "t", "p", "f", "a", "\n".join(f"line {n}" for n in range(50)), ())
    lines = failure_lines(entry, [])
    assert "  message  … 30 lines left out" in lines
    assert lines[-1].strip() == "line 49"


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ("failed", "apply: FAILED after 75 s on b, c in 'service | Fail on b': 16 ok, 10 changed on 3 hosts"),
        ("canceled", "apply: stopped after 75 s: 16 ok, 10 changed on 3 hosts"),
        ("successful", "apply: done in 75 s: 16 ok, 10 changed on 3 hosts"),
    ],
)
def test_the_last_line(status: str, line: str) -> None:
    assert last_line(fed(), "apply", status, 75.0) == line


def test_the_summary_names_the_slowest_tasks() -> None:
    assert summary_lines(fed())[0] == "slowest tasks"
    assert summary_lines(fed())[1].split() == ["1.5", "s", "Retry", "(First", "play)"]
    assert summary_lines(Progress()) == []


@pytest.mark.parametrize(
    ("took", "outcomes", "line"),
    [
        (0.5, {"a": "ok"}, ""),
        (4.0, {"a": "ok"}, "  r : t: ok (4.0 s)"),
        (0.5, {"a": "changed", "b": "ok"}, "  r : t: changed a (0.5 s)"),
        (0.5, dict.fromkeys("abcd", "changed"), "  r : t: changed on 4 hosts (0.5 s)"),
        (0.5, {"a": "unreachable", "b": "failed"}, "  r : t: failed b; unreachable a (0.5 s)"),
    ],
)
def test_the_line_of_a_task(took: float, outcomes: dict[str, str], line: str) -> None:
    assert task_line(Task("p", "t", "r", "a", "f", 100.0, ended=100.0 + took, outcomes=outcomes)) == line


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (185.2, "3 min 5 s"),
    ],
)
def test_durations(value: float, text: str) -> None:
    assert duration(value) == text


def test_a_screen_without_a_terminal_says_what_it_waits_for() -> None:
    said = threading.Event()

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            said.set()
            return super().write(text)

    stream = Stream()
    with Screen(stream, heartbeat=0.01).now(lambda: ["site.yml", "slow task", "ci 40 s", "more"]):
        assert said.wait(10)
    assert "  … site.yml · slow task · ci 40 s" in stream.getvalue().splitlines()
