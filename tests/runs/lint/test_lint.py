"""`xenci lint`: the demo's own infra is fit; each mistake is named at its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.runs.lint.conftest import ROOT
from xenci import cli
from xenci.check import report
from xenci.lint import lint

SITE = "inventory/group_vars/all/site.yml"


def said(infra: Path) -> list[str]:
    """What is wrong, in lines."""
    return report.text(lint(infra, ROOT), infra).splitlines()


def edit(path: Path, old: str, new: str) -> int:
    """Replace a text that is there once, and return its line."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_demos_own_is_fit(made: Path) -> None:
    assert said(made) == []


def test_a_broken_inventory_is_refused_at_its_lines(infra: Path) -> None:
    mode = edit(infra / SITE, "site_thirdparty_mode: vote", "site_thirdparty_mode: loud")
    heap = edit(infra / "inventory/group_vars/zookeeper/zookeeper.yml", "128m", "lots")
    found = said(infra)
    assert [line.split(":")[:2] for line in found] == [
        [SITE, str(mode)],
        ["inventory/group_vars/zookeeper/zookeeper.yml", str(heap)],
    ]
    assert "silent, sandbox, comment, vote" in found[0]
    assert "write it as in 512m or 2g" in found[1]


def test_what_is_wrong_beside_the_inventory(infra: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(infra / SITE, "site_name: xenci demo", "site_name: another demo")
    with (infra / "zuul.d/projects.yaml").open("a", encoding="utf-8") as file:
        file.write("# by hand\n")
    jobs = infra / "zuul.d/jobs.yaml"
    line = jobs.read_text(encoding="utf-8").count("\n") + 3
    with jobs.open("a", encoding="utf-8") as file:
        file.write("\n- job:\n    name: wrong\n    run: playbooks/project_test/run.yml\n")
    (infra / "playbooks/wrong.yml").write_text("---\n- hosts: all\n  tasks:   []\n", encoding="utf-8")

    assert cli.main(["lint", "--format", "zuul", str(infra)]) == 2
    told = capsys.readouterr()
    comments = json.loads(told.out)["zuul"]["file_comments"]
    assert set(comments) == {
        "zuul.d/jobs.yaml",
        "zuul.d/pipelines.yaml",
        "zuul.d/projects.yaml",
        "playbooks/wrong.yml",
    }
    (job,) = comments["zuul.d/jobs.yaml"]
    assert (job["line"], job["level"]) == (line, "error")
    assert (
        "runs playbooks/project_test/run.yml, which is not there: did you mean playbooks/" in job["message"]
    )
    for name in ("pipelines", "projects"):
        (one,) = comments[f"zuul.d/{name}.yaml"]
        assert one["message"].startswith(f"zuul.d/{name}.yaml is not what the inventory says: change the inv")
    words = " ".join(one["message"] for one in comments["playbooks/wrong.yml"])
    assert "name[play]" in words
    assert "too many spaces after colon" in words
    # People read the same.
    assert f"zuul.d/jobs.yaml:{line}: the job wrong runs" in told.err
    assert told.err.splitlines()[-1].startswith("lint: ")


def test_no_infra_and_no_inventory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lint", str(tmp_path / "nothing")]) == 3
    assert cli.main(["lint", str(tmp_path)]) == 3
    told = capsys.readouterr().err
    assert f"no such directory: {tmp_path / 'nothing'}" in told
    assert f"no such directory: {tmp_path / 'inventory'}" in told
