"""Plan, apply, drift: what is shown first is what is done then, and nothing else."""

from __future__ import annotations

import json

import pytest

from tests.runs.conftest import WORD, Bench, git
from xenci.plan import model, text
from xenci.runs import apply, drift, plan, store
from xenci.runs.repository import RepositoryError
from xenci.secrets import SecretsError


def test_from_nothing_to_no_difference(bench: Bench) -> None:
    first = plan.plan(bench.site, bench.screen)
    assert first.run.result == store.CHANGES
    assert apply.apply(bench.site, bench.screen).run.result == store.APPLIED
    assert (bench.hosts / "one/settings.ini").read_text().splitlines()[1] == "threads = 4"
    again = plan.plan(bench.site, bench.screen)
    assert (again.run.result, again.plan.changes, again.plan.unknowns) == (store.NOTHING, (), ())
    assert again.plan.hosts == ("localhost", "one", "two")
    assert again.run.commit == git(bench.infra, "rev-parse", "HEAD")


def test_a_plan_shows_what_an_apply_does(bench: Bench) -> None:
    bench.be_applied()
    (bench.hosts / "one/old").write_text("a\n")
    bench.set("group_vars/service/service.yml", "service_threads: 8\n")
    bench.commit("more threads")
    planned = plan.plan(bench.site, bench.screen)
    assert planned.run.result == store.CHANGES
    assert [(one.host, one.service, one.effect) for one in planned.plan.changes] == [
        ("one", "service", ""),
        ("two", "service", ""),
        ("one", "service", model.DELETES),
    ]
    shown = bench.site.store.read(planned.run, "report.txt")
    assert "-threads = 4" in shown
    assert "+threads = 8" in shown
    assert shown.index("deletes") < shown.index("+threads = 8")
    assert {(gap.host, gap.what) for gap in planned.plan.unknowns} == {
        (host, task) for host in ("one", "two") for task in ("service | Load it", "service | Wait for it")
    }
    assert WORD not in shown
    done = apply.apply(bench.site, bench.screen, agreed=[planned.run])
    assert done.run.result == store.APPLIED
    assert (bench.hosts / "two/settings.ini").read_text().splitlines()[1] == "threads = 8"
    assert not (bench.hosts / "one/old").exists()
    assert {one.key for one in planned.plan.changes} <= {one.key for one in done.plan.changes}
    report = bench.site.store.read(done.run, "report.txt")
    assert "done beyond what check mode could tell\n  one: service | Load it" in report


def test_no_log_changes_are_seen_and_not_shown(bench: Bench) -> None:
    bench.be_applied()
    (bench.hosts / "two/key").write_text("something else\n")
    found = plan.plan(bench.site, bench.screen)
    assert [(one.host, one.task, one.lines) for one in found.plan.changes] == [
        ("two", "configure | Write the key", ("the content is hidden (no_log)",))
    ]


def test_a_change_is_planned_merged_and_only_as_far_as_it_reaches(bench: Bench) -> None:
    bench.be_applied()
    (bench.hosts / "one/settings.ini").write_text("by hand\n")
    git(bench.infra, "checkout", "--quiet", "-b", "words")
    bench.set("group_vars/other/other.yml", "other_word: goodbye\n")
    bench.commit("another word")
    git(bench.infra, "checkout", "--quiet", "master")
    bench.set("group_vars/service/service.yml", "service_threads: 5\n")
    bench.commit("meanwhile")
    found = plan.plan(bench.site, bench.screen, commits=["words"], change="words")
    assert [(one.host, one.lines) for one in found.plan.changes] == [("two", ("-hello", "+goodbye"))]
    assert found.plan.left == ("service",)
    assert len(found.run.patches) == 1
    assert (bench.hosts / "two/other").read_text() == "hello\n"
    assert git(bench.infra, "worktree", "list").count("\n") == 0
    everything = plan.plan(bench.site, bench.screen, commits=["words"], everything=True)
    assert {one.host for one in everything.plan.changes} == {"one", "two"}


