"""A change on its way: approved, planned, merged, applied; and everything that must not get through."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.runs.bastion import Bastion, bastion
from tests.runs.conftest import WORD, git
from xenci.bastion.requests import parse
from xenci.cli import errors
from xenci.runs.store import APPLIED, CHANGES, REFUSED

__all__ = ["bastion"]
THREADS = "group_vars/service/service.yml"
WORDS = "group_vars/other/other.yml"


def live(bastion: Bastion, host: str, name: str) -> str:
    return (bastion.bench.hosts / host / name).read_text()


def test_from_approval_to_report(bastion: Bastion) -> None:
    bastion.propose(7, {THREADS: "service_threads: 8\n"})
    bastion.approve(7)
    code, text = bastion.answer("plan 7,1")
    assert code == errors.CHANGES
    assert "+threads = 8" in text
    assert WORD not in text
    assert bastion.review.posted == [("plan", CHANGES, text, "7,1")]
    assert "threads = 4" in live(bastion, "one", "settings.ini")
    tip = bastion.merge(7)
    code, text = bastion.answer("apply")
    assert code == 0, text
    assert "threads = 8" in live(bastion, "two", "settings.ini")
    assert bastion.review.posted[1][:2] == ("apply", APPLIED)
    assert bastion.review.posted[1][3] == "7,1"
    # Asked again, the stored result; nothing runs, and nothing is posted twice.
    code, text = bastion.answer("apply")
    assert (code, text.startswith(f"already live with commit {tip[:12]}")) == (0, True)
    assert len(bastion.review.posted) == 2
    code, text = bastion.answer("drift")
    assert code == 0, text
    code, text = bastion.answer("status")
    assert f"live:        commit {tip[:12]}" in text


def test_nothing_of_a_change_is_fetched_before_it_is_approved(bastion: Bastion) -> None:
    trap = "{{ lookup('pipe', 'touch %s') }}" % (bastion.bench.hosts / "trapped")
    bastion.propose(8, {WORDS: f'other_word: "{trap}"\n'})
    code, text = bastion.answer("plan 8,1")
    assert (code, text) == (errors.REFUSED, "refused: nobody allowed it\n")
    assert not (bastion.bench.hosts / "trapped").exists()
    assert not bastion.settings.infra.exists()


def test_what_stands_on_another_change_is_planned_with_it(bastion: Bastion) -> None:
    bastion.propose(7, {THREADS: "service_threads: 8\n"})
    bastion.propose(9, {WORDS: "other_word: goodbye\n"}, onto="change-7")
    bastion.approve(7, 9)
    _, text = bastion.answer("plan 9,1")
    assert "+threads = 8" in text
    assert "+goodbye" in text


def test_a_merge_that_nobody_planned_is_not_applied(bastion: Bastion) -> None:
    bastion.propose(7, {THREADS: "service_threads: 8\n"})
    bastion.merge(7)
    code, text = bastion.answer("apply")
    assert code == errors.REFUSED
    assert "was never planned" in text
    assert bastion.worker.store.all()[0].result == REFUSED
    assert "threads = 4" in live(bastion, "one", "settings.ini")


def test_a_patch_set_after_the_plan_is_not_applied(bastion: Bastion) -> None:
    bastion.propose(7, {THREADS: "service_threads: 8\n"})
    bastion.approve(7)
    bastion.answer("plan 7,1")
    bastion.propose(7, {THREADS: "service_threads: 9\n"})
    bastion.merge(7)
    code, text = bastion.answer("apply")
    assert code == errors.REFUSED
    assert "was never planned" in text
    assert "threads = 4" in live(bastion, "one", "settings.ini")


def test_two_merges_at_once_are_applied_once(bastion: Bastion) -> None:
    bastion.propose(7, {THREADS: "service_threads: 8\n"})
    bastion.propose(9, {WORDS: "other_word: goodbye\n"})
    for number in (7, 9):
        bastion.approve(number)
        bastion.answer(f"plan {number},1")
    bastion.merge(7)
    tip = bastion.merge(9)
    first, second = bastion.ask("apply"), bastion.ask("apply")
    bastion.worker.work()
    answers = [bastion.worker.spool.answered(name) for name in (first, second)]
    assert all(answer and answer.code == 0 for answer in answers)
    assert sum("already live with commit " + tip[:12] in answer.text for answer in answers if answer) == 1
    assert "threads = 8" in live(bastion, "one", "settings.ini")
    assert live(bastion, "two", "other") == "goodbye\n"
    assert {post[3] for post in bastion.review.posted if post[0] == "apply"} == {
        "7,1",
        "9,1",
    }


def test_a_host_that_was_changed_by_hand_is_not_overwritten_unseen(bastion: Bastion) -> None:
    bastion.propose(7, {THREADS: "service_threads: 8\n"})
    bastion.approve(7)
    bastion.answer("plan 7,1")
    bastion.merge(7)
    path = bastion.bench.hosts / "two/settings.ini"
    path.write_text(path.read_text() + "by hand\n")
    code, text = bastion.answer("apply")
    assert code == errors.REFUSED
    assert "two: configure | Render the settings" in text
    assert bastion.review.posted[-1][:2] == ("apply", REFUSED)
    assert path.read_text().endswith("by hand\n")


def test_killed_before_the_report_it_is_posted_all_the_same(
    bastion: Bastion, monkeypatch: pytest.MonkeyPatch
) -> None:
    bastion.propose(9, {WORDS: "other_word: goodbye\n"})
    bastion.approve(9)
    bastion.answer("plan 9,1")
    bastion.merge(9)
    name = bastion.ask("apply")

    def killed(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(bastion.review, "post", killed)
        with pytest.raises(SystemExit):
            bastion.worker.work()
    assert bastion.worker.spool.waiting() == [name]
    bastion.worker.work()
    kind, result, text, change = bastion.review.posted[-1]
    assert (kind, result, change) == ("apply", APPLIED, "9,1")
    assert "two: configure | Write it" in text


@pytest.mark.parametrize("pin", ["master", "--upload-pack=".ljust(40, "x"), "0123abcd", "[]"])
def test_a_commit_of_xenci_is_a_commit(bastion: Bastion, pin: str) -> None:
    bastion.propose(7, {"group_vars/all/code.yml": f"bastion_xenci_commit: '{pin}'\n"})
    bastion.approve(7)
    code, text = bastion.answer("plan 7,1")
    assert code == errors.UNFIT
    assert "must be one whole commit" in text


def test_without_review_is_said_in_the_next_report(bastion: Bastion) -> None:
    store = bastion.worker.store
    with store.run("apply", "carla", break_glass="Gerrit was down", commit="0" * 40) as writer:
        writer.end("failed")
    _, text = bastion.answer("drift")
    assert "by carla: Gerrit was down" in text
    _, text = bastion.answer("drift")
    assert "carla" not in text


def test_a_commit_of_xenci_that_is_not_merged_is_not_run(bastion: Bastion) -> None:
    code = bastion.bench.site.root
    git(code, "checkout", "--quiet", "-b", "evil")
    git(code, "commit", "--quiet", "--allow-empty", "--message", "evil")
    evil = git(code, "rev-parse", "HEAD")
    git(code, "checkout", "--quiet", "master")
    bastion.propose(7, {"group_vars/all/code.yml": f"bastion_xenci_commit: {evil}\n"})
    bastion.approve(7)
    code_, text = bastion.answer("plan 7,1")
    assert code_ == errors.UNFIT
    assert text.startswith("git ")
    assert bastion.review.posted == []


def test_an_answer_also_where_something_breaks(bastion: Bastion, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(bastion.worker, "fetch", broken)
    name = bastion.ask("drift")
    with pytest.raises(ZeroDivisionError):
        bastion.worker.work()
    answer = bastion.worker.spool.answered(name)
    assert answer
    assert answer.code == errors.FAILED
    assert bastion.worker.spool.waiting() == []


WORK = """
import sys, time
from pathlib import Path
from tests.runs.bastion import Review
from xenci.bastion.settings import load
from xenci.bastion.worker import Worker
Worker(load(Path(sys.argv[1])), Review()).work()
"""


def test_killed_during_an_apply_it_goes_on(bastion: Bastion) -> None:
    bastion.propose(7, {THREADS: "service_threads: 8\n", WORDS: "other_word: goodbye\n"})
    bastion.approve(7)
    bastion.answer("plan 7,1")
    bastion.merge(7)
    name = bastion.worker.spool.put(parse("apply"))
    settings = bastion.settings.spool.parent / "bastion.json"
    environment = {**os.environ, "PYTHONPATH": "src:."}
    process = subprocess.Popen([sys.executable, "-c", WORK, str(settings)], env=environment)
    changed = bastion.bench.hosts / "one/settings.ini"
    while "threads = 8" not in changed.read_text():
        assert process.poll() is None
    process.kill()
    process.wait()
    assert bastion.worker.spool.waiting() == [name]
    assert bastion.worker.store.all()[0].result == "interrupted"
    bastion.worker.work()
    answer = bastion.worker.spool.answered(name)
    assert answer
    assert answer.code == 0, answer.text
    assert live(bastion, "two", "other") == "goodbye\n"
    assert [one.result for one in bastion.worker.store.all() if one.kind == "apply"] == [
        "applied",
        "interrupted",
        "applied",
    ]
