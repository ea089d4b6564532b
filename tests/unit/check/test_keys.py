"""SSH keys against one another: pairs, one key for two purposes, host keys."""

from __future__ import annotations

import pytest

from tests.unit.check.conftest import ROOT, Site
from xenci import secrets as made
from xenci.check import keys, report
from xenci.check.secrets import wants_private
from xenci.check.specs import Specs
from xenci.demo import secrets

OTHER = made.public_key(made.private_key())


def told(site: Site) -> list[str]:
    return report.text(site.check(), site.directory).splitlines()


def public(site: Site, name: str) -> str:
    return secrets.settings(site.lab)[f"local_{name}_public_key"]


def test_no_private_key_of_a_role_is_forgotten() -> None:
    specs = Specs(ROOT)
    inputs = {name for name in specs.role_of if wants_private(name, specs.option(name))}
    known = {name for door in keys.DOORS.values() for name in door.privates}
    # zuul_common gets those of the service that it is part of.
    assert inputs - {"zuul_common_connection_ssh_keys"} == known | {*keys.CONNECTIONS, "bastion_git_key"}


@pytest.mark.parametrize(
    ("where", "line", "says"),
    [
        (
            "job_nodes",
            f"job_node_authorized_keys: [{OTHER}]",
            "job_node_authorized_keys lacks the public half of zuul_executor_node_key, which is to open job"
            " nodes and guests: add {zuul_node}",
        ),
        (
            "job_nodes",
            "job_node_authorized_keys: ['{{ local_log_upload_public_key }}']",
            "job_node_authorized_keys has a key for job nodes and guests that opens log servers and the"
            " consoles of guests too (zuul_executor_log_upload_key): make a key for each",
        ),
        (
            "all",
            f"site_log_upload_keys: [{OTHER} an old one]",
            "log_server_upload_keys lacks the public half of zuul_executor_log_upload_key, which is to open"
            " log servers and the consoles of guests: add {log_upload}",
        ),
        (
            "all",
            f"site_review_host_keys: [{OTHER}]",
            "site_review_host_keys lacks the public half of lab_gerrit_host_key, which is to open the review",
        ),
        (
            "lab",
            f"local_zuul_node_public_key: {OTHER}",
            "local_zuul_node_public_key is not the public half of vault_zuul_node_private_key: xenci secrets",
        ),
        (
            "zuul_executor",
            "vault_zuul_node_private_key: '{{ vault_log_upload_private_key }}'",
            "vault_zuul_node_private_key is the same key as vault_log_upload_private_key: give each account",
        ),
        (
            "zuul_executor",
            "zuul_executor_log_upload_key: '{{ vault_zuul_node_private_key }}'",
            "zuul_executor_log_upload_key has a key for log servers and the consoles of guests"
            " that opens job nodes and guests too (zuul_executor_node_key): make a key for each",
        ),
    ],
)
def test_what_does_not_fit_is_named_once_on_its_line(site: Site, where: str, line: str, says: str) -> None:
    name = f"group_vars/{where}/zz.yml"
    site.write(name, f"---\n{line}\n")
    halves = {key: public(site, key) for key in ("zuul_node", "log_upload")}
    (one,) = told(site)
    assert one.startswith(f"{name}:2: {says.format(**halves)}")


@pytest.mark.parametrize(
    ("account", "key", "says"),
    [
        (
            "xen_ci",
            OTHER,
            "lacks the public half of zuul_scheduler_connection_ssh_keys.gerrit, which is to open the account"
            " xen-ci: add ssh-ed25519 ",
        ),
        (
            "bob",
            "{{ local_gerrit_alice_public_key }} of bob",
            "has a key for the account bob that opens the account alice too (gerrit_config_accounts): make",
        ),
        (
            "carol",
            "{{ local_zuul_node_public_key }}",
            "has a key for the account carol that opens job nodes and guests too (zuul_executor_node_key)",
        ),
    ],
    ids=["lacks its own", "another account's", "a service's"],
)
def test_accounts_of_the_review_server(site: Site, account: str, key: str, says: str) -> None:
    name = "group_vars/gerrit/gerrit_config.yml"
    lines = (site.directory / name).read_text(encoding="utf-8").splitlines()
    ours = f"{{{{ local_gerrit_{account}_public_key }}}}"
    (number,) = [number for number, line in enumerate(lines, 1) if ours in line]
    lines[number - 1] = lines[number - 1].replace(ours, key)
    site.write(name, "\n".join([*lines, ""]))
    (one,) = told(site)
    assert one.startswith(f"{name}:{number}: gerrit_config_accounts {says}")


def test_two_hosts_with_one_host_key(site: Site) -> None:
    site.write("host_vars/node1.yml", f"---\nsite_host_key: {OTHER}\n")
    site.write("host_vars/node2.yml", f"---\nsite_host_key: {OTHER} root@node2\n")
    review = public(site, "gerrit_host")
    site.write("host_vars/logs.yml", f"---\nsite_host_key: {review}\n")
    # The review server's SSH and Gerrit's are two servers of one host.
    site.write("host_vars/review.yml", f"---\nsite_host_key: {review}\n")
    assert [one.partition(": give")[0] for one in told(site)] == [
        "host_vars/logs.yml:2: site_host_key of logs is the SSH host key of the review server too",
        "host_vars/node2.yml:2: site_host_key of node2 is the SSH host key of node1 too",
    ]
