"""One inventory with every kind of mistake gets every message, each on its line, and no other."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import yaml

from tests.unit.check.conftest import MISTAKES, Site, copy
from xenci.check import Result, report
from xenci.demo.lab import Lab
from xenci.secrets import private_key, public_key

Line = tuple[str, int]


def locked_key() -> str:
    """A private key with a passphrase."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "passphrase", "-f", path], check=True)
        return path.read_text(encoding="utf-8")


def keys() -> dict[str, str]:
    """Files of variables with keys, which are made here since none may lie in the repository."""
    key, line = private_key(), public_key(private_key())
    accounts = [{"name": name, "ssh_keys": [line]} for name in ("one", "two")]
    accounts += [{"name": "xen-ci", "ssh_keys": [public_key(private_key())]}]
    third, host = public_key(private_key()), public_key(private_key())
    wrong: dict[str, dict[str, tuple[object, str]]] = {
        "group_vars/all/keys.yml": {
            "vault_locked_private_key": (locked_key(), "has a passphrase, which no service can type"),
            "vault_public_private_key": (line, "is a public key: give the private one"),
            "vault_broken_private_key": ("-----BEGIN NOTHING-----", "is no private key: make one with"),
            "vault_first_private_key": (key, ""),
            "vault_second_private_key": (
                key,
                "is the same key as vault_first_private_key: give each account",
            ),
            "vault_third_private_key": (private_key(), ""),
            "local_third_public_key": (third, "is not the public half of vault_third_private_key"),
            "site_log_upload_keys": ([key], "is a private key: give the public one, and make a new pair"),
        },
        # It outranks the demo's own.
        "group_vars/gerrit/keys.yml": {
            "gerrit_config_accounts": (
                accounts,
                "has a key for the account two that opens the account one too"
                " | lacks the public half of zuul_scheduler_connection_ssh_keys.gerrit",
            ),
            "gerrit_config_passwords": ({}, ""),
        },
        # Which host a template meets first is left to chance.
        "host_vars/bare.yml": {"site_host_key": (public_key(private_key()), "")},
        "host_vars/logs.yml": {"site_host_key": (host, "")},
        "host_vars/node1.yml": {"site_host_key": (host, "of node1 is the SSH host key of logs too")},
    }
    return {path: file(variables) for path, variables in wrong.items()}


def file(variables: dict[str, tuple[object, str]]) -> str:
    """A file of variables, each with what a check says of it."""
    text = "---\n"
    for name, (value, says) in variables.items():
        # JSON's one line is YAML's too.
        says = f"{says} | {name} is a secret in plain text" if name.startswith("vault_") else says
        value = yaml.safe_dump(value, default_flow_style=True, default_style='"', width=10**6).strip()
        text += f"{name}: {value}" + (f"  # says: {says.removeprefix(' | ')}\n" if says else "\n")
    return text


def expected(directory: Path) -> dict[Line, list[str]]:
    """What the comments of an inventory say that a check says, by file and line."""
    found = {}
    for path in sorted(directory.rglob("*.yml")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if says := re.search(r"# says: (.+)$", line):
                found[str(path.relative_to(directory)), number] = says[1].split(" | ")
    return found


Wrong = tuple[Site, Result]


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory, lab: Lab) -> Wrong:
    site = copy(tmp_path_factory.mktemp("wrong"), lab)
    shutil.copytree(MISTAKES, site.directory, dirs_exist_ok=True)
    for path, text in keys().items():
        site.write(path, text)
    return site, site.check()


def test_every_mistake_is_named_on_its_line_and_nothing_else_is(wrong: Wrong) -> None:
    site, result = wrong
    says = expected(site.directory)
    told: dict[Line, list[str]] = {}
    for one in result.mistakes:
        told.setdefault((report.path(one, site.directory), one.place.line), []).append(report.sentence(one))
    lacking = [
        f"{file}:{line}: {text}"
        for (file, line), texts in says.items()
        for text in texts
        if not any(text in sentence for sentence in told.get((file, line), []))
    ]
    assert not lacking, "lacking:\n" + "\n".join(lacking)
    beyond = [
        f"{file}:{line}: {sentence}"
        for (file, line), sentences in told.items()
        for sentence in sentences
        if not any(text in sentence for text in says.get((file, line), []))
    ]
    assert not beyond, "beyond:\n" + "\n".join(beyond)
    assert not result.unreadable
    assert len(result.mistakes) >= 60


def test_secrets_are_never_shown(wrong: Wrong) -> None:
    site, result = wrong
    shown = report.as_json(result, site.directory)
    assert "s3cret-and-long" not in shown
    assert "plain-password" not in shown
    assert "BEGIN" not in shown


def test_every_mistake_has_a_fix(wrong: Wrong) -> None:
    assert [one for one in wrong[1].mistakes if not one.fix] == []