def test_a_change_to_something_else_touches_no_host(bench: Bench) -> None:
    git(bench.infra, "checkout", "--quiet", "-b", "readme")
    (bench.infra / "README").write_text("hello\n")
    bench.commit("read me")
    git(bench.infra, "checkout", "--quiet", "master")
    found = plan.plan(bench.site, bench.screen, commits=["readme"])
    assert (found.run.result, found.plan.left) == (store.NOTHING, ("site", "service", "other"))


def test_what_can_not_be_merged_is_said(bench: Bench) -> None:
    git(bench.infra, "checkout", "--quiet", "-b", "words")
    bench.set("group_vars/other/other.yml", "other_word: goodbye\n")
    bench.commit("another word")
    git(bench.infra, "checkout", "--quiet", "master")
    bench.set("group_vars/other/other.yml", "other_word: farewell\n")
    bench.commit("yet another")
    with pytest.raises(RepositoryError, match=r"can't be merged into .*: rebase it"):
        plan.plan(bench.site, bench.screen, commits=["words"])
    assert bench.site.store.all() == []
    assert git(bench.infra, "worktree", "list").count("\n") == 0


@pytest.mark.parametrize("by_hand", ["other", "same"])
def test_a_host_that_was_changed_since_the_plan_is_not_applied(bench: Bench, by_hand: str) -> None:
    bench.be_applied()
    bench.set("group_vars/service/service.yml", "service_threads: 8\n")
    bench.commit("more threads")
    planned = plan.plan(bench.site, bench.screen)
    edited = bench.hosts / ("two/other" if by_hand == "other" else "two/settings.ini")
    edited.write_text(edited.read_text() + "by hand\n")
    outcome = apply.apply(bench.site, bench.screen, agreed=[planned.run])
    assert outcome.run.result == store.REFUSED
    why = "no plan has it" if by_hand == "other" else "it would change otherwise than planned"
    assert why in bench.site.store.read(outcome.run, "report.txt")
    assert "threads = 4" in (bench.hosts / "one/settings.ini").read_text()


def test_what_was_done_already_is_no_surprise(bench: Bench) -> None:
    bench.be_applied()
    bench.set("group_vars/service/service.yml", "service_threads: 8\n")
    bench.commit("more threads")
    planned = plan.plan(bench.site, bench.screen)
    assert (
        apply.apply(bench.site, bench.screen, limit="one", agreed=[planned.run]).run.result == store.APPLIED
    )
    outcome = apply.apply(bench.site, bench.screen, agreed=[planned.run])
    assert outcome.run.result == store.APPLIED
    assert {one.host for one in outcome.plan.changes} == {"two"}
    assert apply.apply(bench.site, bench.screen, agreed=[planned.run]).run.message == "nothing left to do"


def test_the_first_failure_ends_an_apply_and_a_second_one_goes_on(bench: Bench) -> None:
    bench.be_applied()
    bench.set("group_vars/service/service.yml", "service_threads: 8\n")
    bench.set("group_vars/other/other.yml", "other_word: goodbye\n")
    bench.commit("both")
    planned = plan.plan(bench.site, bench.screen)
    playbook = bench.site.root / "playbooks/configure_service.yml"
    good = playbook.read_text()
    playbook.write_text(good.replace("ansible.builtin.command: touch", "ansible.builtin.command: /bin/false"))
    failed = apply.apply(bench.site, bench.screen, agreed=[planned.run])
    assert failed.run.result == store.FAILED
    report = bench.site.store.read(failed.run, "report.txt")
    assert "FAILED on one: service | Load it" in report
    assert "not done\n  two: configure | Write it" in report
    assert (bench.hosts / "two/other").read_text() == "hello\n"
    playbook.write_text(good)
    assert apply.apply(bench.site, bench.screen, agreed=[planned.run]).run.result == store.APPLIED
    assert (bench.hosts / "two/other").read_text() == "goodbye\n"


