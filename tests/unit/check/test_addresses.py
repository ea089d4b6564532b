"""Names and addresses: whole names, hosts without an address, and what must be apart."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit import example
from tests.unit.check.conftest import ROOT
from xenci.check import check, report

HOSTS, REVIEW = "hosts.yml", "group_vars/all/review.yml"
SITE, PROJECTS = "group_vars/all/site.yml", "group_vars/all/projects.yml"


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, filled in; the password lies beside it."""
    directory = tmp_path_factory.mktemp("mine")
    example.fill(example.copy(directory), directory / "password")
    return directory / "mine"


@pytest.mark.parametrize(
    ("file", "before", "after", "says"),
    [
        (HOSTS, "ansible_host: 192.0.2.10", "ansible_port: 22", ["8: control has no ansible_host: give"]),
        (HOSTS, "ansible_host: 192.0.2.20", "ansible_port: 22", ["13: executor1 has no ansible_host: "]),
        (HOSTS, "192.0.2.30", "node1.example.org", ["16: ansible_host of node1 is 'node1.example.org': "]),
        (HOSTS, "site_host_key", "local_key", ["8: control has no site_host_key: give it to the host"]),
        (REVIEW, "host: review.example.net", "host: review", ["3: site_review_host is 'review': give a"]),
        (SITE, "zuul.ci.example.org", "zuul", ["13: site_zuul_url is 'https://zuul/': give a DNS name"]),
        (
            SITE,
            "https://logs.ci.example.org",
            "https://review.example.net",
            ["15: site_logs_url is on the same host as site_review_url, review.example.net: give the logs"],
        ),
        (
            REVIEW,
            "[198.51.100.7]",
            "[198.51.100.7, 198.51.100.7, 192.0.2.10]",
            [
                "7: site_review_addresses has 198.51.100.7 twice: keep one",
                "7: site_review_addresses has 192.0.2.10, which is control's address: give the review",
            ],
        ),
        (
            PROJECTS,
            "[203.0.113.9]",
            "[192.0.2.0/28]",
            ["22: site_executor_destinations opens 192.0.2.0/28 to jobs, in which the site's own control"],
        ),
        (
            SITE,
            "---",
            "---\nsite_xen_network: 192.0.2.0/28\nsite_xen_dns: [192.0.2.3]",
            ["2: site_xen_network is 192.0.2.0/28, which overlaps with control 192.0.2.10, site_xen_dns 192"],
        ),
        (
            SITE,
            "---",
            "---\nsite_zookeeper_servers: [control, zk2, 'zk3:2281']",
            ["2: site_zookeeper_servers has 'zk3:2281': give DNS names, without ports"],
        ),
    ],
)  # fmt: skip
def test_each_is_named_on_its_line(
    mine: Path, tmp_path: Path, file: str, before: str, after: str, says: list[str]
) -> None:
    inventory = tmp_path / "mine"
    shutil.copytree(mine, inventory)
    text = (inventory / file).read_text(encoding="utf-8")
    assert before in text
    (inventory / file).write_text(text.replace(before, after, 1), encoding="utf-8")
    told = report.text(check([inventory], ROOT, mine.with_name("password")), inventory).splitlines()
    assert len(told) == len(says), told
    for line, start in zip(told, says, strict=True):
        assert line.startswith(f"{file}:{start}")
