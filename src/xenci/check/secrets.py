"""Secrets: where they are written, whether they are placeholders, and whether keys are what is wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.vault import EncryptedString
from cryptography.exceptions import UnsupportedAlgorithm

from xenci.check.inventory import Definition, Inventory, encrypted
from xenci.check.keys import loaded, public_half
from xenci.check.mistake import Mistake, Place
from xenci.check.origins import place
from xenci.check.specs import Specs

PLACEHOLDER = re.compile(
    r"(?i)\s*(|x{3,}|\.{3,}|-+|<.*>|change.?me.*|to.?do.*|fix.?me.*|(your|my|the).?(password|secret|key).*|password|secret|example|dummy)\s*"
)
PRIVATE = re.compile(r"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----")
PUBLIC = re.compile(r"(ssh-|ecdsa-|sk-)[\w.@-]+ [A-Za-z0-9+/=]+")
TEMPLATE = re.compile(r"\{\{|\{%")


def check(inventory: Inventory, specs: Specs) -> Iterator[Mistake]:
    """Every definition of a secret or a key."""
    for one in inventory.definitions:
        option = specs.option(one.name)
        for where, value in leaves(one.value, one.place):
            if isinstance(value, EncryptedString):
                try:
                    value = str(value)
                except AnsibleError:
                    fix = (
                        "encrypt it with the password that --vault-password-file gives, or give the right one"
                    )
                    yield Mistake(where, one.name, f"{one.name} can't be decrypted", fix)
                    continue
            elif secret(one.name, option) and isinstance(value, str):
                yield from plain(one, where, value)
            if isinstance(value, str) and not TEMPLATE.search(value):
                if (
                    secret(one.name, option)
                    and PLACEHOLDER.fullmatch(value)
                    and (value or one.name.startswith("vault_"))
                ):
                    yield Mistake(
                        where, one.name, f"{one.name} is a placeholder", "put the secret in its place"
                    )
                else:
                    yield from key(one, option, where, value)


def secret(name: str, option: Mapping[str, Any]) -> bool:
    """Whether a variable as a whole is a secret."""
    return name.startswith("vault_") or bool(option.get("no_log"))


def leaves(value: Any, where: Place) -> Iterator[tuple[Place, Any]]:
    """The texts and encrypted texts in a value, with their places."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner, place(inner) or where)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, place(inner) or where)
    else:
        yield where, value


def plain(one: Definition, where: Place, value: str) -> Iterator[Mistake]:
    """A secret that anybody can read who reads the inventory."""
    if not value or TEMPLATE.search(value) or PLACEHOLDER.fullmatch(value) or encrypted(where.path):
        return
    what = f"{one.name} is a secret in plain text"
    name = one.name if one.name.startswith("vault_") else f"vault_{one.name}"
    yield Mistake(
        where, one.name, what, f"put {name} into a file that ansible-vault has encrypted, and refer to it"
    )


def key(one: Definition, option: Mapping[str, Any], where: Place, value: str) -> Iterator[Mistake]:
    """A key that doesn't parse, or is the other half of what is wanted."""
    name = one.name
    if wants_private(name, option):
        if PUBLIC.match(value.strip()):
            yield Mistake(
                where, name, f"{name} is a public key", "give the private one, from the file without .pub"
            )
        elif reason := unusable(value):
            yield Mistake(
                where, name, f"{name} {reason}", "make one with: ssh-keygen -t ed25519 -N '' -f KEY"
            )
    elif PRIVATE.search(value) and not secret(name, option):
        yield Mistake(
            where,
            name,
            f"{name} is a private key",
            "give the public one, and make a new pair: this one has been shown",
        )
    elif wants_public(name, option) and not public_half(value):
        yield Mistake(
            where, name, f"{name} has what is no public key", "give the line of the .pub file: type, base64"
        )


def wants_private(name: str, option: Mapping[str, Any]) -> bool:
    """By the names of secrets: vault_…_private_key, and secret options that end in _key or _keys."""
    return name.endswith("_private_key") or (bool(option.get("no_log")) and name.endswith(("_key", "_keys")))


def wants_public(name: str, option: Mapping[str, Any]) -> bool:
    """By the names of inputs: those that end in _key or _keys and are no path."""
    kind = option.get("elements", option.get("type"))
    return name.endswith("_public_key") or (kind == "str" and name.endswith(("_key", "_keys")))


def unusable(value: str) -> str:
    """Why a private key can't be used by a service; empty when it can."""
    try:
        loaded(value)
    except TypeError:
        return "has a passphrase, which no service can type"
    except (ValueError, UnsupportedAlgorithm):
        return "is no private key"
    return ""