def test_drift_names_host_task_file_and_difference(bench: Bench) -> None:
    bench.be_applied()
    path = bench.hosts / "one/settings.ini"
    path.write_text(path.read_text().replace("mode = plain", "mode = fancy"))
    found = plan.plan(bench.site, bench.screen, kind="drift")
    (one,) = found.plan.changes
    assert (one.host, one.task, one.subject) == ("one", "configure | Render the settings", str(path))
    assert "-mode = fancy" in one.lines
    assert "+mode = plain" in one.lines
    assert one.by.startswith("changed 20")
    assert f"      {one.by}\n" in bench.site.store.read(found.run, "report.txt")
    metrics = drift.metrics(found)
    assert 'xenci_drift_differences{host="one"} 1\n' in metrics
    assert 'xenci_drift_differences{host="two"} 0\n' in metrics
    assert "mode = fancy" in drift.page(found)
    assert path.read_text().count("fancy") == 1


def test_a_host_that_is_not_reached_is_unknown(bench: Bench) -> None:
    bench.be_applied()
    bench.set(
        "host_vars/two/connection.yml", "ansible_connection: ssh\nansible_host: 127.0.0.1\nansible_port: 1\n"
    )
    bench.commit("lost")
    found = plan.plan(bench.site, bench.screen, kind="drift")
    assert found.run.result == store.FAILED
    assert found.plan.unreachable == ("two",)
    assert [gap.what for gap in found.plan.unknowns] == ["every task"]
    assert 'xenci_drift_compared{host="two"} 0\n' in drift.metrics(found)
    assert "not reached  two" in bench.site.store.read(found.run, "report.txt")
    outcome = apply.apply(bench.site, bench.screen, agreed=[found.run])
    assert outcome.run.result == store.REFUSED


def test_an_inventory_whose_secrets_are_not_known_is_not_planned(bench: Bench) -> None:
    assert bench.site.password_file
    bench.site.password_file.write_text("another\n")
    with pytest.raises(SecretsError, match="can't be decrypted"):
        plan.plan(bench.site, bench.screen)


def test_a_rotated_secret_shows_neither_the_old_nor_the_new(bench: Bench) -> None:
    bench.be_applied()
    bench.secrets("a-word-of-today")
    bench.commit("rotated")
    found = plan.plan(bench.site, bench.screen)
    shown = bench.site.store.read(found.run, "report.txt") + bench.output.getvalue()
    assert "pass = <secret>" in shown
    for word in (WORD, "a-word-of-today"):
        assert word not in shown


def test_an_ansible_that_can_not_begin_says_why(bench: Bench) -> None:
    """Also without a secret that its words may hold."""
    (bench.site.root / "playbooks/configure_other.yml").write_text(f"- hosts: other\n  {WORD}: [\n")
    planned = plan.plan(bench.site, bench.screen)
    assert planned.run.result == "failed"
    assert planned.run.message.startswith("Ansible could not begin: ")
    assert len(planned.run.message) > len("Ansible could not begin: ")
    assert WORD not in planned.run.message
    assert planned.run.message in bench.site.store.read(planned.run, "report.txt")


def test_no_files_of_a_run_are_left(bench: Bench) -> None:
    bench.be_applied()
    plan.plan(bench.site, bench.screen)
    assert [path.name for path in bench.site.state.iterdir()] == []
    run = bench.site.store.all()[0]
    events = [json.loads(line) for line in bench.site.store.read(run, "events.jsonl").splitlines()]
    assert events[-1]["event"] == "playbook_on_stats"


def test_the_review_gets_what_fits_and_where_the_rest_is(bench: Bench) -> None:
    bench.be_applied()
    bench.set("group_vars/other/other.yml", "other_word: |\n" + "".join(f"  line {n}\n" for n in range(3000)))
    bench.commit("long")
    found = plan.plan(bench.site, bench.screen)
    limits = text.Limits(lines=0, characters=14000)
    shown = text.whole(found.plan, plan.heading(found.run), limits, "https://bastion/1")
    assert len(shown.encode()) < 14000
    assert "more lines: https://bastion/1" in shown.splitlines()[-1]
    short = text.whole(found.plan, "", text.REVIEW, "https://bastion/1")
    assert "… 2971 more lines: https://bastion/1" in short
