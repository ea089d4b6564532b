"""The command: exit status and formats; and that a good inventory has no mistakes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.check.conftest import ROOT, Site, copy
from xenci.check import Result, report
from xenci.demo.lab import Lab

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}


def run(site: Site, *options: str, vault: bool = True) -> subprocess.CompletedProcess[str]:
    """Call the command from outside the checkout, in the directory that holds the inventory."""
    command = [str(Path(sys.executable).with_name("xenci")), "check", *options]
    for source in site.sources:
        command += ["-i", str(source)]
    command += ["--vault-password-file", str(site.lab.vault_password)] if vault else []
    return subprocess.run(
        command, cwd=site.directory.parent, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


def test_the_inventory_of_the_demo_has_no_mistakes(site: Site) -> None:
    answer = run(site)
    assert (answer.returncode, answer.stdout) == (0, ""), answer.stderr
    assert answer.stderr.startswith("check: no mistakes")
    assert answer.stderr.endswith("; jobs were not compared: name the checkout of infra with --infra\n")


def test_it_says_which_jobs_were_compared(site: Site) -> None:
    infra = ROOT / "infra"
    answer = run(site, "--infra", str(infra))
    assert answer.stderr.splitlines()[-1].endswith(f"; jobs were compared with those of {infra}")


def test_nor_has_the_inventory_of_the_tests_stack(site: Site) -> None:
    stack = (ROOT / "molecule/default/stack.yml").read_text(encoding="utf-8")
    site.write("stack.yml", stack)
    assert site.check().mistakes == []


LOTS = ("group_vars/zookeeper/zookeeper.yml", "---\nzookeeper_heap: lots\n")


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory, lab: Lab) -> tuple[Result, Path]:
    """What is found where one line is wrong, and where the inventory lies."""
    site = copy(tmp_path_factory.mktemp("lots"), lab)
    site.write(*LOTS)
    return site.check(), site.directory


def test_editors_get_file_line_and_message(site: Site) -> None:
    site.write(*LOTS)
    answer = run(site)
    line = (
        "inventory/group_vars/zookeeper/zookeeper.yml:2: zookeeper_heap is 'lots': write it as in 512m or 2g"
    )
    assert (answer.returncode, answer.stdout) == (2, f"{line} [ci]\n")
    assert answer.stderr.startswith("check: 1 mistake; jobs were not compared: ")


def test_programs_get_json(lots: tuple[Result, Path]) -> None:
    found = json.loads(report.as_json(*lots))
    assert found["mistakes"] == [
        {
            "file": "group_vars/zookeeper/zookeeper.yml",
            "line": 2,
            "column": 1,
            "variable": "zookeeper_heap",
            "value": "'lots'",
            "what": "zookeeper_heap is 'lots'",
            "fix": "write it as in 512m or 2g",
            "hosts": ["ci"],
        }
    ]
    assert not found["unreadable"]
    assert found["jobs_of"] == []


def test_zuul_gets_comments_on_lines(lots: tuple[Result, Path]) -> None:
    comments = json.loads(report.zuul(*lots))["zuul"]["file_comments"]
    message = "zookeeper_heap is 'lots': write it as in 512m or 2g [ci]"
    comment = {"line": 2, "message": message, "level": "error"}
    assert comments == {"group_vars/zookeeper/zookeeper.yml": [comment]}


def test_a_broken_file_is_named_and_the_rest_is_checked(site: Site) -> None:
    site.write("group_vars/all/projects.yml", "---\nsite_projects: [\n")
    site.write(*LOTS)
    result = site.check()
    first, second = report.text(result, site.directory).splitlines()
    assert result.unreadable
    assert first.startswith("group_vars/all/projects.yml:3: YAML parsing failed")
    assert second.startswith("group_vars/zookeeper/zookeeper.yml:2: zookeeper_heap is 'lots'")


def test_a_value_that_holds_itself(site: Site) -> None:
    site.write("group_vars/all/endless.yml", "---\nsite_projects: &projects [*projects]\n")
    result = site.check()
    (line,) = report.text(result, site.directory).splitlines()
    assert result.unreadable
    assert line.startswith("group_vars/all/endless.yml")
    assert "a value holds itself" in line


def test_a_vault_without_its_password_is_named_alone(site: Site) -> None:
    answer = run(site, vault=False)
    (line,) = answer.stdout.splitlines()
    assert answer.returncode == 3
    assert "group_vars/all/vault.yml:1: " in line
    assert line.endswith("give its password with --vault-password-file")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("---\nall: {hosts: [ci]}\n", "hosts.yml:1: "),
        ("---\n- all\n", "hosts.yml:1: "),
        ("all: {", "hosts.yml:2: "),
        ("", "hosts.yml:1: "),
    ],
)
def test_hosts_that_cannot_be_read(site: Site, text: str, says: str) -> None:
    for path in site.directory.glob("*.yml"):
        path.unlink()
    site.write("hosts.yml", text)
    result = site.check()
    assert result.unreadable
    assert any(f"{one.place.path}:{one.place.line}: ".endswith(says) for one in result.mistakes), (
        result.mistakes
    )


def test_no_such_inventory(site: Site) -> None:
    result = Site(site.directory / "nowhere", site.lab).check()
    assert result.unreadable
    assert "nowhere:1: no such inventory: correct the path" in report.text(result, site.directory)
