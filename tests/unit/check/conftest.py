"""Inventories to check: the demo's, as `xenci demo up` makes it, in a directory of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from xenci.check import Result, check
from xenci.demo import secrets
from xenci.demo.lab import Lab
from xenci.paths import checkout

ROOT = checkout()
MISTAKES = Path(__file__).parent / "mistakes"


@dataclass(frozen=True)
class Site:
    """A copy of the demo's inventory that a test may damage, and the half that is made for each lab."""

    directory: Path
    lab: Lab

    @property
    def sources(self) -> list[Path]:
        return [self.directory, self.lab.inventory]

    def check(self) -> Result:
        return check(self.sources, ROOT, self.lab.vault_password)

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    made = Lab("demo", tmp_path_factory.mktemp("lab"))
    secrets.ensure(made, "10.201.0.0/24")
    # The lab is elsewhere, the checkout is this one.
    plain = made.inventory / "group_vars/all/lab.yml"
    text = plain.read_text(encoding="utf-8")
    plain.write_text(text.replace(f"site_checkout: {made.root}", f"site_checkout: {ROOT}"), encoding="utf-8")
    return made


def copy(directory: Path, lab: Lab) -> Site:
    shutil.copytree(ROOT / "inventories/demo", directory / "inventory")
    return Site(directory / "inventory", lab)


@pytest.fixture
def site(tmp_path: Path, lab: Lab) -> Site:
    return copy(tmp_path, lab)
