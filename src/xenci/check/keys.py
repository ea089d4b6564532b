"""SSH keys against one another: halves of a pair, one key for two purposes, one host key for two hosts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
    load_ssh_public_key,
)

from xenci.check.inventory import Inventory
from xenci.check.mistake import Mistake, Place
from xenci.check.origins import place
from xenci.check.values import Known


@dataclasses.dataclass(frozen=True)
class Door:
    """What one key opens: inputs of roles with its private half, and those that let its public half in."""

    privates: tuple[str, ...]
    publics: tuple[str, ...]


DOORS = {
    "job nodes and guests": Door(
        ("zuul_executor_node_key",), ("job_node_authorized_keys", "zuul_launcher_xen_authorized_keys")
    ),
    "log servers and the consoles of guests": Door(
        ("zuul_executor_log_upload_key",), ("log_server_upload_keys", "xen_host_console_keys")
    ),
    "Xen hosts": Door(("zuul_launcher_xen_key",), ("xen_host_launcher_keys",)),
    "the review server's own SSH": Door(
        ("gerrit_host_key", "lab_gerrit_host_key"), ("site_review_host_keys",)
    ),
    "all hosts": Door(("bastion_hosts_key",), ()),
    "the bastion": Door((), ("bastion_request_keys",)),
    "the review server's administrator": Door((), ("gerrit_admin_ssh_key", "lab_gerrit_admin_ssh_key")),
}
"""Those beside the accounts of the review server, which `accounts` adds."""

CONNECTIONS = ("zuul_scheduler_connection_ssh_keys", "zuul_executor_connection_ssh_keys")
"""Private keys by connection; that of `gerrit` is the CI's account."""


@dataclasses.dataclass(frozen=True)
class Held:
    """Keys that an input holds on a host; `known` is false where one of them can't be read."""

    name: str
    host: str
    halves: tuple[str, ...]
    known: bool
    line: Place | None


@dataclasses.dataclass
class Pair:
    """Both sides of a door, as the inventory gives them."""

    privates: list[Held] = dataclasses.field(default_factory=list)
    publics: list[Held] = dataclasses.field(default_factory=list)


def check(inventory: Inventory, known: Known, stubs: bool) -> Iterator[Mistake]:
    """Keys by name first, then what roles make of them: of one wrong key, one message.

    :param stubs: private keys are none of the site's, so that pairs can't be compared.
    """
    told: set[str] = set()
    yield from alike(inventory, told)
    if not stubs:
        yield from named(inventory, told)
    pairs = given(inventory, known)
    yield from shared(inventory, pairs, told)
    if not stubs:
        yield from misfits(inventory, pairs, told)
    yield from host_keys(inventory, known)


def alike(inventory: Inventory, told: set[str]) -> Iterator[Mistake]:
    """One private key under two names."""
    holder: dict[str, str] = {}
    for name, host, half in privates(inventory):
        if (other := holder.setdefault(half, name)) != name and half not in told:
            told.add(half)
            line = inventory.blame(name, inventory.of_host(host), host) or inventory.top()
            fix = "give each account a key of its own, or one who has it is taken for both"
            yield Mistake(line, name, f"{name} is the same key as {other}", fix)


def named(inventory: Inventory, told: set[str]) -> Iterator[Mistake]:
    """`local_X_public_key` beside `vault_X_private_key`, as `xenci secrets init` calls them."""
    for name, host, half in privates(inventory):
        public = f"local_{name.removeprefix('vault_').removesuffix('_private_key')}_public_key"
        there = public_half(inventory.value(public, host))
        if there and there != half and half not in told:
            told |= {half, there}
            line = inventory.blame(public, inventory.of_host(host), host) or inventory.top()
            what = f"{public} is not the public half of {name}"
            yield Mistake(line, public, what, f"xenci secrets init writes it anew; it is {half}")


def privates(inventory: Inventory) -> Iterator[tuple[str, str, str]]:
    """Name, a host that has it, and public half of each `vault_X_private_key`; last those made of another."""
    for one in sorted(
        inventory.definitions, key=lambda one: isinstance(one.value, str) and "{{" in one.value
    ):
        if one.name.startswith("vault_") and one.name.endswith("_private_key"):
            host = min(one.hosts, default=inventory.hosts[0])
            if half := private_half(inventory.value(one.name, host)):
                yield one.name, host, half


def given(inventory: Inventory, known: Known) -> dict[str, Pair]:
    """What the roles' inputs hold, by what it opens."""
    pairs = {
        what: Pair(
            [one for name in door.privates for one in of_input(inventory, known, name, private_half)],
            [one for name in door.publics for one in of_input(inventory, known, name, public_half)],
        )
        for what, door in DOORS.items()
    }
    names = {
        part: next((str(one.value) for one in known.get(f"site_{part}_account", {}).values()), "")
        for part in ("ci", "bastion")
    }

    def pair(account: object) -> Pair:
        return pairs.setdefault(f"the account {account}", Pair())

    for connection, one in connections(inventory, known):
        # Another review server has accounts of its own.
        pair(names["ci"] if connection == "gerrit" else f"of connection {connection}").privates.append(one)
    pair(names["bastion"]).privates += of_input(inventory, known, "bastion_git_key", private_half)
    for name, one in accounts(inventory, known):
        pair(name).publics.append(one)
    return pairs


