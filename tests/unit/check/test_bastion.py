"""A site with a bastion: what its inventory must say."""

from __future__ import annotations

from tests.unit.check.conftest import Site
from xenci.check import report
from xenci.files import write
from xenci.secrets import private_key

COMMIT = "bastion_xenci_commit: 0123456789abcdef0123456789abcdef01234567\n"


def add(site: Site, commit: str = COMMIT) -> None:
    """Put a host of its own into the demo's group."""
    machines, groups = site.directory / "hosts.yml", site.directory / "groups.yml"
    lines = machines.read_text(encoding="utf-8")
    machines.write_text(f"{lines}        vault: {{lab_address: 60}}\n", encoding="utf-8")
    text = groups.read_text(encoding="utf-8")
    groups.write_text(text.replace("bastion: {}", "bastion: {hosts: {vault: null}}"), encoding="utf-8")
    site.write("group_vars/bastion/commit.yml", commit)
    # As the lab's hosts are made.
    write(site.lab.keys / "lab", private_key())


def test_a_whole_one_has_no_mistake(site: Site) -> None:
    add(site)
    assert report.text(site.check(), site.directory) == ""


def test_what_is_missing_or_wrong_is_named(site: Site) -> None:
    add(site, "bastion_days: 0\n")
    (site.directory / "group_vars/bastion/bastion.yml").unlink()
    said = report.text(site.check(), site.directory)
    assert "bastion_days is 0" in said
    for name in ("git_key", "hosts_key", "request_keys", "review_password", "vault_password", "xenci_commit"):
        assert f"bastion_{name}" in said


def test_it_has_a_host_of_its_own_and_a_review(site: Site) -> None:
    add(site)
    groups = site.directory / "groups.yml"
    text = groups.read_text(encoding="utf-8")
    groups.write_text(text.replace("{vault: null}", "{vault: null, ci: null}"), encoding="utf-8")
    path = site.directory / "group_vars/all/site.yml"
    text = path.read_text(encoding="utf-8").replace("site_plan_approvers: xenci-core\n", "")
    path.write_text(
        f"{text}site_own_connection: own\nsite_zuul_connections: [{{name: own, driver: git}}]\n",
        encoding="utf-8",
    )
    said = report.text(site.check(), site.directory)
    for words in (
        "the group bastion has vault, ci: name one host, or two would apply at once",
        "ci of the group bastion carries services or jobs too: give it a host of its own",
        "site_own_connection is 'own' and the group bastion has a host: keep infra on the review server",
        "site_plan_approvers is not given and the group bastion has a host: name the group whose members",
    ):
        assert words in said
