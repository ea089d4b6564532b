"""How loud a CI is, and what it needs for that."""

from __future__ import annotations

import re

import pytest

from tests.unit.check.conftest import Site
from xenci.check import report

LOUD = "every comment upstream must link one"


@pytest.mark.parametrize(
    ("mode", "contact", "says"),
    [
        ("silent", "ci@example.org", ""),
        ("sandbox", "ci@example.org", ""),
        ("comment", "ci@example.org", f"site_contact is 'ci@example.org' in mode comment: .*{LOUD}"),
        ("vote", "ci@example.org", f"site_contact is 'ci@example.org' in mode vote: .*{LOUD}"),
        ("comment", "https://wiki.example.org/ci", ""),
        ("vote", "http://wiki.example.org/ci", ""),
    ],
)
def test_who_speaks_upstream_has_a_page(site: Site, mode: str, contact: str, says: str) -> None:
    path = site.directory / "group_vars/all/site.yml"
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(("site_thirdparty_mode:", "site_contact:"))]
    site.write(
        "group_vars/all/site.yml",
        "\n".join([*kept, f"site_thirdparty_mode: {mode}", f"site_contact: {contact}", ""]),
    )
    said = [report.sentence(mistake) for mistake in site.check().mistakes]
    assert [bool(re.match(says, text)) for text in said] == ([True] if says else [])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("site_thirdparty_pipeline: xen_check", ""),
        ("site_thirdparty_pipeline: xen-check", "site_thirdparty_pipeline is 'xen-check': use letters"),
        ("site_thirdparty_pipeline: gate", "site_thirdparty_pipeline is 'gate': use letters"),
        (
            "site_projects: [{name: infra, check: [{name: 'a: b'}]}, {name: xenci, check: [{name: noop}]},"
            " {name: sandbox, check: [{name: noop}]}, {name: hypervisor-tools, check: [{name: noop}]}]",
            "site_projects has the jobs a: b: use letters",
        ),
        (
            "site_projects: [{name: infra, check: [{name: noop}]}, {name: xenci, check: [{name: noop}]},"
            " {name: sandbox, check: [{name: noop}]},"
            " {name: hypervisor-tools, check: [{name: noop}], gate: [{name: noop}]}]",
            "site_projects gates hypervisor-tools, which upstream merges: remove 'gate'",
        ),
    ],
)
def test_what_is_rendered_must_be_readable(site: Site, line: str, says: str) -> None:
    site.write("group_vars/all/zz.yml", f"---\n{line}\n")
    found = site.check().mistakes
    assert [report.sentence(mistake).startswith(says) for mistake in found] == ([True] if says else [])
    assert [mistake.place.line for mistake in found] == ([2] if says else [])


def test_a_sandbox_mode_without_a_sandbox(site: Site) -> None:
    site.write("group_vars/all/zz.yml", "---\nsite_thirdparty_mode: sandbox\nsite_sandbox_projects: []\n")
    (mistake,) = site.check().mistakes
    assert report.sentence(mistake).startswith("site_sandbox_projects names none in mode sandbox: name")
    assert mistake.place.line == 3


def test_an_expression_of_paths_that_is_none(site: Site) -> None:
    path = site.directory / "group_vars/all/projects.yml"
    site.write("group_vars/all/projects.yml", path.read_text(encoding="utf-8").replace("^docs/", "^docs("))
    (mistake,) = site.check().mistakes
    assert "site_projects" in report.sentence(mistake)
    assert "unterminated subpattern" in report.sentence(mistake)
    assert mistake.place.path.endswith("group_vars/all/projects.yml")
