"""A site with a bastion: what its inventory must say."""

from __future__ import annotations

from tests.unit.check.conftest import Site
from xenci.check import report


def test_what_is_missing_or_wrong_is_named(site: Site) -> None:
    site.write("group_vars/bastion/bastion.yml", "bastion_days: 0\n")
    said = report.text(site.check(), site.directory)
    assert "bastion_days is 0" in said
    for name in ("git_key", "hosts_key", "request_keys", "review_password", "vault_password"):
        assert f"bastion_{name}" in said


def test_the_commit_must_be_given(site: Site) -> None:
    plain = site.lab.inventory / "group_vars/all/lab.yml"
    text = plain.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("bastion_xenci_commit")]
    try:
        plain.write_text("".join(lines), encoding="utf-8")
        assert "bastion_xenci_commit" in report.text(site.check(), site.directory)
    finally:
        plain.write_text(text, encoding="utf-8")


def test_it_has_a_host_of_its_own_and_a_review(site: Site) -> None:
    groups = site.directory / "groups.yml"
    text = groups.read_text(encoding="utf-8")
    groups.write_text(text.replace("{bastion1: null}", "{bastion1: null, ci: null}"), encoding="utf-8")
    path = site.directory / "group_vars/all/site.yml"
    text = path.read_text(encoding="utf-8").replace("site_plan_approvers: xenci-core\n", "")
    path.write_text(
        f"{text}site_own_connection: own\nsite_zuul_connections: [{{name: own, driver: git}}]\n",
        encoding="utf-8",
    )
    said = report.text(site.check(), site.directory)
    for words in (
        "the group bastion has bastion1, ci: name one host, or two would apply at once",
        "ci of the group bastion carries services or jobs too: give it a host of its own",
        "site_own_connection is 'own' and the group bastion has a host: keep infra on the review server",
        "site_plan_approvers is not given and the group bastion has a host: name the group whose members",
    ):
        assert words in said
