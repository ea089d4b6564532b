"""The commands over it: exit codes, and what programs read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.runs.conftest import Bench
from xenci import cli
from xenci.cli import errors


@pytest.fixture
def words(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Arguments that name the site; its variables are those of no role."""
    monkeypatch.setattr("xenci.cli.running.checkout", lambda: bench.site.root)
    monkeypatch.setattr("xenci.check.first.mistakes", lambda *_: [])
    monkeypatch.setenv("XENCI_RUNS", str(bench.site.store.folder))
    return ["-i", str(bench.infra / "inventory"), "--vault-password-file", str(bench.site.password_file)]


def test_exit_codes_and_what_programs_read(
    bench: Bench, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.be_applied()
    bench.set("group_vars/other/other.yml", "other_word: goodbye\n")
    bench.commit("another word")
    assert cli.main(["plan", *words, "--format", "json"]) == errors.CHANGES
    planned = json.loads(capsys.readouterr().out)
    assert planned["result"] == "changes"
    assert [one["lines"] for one in planned["plan"]["changes"]] == [["-hello", "+goodbye"]]

    assert cli.main(["apply", *words, "--plan", planned["id"]]) == 0
    assert "done\n  two: configure | Write it" in capsys.readouterr().out

    page, metrics = tmp_path / "drift.html", tmp_path / "drift.prom"
    assert cli.main(["drift", *words, "--page", str(page), "--metrics", str(metrics)]) == 0
    assert "nothing to change" in page.read_text()
    assert 'xenci_drift_compared{host="two"} 1' in metrics.read_text()
    capsys.readouterr()

    assert cli.main(["status", "--format", "json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["live"]["commit"] == planned["commit"]
    assert status["running"] is None
    assert cli.main(["log"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("-")[1] for line in lines] == ["drift", "apply", "plan"]
    assert cli.main(["log", planned["id"][:18]]) == 0
    assert "+goodbye" in capsys.readouterr().out
    assert cli.main(["log", planned["id"], "--events"]) == 0
    assert all(json.loads(line)["event"] for line in capsys.readouterr().out.splitlines())


def test_what_a_plan_does_not_show_is_not_applied(
    bench: Bench, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    bench.be_applied()
    assert cli.main(["plan", *words, "--limit", "one"]) == 0
    run = bench.site.store.all()[0]
    (bench.hosts / "two/other").write_text("by hand\n")
    assert cli.main(["apply", *words, "--plan", run.id]) == errors.REFUSED
    assert "two: configure | Write it" in capsys.readouterr().out
    assert (bench.hosts / "two/other").read_text() == "by hand\n"
    assert cli.main(["drift", *words, "--repair"]) == 0
    assert (bench.hosts / "two/other").read_text() == "hello\n"
    assert "Without review" in capsys.readouterr().out


def test_a_wrong_plan_or_secret_is_said_before_anything_runs(
    bench: Bench, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["apply", *words, "--plan", "20200101"]) == errors.UNFIT
    assert "no run '20200101'" in capsys.readouterr().err
    assert cli.main(["plan", *words, "no-such-branch"]) == errors.UNFIT
    assert "no commit 'no-such-branch' in" in capsys.readouterr().err
    assert cli.main(["plan", "-i", str(bench.infra / "inventory")]) == errors.UNFIT
    assert "is encrypted: give --vault-password-file" in capsys.readouterr().err
    with bench.site.lock():
        pass
    assert bench.site.store.all() == []
