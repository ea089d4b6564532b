"""A configured Gerrit as its users meet it: logins, rights, a label, first commits, over HTTPS and git."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.testinfra import pki
from tests.testinfra.conftest import LAB, ROOT
from xenci.demo import secrets
from xenci.demo.lab import Lab

GROUP = "scenario"
ACCOUNTS = ("xen_ci", "alice", "bob", "carol")


def passwords() -> dict[str, str]:
    """Account → HTTP password."""
    values = secrets.read(Lab(LAB))
    return {account: values[f"vault_gerrit_{account}_password"] for account in (*ACCOUNTS, "admin")}


@pytest.fixture(scope="module")
def review(host_address: str) -> Any:
    """`review(account, method, path, body)`: what the server answers, status and decoded JSON."""
    known = passwords()
    session = requests.Session()
    session.verify = str(pki.CA)
    session.trust_env = False

    def ask(account: str, path: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
        login = (account.replace("_", "-"), known[account])
        answer = session.request(
            method, f"https://{host_address}/a/{path}", auth=login, json=body, timeout=10
        )
        text = answer.text
        return answer.status_code, json.loads(text[4:]) if text.startswith(")]}'") else text

    return ask


@pytest.mark.parametrize("account", ACCOUNTS)
def test_every_account_can_log_in(review, account):
    status, answer = review(account, "accounts/self")
    assert (status, answer["username"]) == (200, account.replace("_", "-"))


def test_only_one_secret_opens_each_account(review):
    for account in ACCOUNTS:
        assert review(account, "accounts/self/tokens")[1] == [{"id": "default"}]


def test_ci_streams_events_and_others_do_not(review):
    assert review("xen_ci", "accounts/self/capabilities")[1].get("streamEvents") is True
    assert "streamEvents" not in review("alice", "accounts/self/capabilities")[1]


def test_ci_is_a_service_user(review):
    assert review("xen_ci", "accounts/self")[1]["tags"] == ["SERVICE_USER"]


def test_rights_as_gerrit_works_them_out(review):
    """Who may do what on a branch of a project that has no rules of its own."""
    info = review("admin", "projects/sandbox/access")[1]
    assert info["local"] == {}
    info = review("admin", "projects/All-Projects/access")[1]
    heads = info["local"]["refs/heads/*"]["permissions"]
    names = {uuid: group["name"] for uuid, group in info["groups"].items()}
    votes = {
        names[uuid]: (rule["min"], rule["max"]) for uuid, rule in heads["label-Verified"]["rules"].items()
    }
    assert votes == {"Third-Party CI": (-1, 1)}
    assert "xenci-core" in {names[uuid] for uuid in heads["submit"]["rules"]}


def test_the_gate_alone_merges_our_own_projects(review):
    """tests/gerrit_modules tries it; here it is what the role has set up."""
    info = review("admin", "projects/own-projects/access")[1]
    submit = info["local"]["refs/heads/*"]["permissions"]["submit"]
    assert [info["groups"][uuid]["name"] for uuid in submit["rules"]] == ["Gating CI"]
    assert submit["exclusive"] is True
    for project, parent in {"sandbox": "own-projects", "hypervisor-tools": "All-Projects"}.items():
        assert review("admin", f"projects/{project}")[1]["parent"] == parent


def test_groups_have_exactly_their_members(review):
    wanted = {"Third-Party CI": ["xen-ci"], "Gating CI": ["xen-ci"], "xenci-core": ["bob"]}
    for group, members in wanted.items():
        answer = review("admin", f"groups/{group}/members/")[1]
        assert [member["username"] for member in answer] == members


def test_projects_inherit_label_and_requirement(review):
    labels = {label["name"]: label for label in review("admin", "projects/sandbox/labels/?inherited")[1]}
    assert set(labels["Verified"]["values"]) == {"-1", " 0", "+1"}
    asked = review("admin", "projects/sandbox/submit_requirements/?inherited")[1]
    assert {"Code-Review", "Verified"} <= {requirement["name"] for requirement in asked}


def test_first_commit_is_the_directory(review, host_address, tmp_path):
    """Cloned by anybody, without a login."""
    command = ["git", "clone", "-q", f"https://{host_address}/sandbox", "clone"]
    authority = str(pki.CA)
    subprocess.run(
        command, cwd=tmp_path, env={"GIT_SSL_CAINFO": authority, "HOME": str(tmp_path)}, check=True
    )
    seed = ROOT / "demo" / "projects" / "sandbox"
    committed = {path.relative_to(tmp_path / "clone") for path in files(tmp_path / "clone")}
    assert committed == {path.relative_to(seed) for path in files(seed)}
    for path in committed:
        assert (tmp_path / "clone" / path).read_bytes() == (seed / path).read_bytes()


def files(tree: Path) -> list[Path]:
    return [path for path in tree.rglob("*") if path.is_file() and ".git" not in path.relative_to(tree).parts]
