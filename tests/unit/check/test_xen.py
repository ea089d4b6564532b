"""Images, labels, and what jobs run on."""

from __future__ import annotations

import pytest

from tests.unit.check.conftest import ROOT, Site
from xenci.check import check, report

LABEL = "site_xen_labels: [{name: xen, image: %s, memory_mib: 512}]"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            LABEL % "debian-11",
            [
                "infra_config_xen_labels has xen, which no Xen host can serve",
                "site_xen_labels has xen with the image 'debian-11': name one of site_xen_images, which",
            ],
        ),
        (LABEL % "debian-12", ["infra_config_xen_labels has xen, which no Xen host can serve"]),
        (
            "site_xen_labels: [{name: xen-host, host: true}]",
            ["infra_config_xen_labels has xen-host, which no Xen host can serve: a whole host is leased"],
        ),
        (
            "site_projects: [{name: infra, check: [{name: noop, nodeset: debian-13}]},"
            " {name: xenci, check: [{name: noop}]}, {name: sandbox, check: [{name: noop}]},"
            " {name: hypervisor-tools, check: [{name: noop}]}]",
            ["site_projects runs noop on 'debian-13': name one of debian-12; site_xen_labels adds more"],
        ),
    ],
)
def test_what_nothing_can_run_on(site: Site, line: str, says: list[str]) -> None:
    site.write("group_vars/all/zz.yml", f"---\n{line}\n")
    found = site.check().mistakes
    told = sorted(report.sentence(mistake) for mistake in found)
    assert len(told) == len(says)
    for sentence, text in zip(told, says, strict=True):
        assert sentence.startswith(text)
    assert {mistake.place.line for mistake in found} == {2}


def test_guests_without_a_network(site: Site) -> None:
    site.write("xen.yml", "---\nall: {children: {xen_host: {hosts: {ci: null}}}}\n")
    told = [report.sentence(mistake) for mistake in site.check().mistakes]
    assert any(text.startswith("site_xen_network is not set: give the network") for text in told)


def test_the_demo_with_a_xen_host_has_no_mistakes(site: Site) -> None:
    sources = [site.directory, ROOT / "inventories/xen", site.lab.inventory]
    result = check(sources, ROOT, site.lab.vault_password)
    assert report.text(result, site.directory) == ""
    assert not result.unreadable