def of_input(inventory: Inventory, known: Known, name: str, half: Callable[[str], str]) -> Iterator[Held]:
    """The keys of one input, on each host."""
    for host, one in known.get(name, {}).items():
        yield from held(name, host, one.value, half, inventory.blame(name, one.variables, host))


def held(
    name: str, host: str, value: object, half: Callable[[str], str], line: Place | None
) -> Iterator[Held]:
    """The keys of a value; nothing of one that is left empty."""
    texts = [str(one) for one in (value if isinstance(value, list) else [value]) if one]
    halves = [half(text) for text in texts]
    if halves:
        yield Held(name, host, tuple(filter(None, halves)), all(halves), line)


def connections(inventory: Inventory, known: Known) -> Iterator[tuple[str, Held]]:
    """The keys with which Zuul logs in, by the connection."""
    for name in CONNECTIONS:
        for host, one in known.get(name, {}).items():
            line = inventory.blame(name, one.variables, host)
            for connection, key in one.value.items() if isinstance(one.value, Mapping) else ():
                for keys in held(f"{name}.{connection}", host, key, private_half, line):
                    yield str(connection), keys


def accounts(inventory: Inventory, known: Known) -> Iterator[tuple[str, Held]]:
    """The keys of the review server's accounts, by name, where the inventory has them."""
    name = "gerrit_config_accounts"
    for host, one in known.get(name, {}).items():
        whole = inventory.blame(name, one.variables, host)
        for account in one.value if isinstance(one.value, list) else ():
            if isinstance(account, Mapping) and account.get("ssh_keys"):
                keys = account["ssh_keys"]
                at = place(keys) or place(account)
                line = at if at and inventory.mine(at.path) else whole
                for each in held(name, host, keys, public_half, line):
                    yield str(account.get("name")), each


def shared(inventory: Inventory, pairs: Mapping[str, Pair], told: set[str]) -> Iterator[Mistake]:
    """One key that opens two doors; who has the private half says what it is for."""
    holder: dict[str, tuple[str, str]] = {}
    sides = [(what, one) for what, pair in pairs.items() for one in pair.privates]
    sides += [(what, one) for what, pair in pairs.items() for one in pair.publics]
    for what, one in sides:
        for half in one.halves:
            other, name = holder.setdefault(half, (what, one.name))
            if other != what and half not in told:
                told.add(half)
                text = f"{one.name} has a key for {what} that opens {other} too ({name})"
                fix = "make a key for each, or one who has it is taken for both"
                yield inventory.mistake(one.line or inventory.top(), text, fix, one.name, one.host)


def misfits(inventory: Inventory, pairs: Mapping[str, Pair], told: set[str]) -> Iterator[Mistake]:
    """Private keys whose public half is not let in."""
    for what, pair in pairs.items():
        for private in pair.privates:
            for public in pair.publics:
                lacking = [half for half in private.halves if half not in public.halves]
                if not lacking or not public.known or told & {*private.halves, *public.halves}:
                    continue
                told.update(private.halves)
                text = f"{public.name} lacks the public half of {private.name}, which is to open {what}"
                line = public.line or inventory.top()
                yield inventory.mistake(line, text, f"add {lacking[0]}", public.name, public.host)


def host_keys(inventory: Inventory, known: Known) -> Iterator[Mistake]:
    """`site_host_key` of each host; a host of ours that is the review server may have one key for both."""
    review = inventory.manager.groups.get("gerrit")
    ours = {str(host.name) for host in review.get_hosts()} if review else set()
    holder: dict[str, str] = {}
    for keys in of_input(inventory, known, "site_review_host_keys", public_half):
        holder |= dict.fromkeys(keys.halves, "the review server")
    for host in inventory.hosts:
        half = public_half(inventory.value("site_host_key", host))
        other = holder.setdefault(half, host) if half else host
        if other != host and not (other == "the review server" and host in ours):
            line = inventory.blame("site_host_key", inventory.of_host(host), host) or inventory.top()
            what = f"site_host_key of {host} is the SSH host key of {other} too"
            fix = "give each its own, from /etc/ssh there; where both have it, make a new one"
            yield Mistake(line, "site_host_key", what, fix, half, (host,))


def private_half(text: str) -> str:
    """The public half of a private key, as type and base64; empty for what is none that a service can use."""
    try:
        line: bytes = loaded(text).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return ""
    return line.decode()


def loaded(text: str) -> Any:
    """A private key, in OpenSSH's format or PEM.

    :raises TypeError: when it has a passphrase.
    :raises ValueError: when it is none; `UnsupportedAlgorithm` when it is of a kind that nothing here knows.
    """
    load = load_ssh_private_key if "OPENSSH" in text[:64] else load_pem_private_key
    return load(text.encode(), password=None)


def public_half(text: str) -> str:
    """A public key as type and base64, without its comment; empty for what is none."""
    line = " ".join(text.split()[:2])
    try:
        load_ssh_public_key(line.encode())
    except (ValueError, UnsupportedAlgorithm):
        return ""
    return line
