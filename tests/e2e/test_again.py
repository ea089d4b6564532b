"""Killed, stopped, run again, run twice at once: the next run ends green.

First by its name: when a later test has killed the scheduler, an apply loads what that may have missed.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable

from tests.e2e.conftest import XENCI, Command
from xenci.apply import processes
from xenci.demo.lab import Lab


def test_killed_at_any_moment_and_the_next_run_ends_green(killed: dict[str, int], finished: Command) -> None:
    assert set(killed.values()) == {-signal.SIGKILL}
    assert "good +1, bad -1" in finished.lines[-1]


def test_nothing_is_left_behind(finished: Command, lab: Lab) -> None:
    assert processes.left_behind(lab.runner) == []
    # The one that was killed while it waited listened to the review server's events.
    listed = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    assert [line for line in listed.splitlines() if str(lab.work) in line] == []


def test_run_again_only_proposes_new_changes(
    finished: Command, lab: Lab, demo_up: Callable[[], Command]
) -> None:
    before = json.loads(lab.report.read_text())
    run = demo_up()
    assert run.finish() == 0, run.tail
    after = json.loads(lab.report.read_text())
    assert list(after["phases"]) == ["machine", "lab files", "inventory", "look", "propose", "votes"]
    numbers = {change["number"] for change in before["changes"]} & {
        change["number"] for change in after["changes"]
    }
    assert not numbers, "every run proposes changes of its own"


def test_two_runs_on_one_lab(finished: Command, lab: Lab, demo_up: Callable[[], Command]) -> None:
    with lab.lock():
        second = demo_up()
        assert second.finish() == 4
    assert f"works on lab '{lab.name}'" in second.tail


def test_ctrl_c_says_how_to_go_on_and_a_second_apply_changes_nothing(finished: Command, lab: Lab) -> None:
    lab.applied.unlink()
    run = Command("demo", "up", "--lab", lab.name)
    run.read_until("> Base of every host")
    run.signal(signal.SIGINT)
    assert run.finish() == 130
    assert run.lines[-1] == f"xenci: stopped. Go on with: {XENCI.name} demo up --lab {lab.name}"
    assert processes.left_behind(lab.runner) == []
    again = Command("demo", "up", "--lab", lab.name)
    assert again.finish() == 0, again.tail
    (applied,) = (line for line in again.lines if line.startswith("site.yml: done in"))
    assert re.search(r": \d{3,} ok, 0 changed on \d+ hosts$", applied)
