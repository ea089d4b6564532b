"""`xenci secrets init`: made once, encrypted, never shown, never changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from xenci import cli, secrets
from xenci.cli import errors


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


def held(inventory: Path, password: Path) -> dict[str, str]:
    """All secrets of an inventory."""
    vault = secrets.opened(password)
    values: dict[str, str] = {}
    for group in secrets.FILES:
        values |= yaml.safe_load(secrets.text(vault, inventory / "group_vars" / group / "vault.yml"))
    return values


def init(inventory: Path, password: Path) -> int:
    return cli.main(["secrets", "init", "-i", str(inventory), "--vault-password-file", str(password)])


def test_everything_is_made_encrypted_and_none_is_shown(
    inventory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    password = tmp_path / "password"
    assert init(inventory, password) == 0
    values = held(inventory, password)
    assert set(values) == {name for group in secrets.FILES.values() for name in group}
    said = "".join(capsys.readouterr())
    files = {path: path.read_text(encoding="utf-8") for path in inventory.rglob("*") if path.is_file()}
    for secret in (*values.values(), password.read_text(encoding="utf-8")):
        for where in (said, *files.values()):
            assert secret.strip() not in where
    for path in (*inventory.rglob("vault.yml"), password):
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_public_keys_belong_to_the_private_ones(inventory: Path, tmp_path: Path) -> None:
    secrets.init(inventory, tmp_path / "password")
    public = yaml.safe_load((inventory / "group_vars/all/public_keys.yml").read_text(encoding="utf-8"))
    private = held(inventory, tmp_path / "password")
    assert public == {
        f"local_{name}_public_key": secrets.public_key(private[f"vault_{name}_private_key"])
        for name in ("gerrit_xen_ci", "log_upload", "xen_launcher", "zuul_node")
    }


def test_a_bastion_gets_its_own_and_can_open_the_vault(inventory: Path, tmp_path: Path) -> None:
    password = tmp_path / "password"
    secrets.init(inventory, password)
    path = inventory / "group_vars/bastion/vault.yml"
    assert not path.exists()
    before = held(inventory, password)
    public = str(inventory / "group_vars/all/public_keys.yml")
    assert secrets.init(inventory, password, bastion=True) == [str(path), public]
    assert held(inventory, password) == before
    made = yaml.safe_load(secrets.text(secrets.opened(password), path))
    assert set(made) == {*secrets.BASTION, "vault_bastion_vault_password"}
    assert made["vault_bastion_vault_password"] == password.read_text(encoding="utf-8").strip()
    known = yaml.safe_load(Path(public).read_text(encoding="utf-8"))
    key = secrets.public_key(made["vault_bastion_hosts_private_key"])
    assert known["local_bastion_hosts_public_key"] == key
    # Without being asked for, it forgets none of them.
    assert secrets.init(inventory, password) == []


def test_again_changes_nothing(inventory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init(inventory, tmp_path / "password")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert init(inventory, tmp_path / "password") == 0
    assert capsys.readouterr().out == "secrets: everything is there already\n"
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_is_missing_is_added_and_the_rest_kept(inventory: Path, tmp_path: Path) -> None:
    password = tmp_path / "password"
    secrets.init(inventory, password)
    vault, path = secrets.opened(password), inventory / "group_vars/all/vault.yml"
    path.write_bytes(vault.encrypt(b"# ours\nvault_zuul_keystore_password: kept-as-it-is\nvault_other: x"))
    before = held(inventory, password)
    assert secrets.init(inventory, password) == [str(path)]
    assert secrets.text(vault, path).startswith("# ours\nvault_zuul_keystore_password: kept-as-it-is\n")
    assert before.items() <= held(inventory, password).items()


def damage_plain(inventory: Path, password: Path) -> None:
    (inventory / "group_vars/all/vault.yml").write_text("vault_x: y\n", encoding="utf-8")


def damage_password(inventory: Path, password: Path) -> None:
    password.write_text("another\n", encoding="utf-8")


def damage_mode(inventory: Path, password: Path) -> None:
    password.chmod(0o644)


def damage_key(inventory: Path, password: Path) -> None:
    vault, path = secrets.opened(password), inventory / "group_vars/zuul_scheduler/vault.yml"
    path.write_bytes(vault.encrypt(b"vault_gerrit_xen_ci_private_key: no-key"))


def damage_content(inventory: Path, password: Path) -> None:
    path = inventory / "group_vars/zuul_web/vault.yml"
    path.write_bytes(secrets.opened(password).encrypt(b"- a list"))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (damage_plain, "is not encrypted: ansible-vault encrypt"),
        (damage_password, "can't be decrypted"),
        (damage_mode, "others can read"),
        (damage_key, "vault_gerrit_xen_ci_private_key is no private key"),
        (damage_content, "holds no variables"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_is_damaged_is_named_and_nothing_is_changed(
    damage: object, says: str, inventory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    password = tmp_path / "password"
    secrets.init(inventory, password)
    assert callable(damage)
    damage(inventory, password)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert init(inventory, password) == errors.UNFIT
    assert says in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_password_file_that_would_be_shared_is_refused(
    inventory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(inventory, inventory / "password") == errors.UNFIT
    assert "lies in the inventory" in capsys.readouterr().err
    assert list(inventory.iterdir()) == []
