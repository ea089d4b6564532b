"""A real Gerrit in the demo: only the host `review` differs, and the inventory stays without mistakes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.unit.check.conftest import ROOT
from xenci.check import check
from xenci.demo import gerrit, secrets, seed
from xenci.demo.lab import Lab
from xenci.demo.machine import UnfitError


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    made = Lab("demo", tmp_path)
    secrets.ensure(made, "10.201.0.0/24")
    plain = made.inventory / "group_vars/all/lab.yml"
    text = plain.read_text(encoding="utf-8")
    plain.write_text(text.replace(f"site_checkout: {tmp_path}", f"site_checkout: {ROOT}"), encoding="utf-8")
    return made


@pytest.fixture
def war(tmp_path: Path) -> Path:
    path = tmp_path / "gerrit-3.11.5.war"
    path.write_bytes(b"a war")
    return path


def test_the_file_name_says_the_version(war: Path) -> None:
    found = gerrit.war(war, None)
    assert (found.version, found.sha256) == ("3.11.5", hashlib.sha256(b"a war").hexdigest())
    assert gerrit.war(war, "3.13.2").version == "3.13.2"


def test_a_war_without_version_or_none_at_all(war: Path) -> None:
    with pytest.raises(UnfitError, match="correct GERRIT_WAR"):
        gerrit.war(war.with_name("none.war"), None)
    with pytest.raises(UnfitError, match="give GERRIT_VERSION"):
        gerrit.war(war.rename(war.with_name("gerrit.war")), None)


def test_the_inventory_with_a_war_has_no_mistakes(lab: Lab, war: Path) -> None:
    assert gerrit.use(lab, gerrit.war(war, None))
    assert not gerrit.use(lab, gerrit.war(war, None))
    found = check([ROOT / "inventories/demo", lab.inventory], ROOT, lab.vault_password, seed.infra(ROOT))
    assert [f"{one.what}: {one.fix}" for one in found.mistakes] == []


def test_an_old_war_is_a_mistake(lab: Lab, war: Path) -> None:
    gerrit.use(lab, gerrit.war(war, "3.9.1"))
    found = check([ROOT / "inventories/demo", lab.inventory], ROOT, lab.vault_password)
    (one,) = found.mistakes
    assert one.what == "gerrit_version is '3.9.1'"
    assert one.place.path == str(lab.inventory / "gerrit_server.yml")


def test_a_lab_of_the_other_kind_is_kept(lab: Lab, war: Path) -> None:
    lab.applied.write_text("{}", encoding="utf-8")
    with pytest.raises(UnfitError, match="remove it first"):
        gerrit.use(lab, gerrit.war(war, None))
