"""Who approves and who merges on the demo's Gerrit: our projects by the gate alone, upstream's as ever."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from tests.gerrit_contract.replay import Server
from tests.gerrit_modules.conftest import Run

FILE = Path(__file__).parents[2] / "inventories/demo/group_vars/gerrit/gerrit_config.yml"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKGtBZ6KtCv3xvN4MXJXDsz0j7XZzk0ssL0qo0kSXpyR"
VALUES = {"site_ci_account": "xen-ci", "site_name": "demo", "site_domain": "review.example.org"}
OWN, UPSTREAM = ("infra", "xenci", "sandbox"), "hypervisor-tools"
SECRET = "of-the-demo"
SET_UP: set[str] = set()


def worked_out(value: Any) -> Any:
    """A value of the inventory with its templates worked out; every lab has keys of its own."""
    if isinstance(value, str):
        return KEY if "public_key" in value else jinja2.Template(value).render(VALUES)
    if isinstance(value, dict):
        return {key: worked_out(entry) for key, entry in value.items()}
    return [worked_out(entry) for entry in value] if isinstance(value, list) else value


@pytest.fixture
def demo(run: Run, server: Server) -> Server:
    """The demo's groups, accounts, projects and rules; in the role's order, once."""
    if server.url in SET_UP:
        return server
    SET_UP.add(server.url)
    wanted = {
        name.removeprefix("gerrit_config_"): worked_out(value)
        for name, value in yaml.safe_load(FILE.read_text(encoding="utf-8")).items()
        if name not in ("gerrit_config_passwords", "gerrit_config_seeds")
    }
    steps = [("group", {key: group[key] for key in ("name", "description")}) for group in wanted["groups"]]
    steps += [("account", {**account, "http_password": SECRET}) for account in wanted["accounts"]]
    steps += [("group", group) for group in wanted["groups"]]
    steps += [("project", project) for project in wanted["projects"]]
    steps += [("access", rules) for rules in wanted["access"]]
    for module, params in steps:
        told = run(module, params)
        assert not told.get("failed"), (module, params, told)
    for module, params in steps[len(wanted["groups"]) + len(wanted["accounts"]) :]:
        assert not run(module, params)["changed"], (module, params)
    return server


def ask(server: Server, user: str, path: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
    """Status and answer of a request."""
    login = base64.b64encode(f"{user}:{SECRET}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310 - the URL is the test's own
        f"{server.url.rstrip('/')}/a{path}", method=method, headers={"Authorization": f"Basic {login}"}
    )
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            status, text = int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    return status, json.loads(text[4:]) if text.startswith(")]}'") else text


def proposed(server: Server, project: str) -> int:
    """A new change of alice's."""
    body = {"project": project, "branch": "master", "subject": "A change"}
    status, change = ask(server, "alice", "/changes/", "POST", body)
    assert status == 201, change
    return int(change["_number"])


def vote(server: Server, user: str, change: int, **labels: int) -> int:
    """Status of a vote."""
    body = {"labels": {name.replace("_", "-"): value for name, value in labels.items()}}
    return ask(server, user, f"/changes/{change}/revisions/current/review", "POST", body)[0]


def labels(server: Server, change: int) -> set[str]:
    """The labels of a change."""
    return set(ask(server, "carol", f"/changes/{change}?o=LABELS")[1]["labels"])


def test_own_projects_are_merged_by_the_gate_alone(demo: Server) -> None:
    for project in OWN:
        change = proposed(demo, project)
        assert labels(demo, change) == {"Code-Review", "Verified", "Workflow"}
        for nobody in ("alice", "carol", "xen-ci"):
            assert vote(demo, nobody, change, Workflow=1) == 403
        assert vote(demo, "bob", change, Code_Review=2) == 200
        assert vote(demo, "xen-ci", change, Verified=1) == 200
        # Not before it is approved.
        assert ask(demo, "xen-ci", f"/changes/{change}/submit", "POST", {})[0] == 409
        assert vote(demo, "bob", change, Workflow=1) == 200
        for person in ("alice", "bob", "carol"):
            assert ask(demo, person, f"/changes/{change}/submit", "POST", {})[0] == 403
        status, merged = ask(demo, "xen-ci", f"/changes/{change}/submit", "POST", {})
        assert (status, merged["status"]) == (200, "MERGED")


def test_the_gates_vote_is_one_or_minus_one(demo: Server) -> None:
    change = proposed(demo, "sandbox")
    assert vote(demo, "xen-ci", change, Verified=-1) == 200
    info = ask(demo, "carol", f"/changes/{change}?o=DETAILED_LABELS")[1]
    assert set(info["labels"]["Verified"]["values"]) == {"-1", " 0", "+1"}


def test_who_holds_a_change_back_stops_it(demo: Server) -> None:
    change = proposed(demo, "infra")
    for user, given in (("bob", {"Code_Review": 2, "Workflow": -1}), ("xen-ci", {"Verified": 1})):
        assert vote(demo, user, change, **given) == 200
    assert ask(demo, "xen-ci", f"/changes/{change}/submit", "POST", {})[0] == 409


def test_a_new_patch_set_is_approved_anew(demo: Server) -> None:
    change = proposed(demo, "sandbox")
    assert vote(demo, "bob", change, Code_Review=2, Workflow=1) == 200
    path = f"/changes/{change}/message"
    message = ask(demo, "alice", path)[1]["full_message"]
    body = {"message": message.replace("A change", "Another change")}
    assert ask(demo, "alice", path, "PUT", body)[0] == 200
    votes = ask(demo, "carol", f"/changes/{change}?o=DETAILED_LABELS")[1]["labels"]["Workflow"]
    assert [each for each in votes.get("all", []) if each.get("value")] == []


def test_upstream_knows_nothing_of_it(demo: Server) -> None:
    change = proposed(demo, UPSTREAM)
    assert labels(demo, change) == {"Code-Review", "Verified"}
    assert vote(demo, "bob", change, Code_Review=2) == 200
    assert vote(demo, "xen-ci", change, Verified=1) == 200
    assert ask(demo, "xen-ci", f"/changes/{change}/submit", "POST", {})[0] == 403
    status, merged = ask(demo, "bob", f"/changes/{change}/submit", "POST", {})
    assert (status, merged["status"]) == (200, "MERGED")
