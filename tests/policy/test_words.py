"""What must not stand anywhere in the repository."""

from __future__ import annotations

import re

import pytest

from tests.policy.repository import text_files

# What is looked for, and a sample of it, must stand in this file.
SELF = "tests/policy/test_words.py"
FORBIDDEN = {
    "a marker of unfinished work": (r"\b(TODO|FIXME|XXX)\b", "# TODO later"),
    "a swallowed failure": (
        r"(ignore_errors:\s*(true|yes)|failed_when:\s*false|except:\s*$)",
        "ignore_errors: true",
    ),
    "a test that does not run": (r"pytest\.mark\.(skip|xfail)|pytest\.skip\(", "@pytest.mark.skip"),
    "a path of one machine": (r"(?<![\w.-])/(work|farm)/", "cd " + "/work" + "/main"),
    "a private key": (
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=]{20}",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5v",
    ),
    "a package registry's host": (
        r"https?://(deb\.debian|pypi|registry\.npmjs|files\.pythonhosted|repo1?\.maven)\.?[\w.]*",
        "https://" + "pypi" + ".org/simple",
    ),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_forbidden(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what][0], re.MULTILINE)
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
        for name, text in text_files().items()
        if name != SELF
        for match in pattern.finditer(text)
    ]
    assert not found, f"{what}: {found}"


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_rule_finds_it(what: str) -> None:
    pattern, sample = FORBIDDEN[what]
    assert re.search(pattern, sample, re.MULTILINE)


def test_zuul_reads_only_yaml() -> None:
    wrong = [name for name in text_files() if re.search(r"(^|/)zuul\.d/", name) and name.endswith(".yml")]
    assert not wrong, f"Zuul ignores .yml in zuul.d without a word: {wrong}"


def test_only_zuul_and_the_changelog_use_yaml() -> None:
    folders = (
        "infra",
        "bench/plain",
        "demo/infra",
        "changelogs",
        "zuul.d",
        "playbooks/jobs",
        "roles/infra_config",
        "src/xenci",
    )
    allowed = re.compile(rf"^({'|'.join(map(re.escape, folders))})/")
    wrong = [name for name in text_files() if name.endswith(".yaml") and not allowed.match(name)]
    assert not wrong, f".yml everywhere else: {wrong}"
