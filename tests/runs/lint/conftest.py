"""The demo's own infra repository, as `xenci demo up` makes it, but for the hosts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from xenci import render
from xenci import secrets as keys
from xenci.demo import hosts, inventory, job_key, secrets, seed
from xenci.demo.lab import Lab
from xenci.lint import INVENTORY
from xenci.paths import checkout

ROOT = checkout()
SECRET = """\
- secret:
    name: bastion-key
    data:
      key: !encrypted/pkcs1-oaep
        - AAAA
"""
"""As zuul-client writes it."""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository."""
    folder = tmp_path_factory.mktemp("lab")
    lab = Lab("demo", folder)
    (folder / "inventories").symlink_to(ROOT / "inventories")
    secrets.ensure(lab, "10.201.0.0/24")
    known = lab.directory / "known_hosts.d"
    known.mkdir()
    for address in hosts.addresses(lab).values():
        key = keys.public_key(keys.private_key())
        (known / address).write_text(f"{address} {key}\n", encoding="utf-8")
    infra = folder / "infra"
    # Not that of the skeleton's `inventory.copy`: rendering must not need what only this machine has.
    seed.skeleton(infra, ROOT)
    inventory.copy(lab, infra / INVENTORY)
    (infra / job_key.FILE).write_text(SECRET, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(lab.vault_password))
        render.render([infra / INVENTORY], infra, root=ROOT)
    return infra


@pytest.fixture
def infra(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    shutil.copytree(made, tmp_path / "infra")
    return tmp_path / "infra"
