"""A change to the CI's own inventory, from git-review to live hosts, by the command that shows it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from tests.e2e import review
from tests.e2e.conftest import Command
from tests.e2e.faults import inside, until
from xenci.demo import story
from xenci.demo.site import Site, SiteError


@pytest.fixture(scope="module")
def told(site: Site) -> dict[str, Any]:
    """What the command wrote down."""
    run = Command("demo", "change", "--lab", site.lab.name)
    assert run.finish() == 0, run.tail
    assert "demo change: done in" in run.lines[-1]
    content: dict[str, Any] = json.loads((site.lab.directory / "change.json").read_text(encoding="utf-8"))
    return content


def test_the_plan_says_what_the_apply_did(told: dict[str, Any], site: Site) -> None:
    for host, task in (
        ("logs", "log_server : configure | Render the units that remove old logs"),
        ("executor", "zuul_common : configure | Render the configuration"),
    ):
        assert f"\n  {host}\n" in told["plan"]
        assert f"\n    {task}" in told["plan"]
        assert f"\n  {host}: {task}" in told["report"]
    assert "older than 33 days" in told["plan"]
    # Its settings hold passwords, so only the host says what changed.
    assert "disk_limit_per_job=2112" in inside(site.lab, "executor", "cat /etc/zuul/executor.conf")
    assert "older than 33 days" in inside(site.lab, "logs", "systemctl cat xenci-log-expire.timer")
    assert "nothing to change" in told["drift"]


def test_an_edit_by_hand_is_named_with_host_task_and_file(told: dict[str, Any], site: Site) -> None:
    host, path = story.EDITED
    assert f"\n  {host}\n" in told["by_hand"]
    assert "log_server : configure | Render the units that remove old logs" in told["by_hand"]
    assert path in told["by_hand"]
    # The lab's own hand: whoever else works on the host at that moment is named beside it.
    assert re.search(r"\n      changed 20.* UTC; logged in then: .*\broot from ", told["by_hand"])
    assert "OnCalendar=yearly" in told["by_hand"]
    assert "yearly" not in inside(site.lab, host, f"cat {path}")


def test_no_secret_is_told(told: dict[str, Any], site: Site) -> None:
    for name, secret in site.passwords.items():
        for text in told.values():
            assert secret not in str(text), name


def test_nobody_allows_a_plan_of_their_own_change(site: Site) -> None:
    change = review.propose(site, "infra", {"README.md": "Mine\n"})
    with pytest.raises(SiteError, match=r"40[03]|409|422"):
        review.post(site, "alice", change, "revisions/current/review", {"labels": {"Allow-Plan": 1}})


def test_a_broken_inventory_is_refused_on_its_line(site: Site) -> None:
    path = "inventory/group_vars/log_server/log_server.yml"
    change = review.propose(site, "infra", {path: yaml.safe_dump({"log_server_dais": 3})})
    until(lambda: review.verified(site, change) == -1, 900)
    comments = site.gerrit(f"changes/{change.number}/comments", "carol")
    assert any("log_server_days" in one["message"] for one in comments[path])
