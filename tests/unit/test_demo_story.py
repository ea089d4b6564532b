"""The demo's change to its own site: what it proposes, and what it takes for an end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from xenci.demo import story


def values(inventory: Path) -> dict[str, int]:
    """Variable → value, of every file that is changed."""
    return {
        variable: yaml.safe_load((inventory / name).read_text(encoding="utf-8"))[variable]
        for name, (variable, _default, _step) in story.KNOBS.items()
    }


def test_every_run_proposes_something_new(tmp_path: Path) -> None:
    kept = tmp_path / "group_vars/zuul_executor/zuul_executor.yml"
    kept.parent.mkdir(parents=True)
    kept.write_text("---\nother: 1\n", encoding="utf-8")
    story.edit(tmp_path)
    once = values(tmp_path)
    assert once == {variable: default + step for variable, default, step in story.KNOBS.values()}
    story.edit(tmp_path)
    assert values(tmp_path) == {
        variable: default + 2 * step for variable, default, step in story.KNOBS.values()
    }
    assert yaml.safe_load(kept.read_text(encoding="utf-8"))["other"] == 1


def change(*messages: tuple[str, str], planned: int = 0) -> dict[str, Any]:
    """A change as the review server's REST gives it."""
    return {
        "labels": {
            "Planned": {"all": [{"username": "bob"}, {"username": "xenci-bastion", "value": planned}]}
        },
        "messages": [{"author": {"username": who}, "message": text} for who, text in messages],
    }


def test_only_the_bastion_plans_and_only_the_ci_fails() -> None:
    good = change(("bob", "the build failed once"), ("xenci-bastion", "3 changes, failed 0"), planned=1)
    assert story.planned(good) == 1
    assert story.failed(good) == ""
    assert story.said(good, "xenci-bastion") == ["3 changes, failed 0"]
    bad = change(("xen-ci", "There is no plan (plan pipeline). If the bastion has not said why, …"))
    assert story.failed(bad).startswith("There is no plan")
    assert story.planned(bad) == 0
    assert story.planned({"labels": {}}) == 0
