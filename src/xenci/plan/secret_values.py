"""The secrets of an inventory, so that they can be masked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.vault import VaultLib

from xenci import secrets
from xenci.check.specs import Specs

VAULT = b"$ANSIBLE_VAULT"


def read(inventories: Sequence[Path], root: Path, password_file: Path | None) -> list[object]:
    """Every secret in the files of an inventory: what is encrypted, what is called `vault_*`, and what a role
    takes as a secret; and the vault's password itself.

    :param root: checkout of xenci, whose roles say what is secret.
    :raises SecretsError: when something can't be decrypted: what is not known can't be masked.
    """
    specs = Specs(root)
    found: list[object] = []
    vault: VaultLib | None = None
    if password_file:
        vault = secrets.opened(password_file)
        found.append(password_file.read_text(encoding="utf-8").strip())
    for path in files(inventories):
        content = path.read_bytes()
        if content.startswith(VAULT):
            if vault is None:
                raise secrets.SecretsError(f"{path} is encrypted: give --vault-password-file")
            found += leaves(yaml.safe_load(secrets.text(vault, path)))
        elif VAULT in content or re.search(rb"(?m)^\s*\S+\s*:", content):
            found += in_plain(content.decode(), path, vault, specs)
    return found


def files(inventories: Sequence[Path]) -> Iterator[Path]:
    """The files of an inventory that may hold variables."""
    for source in inventories:
        if source.is_file():
            yield source
            beside = [source.parent / "group_vars", source.parent / "host_vars"]
        else:
            beside = [source]
        for folder in beside:
            for path in sorted(folder.rglob("*")):
                if (
                    path.is_file()
                    and ".git" not in path.parts
                    and path.suffix in ("", ".yml", ".yaml", ".json")
                ):
                    yield path


def in_plain(text: str, path: Path, vault: VaultLib | None, specs: Specs) -> list[object]:
    """The secrets in a file that as a whole is not encrypted."""

    class Loader(yaml.SafeLoader):
        """YAML with Ansible's tags; what is encrypted becomes `Decrypted`."""

    def decrypt(_loader: Any, node: Any) -> Decrypted:
        if vault is None:
            raise secrets.SecretsError(f"{path} holds encrypted values: give --vault-password-file")
        try:
            return Decrypted(vault.decrypt(str(node.value).encode()).decode())
        except Exception as error:  # Ansible has several for a wrong password
            raise secrets.SecretsError(f"{path} holds a value that can't be decrypted: {error}") from error

    Loader.add_constructor("!vault", decrypt)
    Loader.add_constructor("!vault-encrypted", decrypt)
    Loader.add_constructor("!unsafe", lambda _loader, node: str(node.value))
    try:
        content = yaml.load(text, Loader=Loader)  # noqa: S506  # it is a SafeLoader
    except yaml.YAMLError:
        return []  # no inventory of variables, or one that `xenci check` refuses
    return list(named(content, specs))


class Decrypted(str):
    """A text that was encrypted."""

    __slots__ = ()


def named(value: Any, specs: Specs) -> Iterator[object]:
    """Values that are encrypted, or whose name says that they are secret, at any depth."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if str(name).startswith("vault_"):
                yield from plain(inner)
            elif option := specs.option(str(name)):
                yield from taken(inner, option)
            yield from named(inner, specs)
    elif isinstance(value, list):
        for inner in value:
            yield from named(inner, specs)
    elif isinstance(value, Decrypted):
        yield str(value)


def taken(value: Any, option: Mapping[str, Any]) -> Iterator[object]:
    """What of a role's input its spec calls secret, which may be one key in a list of mappings."""
    if option.get("no_log"):
        yield from plain(value)
    for inner in value if isinstance(value, list) else [value]:
        if isinstance(inner, Mapping):
            for name, deeper in (option.get("options") or {}).items():
                yield from taken(inner.get(name), deeper)


def plain(value: Any) -> Iterator[object]:
    """The scalars that are no templates: what those stand for is found where it is defined."""
    return (leaf for leaf in leaves(value) if "{{" not in str(leaf))


def leaves(value: Any) -> Iterator[object]:
    """The scalars in a value."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif value is not None:
        yield str(value) if isinstance(value, str) else value
