"""The demo's people, projects and rights on a Gerrit, made by our modules, and requests in their name."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import yaml

from tests.gerrit_contract.replay import Server

if TYPE_CHECKING:
    from tests.gerrit_modules.conftest import Run

ROOT = Path(__file__).parents[2]
FILE = ROOT / "inventories/demo/group_vars/gerrit/gerrit_config.yml"
ROLE = ROOT / "roles/gerrit_config/vars/main.yml"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKGtBZ6KtCv3xvN4MXJXDsz0j7XZzk0ssL0qo0kSXpyR"
BASTION = "xenci-bastion"
VALUES = {
    "site_ci_account": "xen-ci",
    "site_bastion_account": BASTION,
    "site_name": "demo",
    "site_domain": "review.example.org",
    "gerrit_config_planned_project": "infra",
    "gerrit_config_plan_approvers": "xenci-core",
    "gerrit_config_bastion_account": BASTION,
}
SECRET = "of-the-demo"
SET_UP: set[str] = set()


def worked_out(value: Any) -> Any:
    """A value of the inventory with its templates worked out; every lab has keys of its own."""
    if isinstance(value, str):
        return KEY if "public_key" in value else jinja2.Template(value).render(VALUES)
    if isinstance(value, dict):
        return {key: worked_out(entry) for key, entry in value.items()}
    return [worked_out(entry) for entry in value] if isinstance(value, list) else value


def set_up(run: Run, server: Server) -> Server:
    """Make groups, accounts, projects and rules, as with a bastion; in the role's order, once a server."""
    if server.url in SET_UP:
        return server
    SET_UP.add(server.url)
    wanted = {
        name.removeprefix("gerrit_config_"): worked_out(value)
        for name, value in yaml.safe_load(FILE.read_text(encoding="utf-8")).items()
        if name not in ("gerrit_config_passwords", "gerrit_config_seeds")
    }
    planned = worked_out(yaml.safe_load(ROLE.read_text(encoding="utf-8"))["__gerrit_config_review"])
    for name, entries in planned.items():
        wanted[name] += entries
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


def ask(
    server: Server, user: str, path: str, method: str = "GET", body: Any = None, secret: str = SECRET
) -> tuple[int, Any]:
    """Status and answer of a request, by a client that shares nothing with the modules."""
    login = base64.b64encode(f"{user}:{secret}".encode()).decode()
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


def proposed(
    server: Server, project: str, user: str = "alice", subject: str = "A change", **more: Any
) -> int:
    """A new change."""
    body = {"project": project, "branch": "master", "subject": subject, **more}
    status, change = ask(server, user, "/changes/", "POST", body)
    assert status == 201, change
    return int(change["_number"])


def reworded(server: Server, user: str, change: int, new: str) -> None:
    """A new patch set, with another subject."""
    path = f"/changes/{change}/message"
    first, rest = ask(server, user, path)[1]["full_message"].split("\n", 1)
    status, told = ask(server, user, path, "PUT", {"message": f"{new}\n{rest}"})
    assert (first != new, status) == (True, 200), told


def vote(server: Server, user: str, change: int, **labels: int) -> int:
    """Status of a vote."""
    body = {"labels": {name.replace("_", "-"): value for name, value in labels.items()}}
    return ask(server, user, f"/changes/{change}/revisions/current/review", "POST", body)[0]


def merge(server: Server, change: int) -> tuple[int, Any]:
    """What the gate gets that submits a change."""
    return ask(server, "xen-ci", f"/changes/{change}/submit", "POST", {})


def labels(server: Server, change: int) -> set[str]:
    """The labels of a change."""
    return set(ask(server, "carol", f"/changes/{change}?o=LABELS")[1]["labels"])


def given(server: Server, change: int, label: str) -> list[int]:
    """Votes on a change's current patch set."""
    found = ask(server, "carol", f"/changes/{change}?o=DETAILED_LABELS")[1]["labels"][label]
    return [each["value"] for each in found.get("all", []) if each.get("value")]
