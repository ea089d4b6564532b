"""Stubs in the place of secrets: as good as them for every check, and at the same lines."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from xenci import secrets
from xenci.lint import stubs

SEALED = "$ANSIBLE_VAULT;1.1;AES256\n6162\n6364\n"


@pytest.fixture
def infra(tmp_path: Path) -> Path:
    folder = tmp_path / "infra/inventory/group_vars/all"
    folder.mkdir(parents=True)
    (folder / "vault.yml").write_text(SEALED, encoding="utf-8")
    (folder / "plain.yml").write_text(
        "---\n"
        "a: '{{ vault_of_all }}'\n"
        "b: !vault |\n"
        "  $ANSIBLE_VAULT;1.1;AES256\n"
        "  6162\n"
        "c: wrong\n"
        "d:\n"
        "  vault_e_private_key: !vault |-\n"
        "    $ANSIBLE_VAULT;1.1;AES256\n"
        "    6162\n",
        encoding="utf-8",
    )
    (tmp_path / "xenci/playbooks").mkdir(parents=True)
    (tmp_path / "xenci/playbooks/a.yml").write_text(
        "x: '{{ vault_zuul_node_private_key }}'", encoding="utf-8"
    )
    (tmp_path / "infra/.git").mkdir()
    return tmp_path / "infra"


def test_every_secret_that_is_read(infra: Path, tmp_path: Path) -> None:
    password = stubs.copy(infra, tmp_path / "copy/infra", tmp_path / "xenci")
    folder = tmp_path / "copy/infra/inventory/group_vars/all"
    secret = VaultSecret(password.read_bytes().strip())
    values = yaml.safe_load(VaultLib([("default", secret)]).decrypt((folder / "vault.yml").read_bytes()))
    keys = {"vault_zuul_node_private_key", "vault_e_private_key_in_place"}
    assert set(values) >= {"vault_of_all", "vault_b_in_place"} | keys
    assert len({secrets.public_key(values[name]) for name in keys}) == len(keys)
    assert not (tmp_path / "copy/infra/.git").exists()


def test_lines_stay_where_they_are(infra: Path, tmp_path: Path) -> None:
    stubs.copy(infra, tmp_path / "copy/infra", tmp_path / "xenci")
    text = (tmp_path / "copy/infra/inventory/group_vars/all/plain.yml").read_text(encoding="utf-8")
    assert text.splitlines()[5] == "c: wrong"
    assert yaml.safe_load(text) == {
        "a": "{{ vault_of_all }}",
        "b": "{{ vault_b_in_place }}",
        "c": "wrong",
        "d": {"vault_e_private_key": "{{ vault_e_private_key_in_place }}"},
    }


def test_a_link_shows_nobody_a_file_of_this_machine(infra: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text(SEALED, encoding="utf-8")
    (infra / "inventory/group_vars/all/link.yml").symlink_to(tmp_path / "mine.yml")
    stubs.copy(infra, tmp_path / "copy/infra", tmp_path / "xenci")
    assert (tmp_path / "copy/infra/inventory/group_vars/all/link.yml").is_symlink()
    assert (tmp_path / "mine.yml").read_text(encoding="utf-8") == SEALED
