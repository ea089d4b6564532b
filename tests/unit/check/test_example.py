"""What a new operator copies: untouched it asks for each decision and nothing else, filled in it is right."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.unit.check.conftest import ROOT
from tests.unit.example import EXAMPLE, PLACEHOLDER, copy, fill
from xenci import secrets
from xenci.check import check, report


def asked() -> dict[tuple[str, int], str]:
    """File, line and text of each placeholder."""
    return {
        (str(path.relative_to(EXAMPLE)), number): found.group()[1:-1]
        for path in EXAMPLE.rglob("*.yml")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := PLACEHOLDER.search(line))
    }


def test_untouched_it_names_exactly_what_is_to_be_decided() -> None:
    result = check([EXAMPLE], ROOT)
    told = {}
    made = set()
    for one in result.mistakes:
        if one.what.endswith(" is still to be decided"):
            told[report.path(one, EXAMPLE), one.place.line] = one.fix.removeprefix("give ")
        else:
            assert "make it with xenci secrets init" in one.fix, one
            made.add(one.what.removesuffix(" is not defined"))
    assert told == asked()
    assert len(told) >= 20
    everything = {name for group in secrets.FILES.values() for name in group}
    keys = {"local_log_upload_public_key", "local_zuul_node_public_key"}
    assert made == everything | keys
    assert not result.unreadable


def test_each_decision_has_one_comment() -> None:
    for path in EXAMPLE.rglob("*.yml"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if PLACEHOLDER.search(line):
                before = lines[max(0, number - 6) : number]
                assert any(re.match(r"\s*# ", each) for each in before), f"{path}:{number + 1}: what is it?"


def test_filled_in_it_has_no_mistakes(tmp_path: Path) -> None:
    inventory = copy(tmp_path)
    fill(inventory, tmp_path / "password")
    result = check([inventory], ROOT, tmp_path / "password")
    assert report.text(result, inventory) == ""
    assert not result.unreadable


def test_what_the_review_server_gives_is_asked_for_inside_the_vault(tmp_path: Path) -> None:
    inventory = copy(tmp_path)
    secrets.init(inventory, tmp_path / "password")
    found = check([inventory], ROOT, tmp_path / "password").mistakes
    (one,) = [one for one in found if one.variable.startswith("vault_")]
    assert report.sentence(one).startswith(
        "vault_gerrit_xen_ci_password is still to be decided: give the HTTP password"
    )
    assert report.path(one, inventory) == "group_vars/all/vault.yml"


def test_the_example_is_whole_in_git() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "inventories/example"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "vault" not in listed
    assert "public_keys" not in listed
