"""The secrets of a site: made at random, encrypted in one file for each group that needs them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret, get_file_vault_secret
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from xenci.files import write


class SecretsError(Exception):
    """The secrets can't be made; the message says what to do."""


def password() -> str:
    """160 random bits in characters that need no quoting anywhere."""
    return secrets.token_urlsafe(20).replace("-", "x").replace("_", "y")


def private_key() -> str:
    """A new ed25519 key in OpenSSH's format."""
    return (
        Ed25519PrivateKey.generate()
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        .decode()
    )


def public_key(private: str) -> str:
    """The public half of a private key, in the one-line format of OpenSSH.

    :raises ValueError: when it is no private key, or one with a passphrase.
    """
    try:
        key = serialization.load_ssh_private_key(private.encode(), password=None)
    except TypeError as error:
        raise ValueError(str(error)) from error
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return line.decode()


def given() -> str:
    """What only the review server can make: `xenci check` asks for it."""
    return "<the HTTP password that the review server shows in the settings of the CI's account>"


FILES: dict[str, dict[str, Callable[[], str]]] = {
    "all": {
        "vault_gerrit_xen_ci_password": given,
        "vault_postgresql_zuul_password": password,
        "vault_zuul_keystore_password": password,
    },
    "zuul_executor": {
        "vault_log_upload_private_key": private_key,
        "vault_zuul_node_private_key": private_key,
    },
    "zuul_launcher": {"vault_xen_launcher_private_key": private_key},
    "zuul_scheduler": {"vault_gerrit_xen_ci_private_key": private_key},
    "zuul_web": {"vault_zuul_web_secret": password},
}
"""Group, the secrets that it needs, and how each is made."""

BASTION: dict[str, Callable[[], str]] = {
    "vault_bastion_hosts_private_key": private_key,
    "vault_gerrit_xenci_bastion_password": given,
    "vault_gerrit_xenci_bastion_private_key": private_key,
}
"""The same for a site that has a bastion; the vault's own password comes beside them."""

PUBLIC = "public_keys.yml"


def init(inventory: Path, password_file: Path, *, bastion: bool = False) -> list[str]:
    """Make what an inventory lacks of `FILES`, and never change what is there.

    `group_vars/<group>/vault.yml` gets the secrets, `group_vars/all/public_keys.yml` the public half of each
    key as `local_<key>_public_key`. The password file is made where it isn't there yet.

    :param bastion: make what a bastion needs, too.
    :return: the files that were written, the password file among them.
    :raises SecretsError: and nothing is changed then.
    """
    inventory, password_file = inventory.resolve(), password_file.resolve()
    if password_file.is_relative_to(inventory):
        raise SecretsError(
            f"{password_file} lies in the inventory and would be shared with it: keep it elsewhere"
        )
    new: dict[Path, str] = {}
    if not password_file.exists():
        if not password_file.parent.is_dir():
            raise SecretsError(f"no such directory: {password_file.parent}")
        new[password_file] = password() + "\n"
        vault = VaultLib([("default", VaultSecret(new[password_file].strip().encode()))])
    else:
        vault = opened(password_file)
    variables = inventory / "group_vars"
    files = dict(FILES)
    if bastion or (variables / "bastion" / "vault.yml").exists():
        # It opens the vault itself, so it has to be told with what.
        known = vault.secrets[0][1].bytes.decode()
        files["bastion"] = {**BASTION, "vault_bastion_vault_password": lambda: known}
    values: dict[str, str] = {}
    for group, makers in files.items():
        path = variables / group / "vault.yml"
        plain = text(vault, path)
        there = yaml.safe_load(plain) or {}
        lacking = {name: make() for name, make in makers.items() if name not in there}
        values |= there | lacking
        if lacking:
            # Added at the end, so that comments and order of what is there stay.
            plain = (plain or "---\n") + yaml.safe_dump(lacking, default_style="|")
            new[path] = vault.encrypt(plain.encode()).decode()
    path, plain = variables / "all" / PUBLIC, public_keys(values)
    if not path.exists() or path.read_text(encoding="utf-8") != plain:
        new[path] = plain
    for path, content in new.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, content, 0o644 if path.name == PUBLIC else 0o600)
    return [str(path) for path in new]


def opened(password_file: Path) -> VaultLib:
    """A vault with the password of a file."""
    if password_file.stat().st_mode & 0o077:
        raise SecretsError(f"others can read {password_file}: chmod 600 {password_file}")
    try:
        secret = get_file_vault_secret(str(password_file), loader=DataLoader())
        secret.load()
    except AnsibleError as error:
        raise SecretsError(f"{password_file}: {error}") from error
    return VaultLib([("default", secret)])


def text(vault: VaultLib, path: Path) -> str:
    """What a vault file holds, in YAML; empty where there is none.

    :raises SecretsError: when it is not encrypted, not with this password, or holds no variables.
    """
    if not path.exists():
        return ""
    content = path.read_bytes()
    if not content.startswith(b"$ANSIBLE_VAULT"):
        raise SecretsError(f"{path} is not encrypted: ansible-vault encrypt {path}")
    try:
        plain: str = vault.decrypt(content).decode()
    except AnsibleError:
        raise SecretsError(f"{path} can't be decrypted: give the password that it was made with") from None
    try:
        held = yaml.safe_load(plain) or {}
    except yaml.YAMLError:
        held = None
    if not isinstance(held, dict):
        raise SecretsError(f"{path} holds no variables: ansible-vault edit {path}")
    return plain if plain.endswith("\n") or not plain else plain + "\n"


def public_keys(values: dict[str, str]) -> str:
    """The file of public keys that belongs to some secrets."""
    lines = {}
    for name, value in sorted(values.items()):
        if name.endswith("_private_key"):
            key = name.removeprefix("vault_").removesuffix("_private_key")
            try:
                lines[f"local_{key}_public_key"] = public_key(str(value))
            except ValueError as error:
                raise SecretsError(f"{name} is no private key that a service can use: {error}") from error
    header = "# Made by `xenci secrets init`: the public halves of the keys in the vault files."
    return f"---\n{header}\n{yaml.safe_dump(lines, width=1000)}"
