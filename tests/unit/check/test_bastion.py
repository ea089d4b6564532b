"""A site with a bastion: what its inventory must say."""

from __future__ import annotations

import yaml

from tests.unit.check.conftest import Site
from xenci import secrets
from xenci.check import report

KEY = secrets.public_key(secrets.private_key())
BASTION = {
    "bastion_xenci_commit": "0123456789abcdef0123456789abcdef01234567",
    "bastion_git_key": "{{ vault_bastion_git_private_key }}",
    "bastion_hosts_key": "{{ vault_bastion_hosts_private_key }}",
    "bastion_vault_password": "{{ vault_bastion_password }}",
    "bastion_review_password": "{{ vault_bastion_review_password }}",
    "bastion_request_keys": [KEY],
}
SECRETS = {
    "vault_bastion_git_private_key": secrets.private_key(),
    "vault_bastion_hosts_private_key": secrets.private_key(),
    "vault_bastion_password": secrets.password(),
    "vault_bastion_review_password": secrets.password(),
}


def add(site: Site, hosts: list[str]) -> None:
    """Put hosts into the group, with what the role needs."""
    groups = site.directory / "groups.yml"
    content = yaml.safe_load(groups.read_text(encoding="utf-8"))
    content["all"]["children"]["bastion"] = {"hosts": dict.fromkeys(hosts)}
    groups.write_text(yaml.safe_dump(content), encoding="utf-8")
    machines = site.directory / "hosts.yml"
    lines = machines.read_text(encoding="utf-8")
    machines.write_text(f"{lines}        vault: {{lab_address: 60}}\n", encoding="utf-8")
    vault = secrets.opened(site.lab.vault_password)
    site.write("group_vars/bastion/bastion.yml", yaml.safe_dump(BASTION))
    plain = yaml.safe_dump(SECRETS, default_style="|")
    site.write("group_vars/bastion/vault.yml", vault.encrypt(plain.encode()).decode())


def test_a_whole_one_has_no_mistake(site: Site) -> None:
    add(site, ["vault"])
    assert report.text(site.check(), site.directory) == ""


def test_what_is_missing_is_named(site: Site) -> None:
    add(site, ["vault"])
    (site.directory / "group_vars/bastion/bastion.yml").write_text("bastion_days: 0\n", encoding="utf-8")
    said = report.text(site.check(), site.directory)
    assert "bastion_days is 0" in said
    for name in sorted(BASTION):
        assert name in said, name
