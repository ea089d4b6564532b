"""Addresses and names of the hosts, and networks that overlap."""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from xenci.check.inventory import Definition, Inventory
from xenci.check.mistake import Mistake, Place
from xenci.check.origins import place
from xenci.check.topology import addressed_groups

LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check(inventory: Inventory, root: Path) -> Iterator[Mistake]:
    """Hosts one by one, then against one another; then networks."""
    groups = addressed_groups(root)
    holder: dict[str, str] = {}
    for name in inventory.hosts:
        host = inventory.manager.hosts[name]
        here = place(host.name) or inventory.top()
        if not dns_name(name):
            fix = "use letters, digits and hyphens; it becomes part of the host's DNS name"
            yield Mistake(here, "", f"the host {name} has no DNS name", fix, hosts=(name,))
        variables = inventory.of_host(name)
        addressed = groups & set(variables.get("group_names", []))
        if addressed and "ansible_host" not in variables and not inventory.loader.failed:
            yield inventory.lacking(name, "ansible_host")
        address = inventory.address(name)
        if not address:
            continue  # who reads it says so
        where = inventory.blame("ansible_host", variables, name) or here
        fix = ""
        if not is_address(address) and not dns_name(address):
            fix = "give an address or a DNS name"
        elif addressed and not is_address(address) and "ansible_host" in variables:
            fix = "give the address: firewalls of other hosts name it, and take no names"
        if fix:
            yield inventory.mistake(
                where, f"ansible_host of {name} is '{address}'", fix, "ansible_host", name
            )
        elif (other := holder.setdefault(address, name)) != name:
            fix = "give each an address of its own, or list one host in several groups"
            yield Mistake(
                own_place(inventory, name, where),
                "ansible_host",
                f"{other} and {name} are both {address}",
                fix,
                address,
            )
    yield from overlaps(inventory)


def own_place(inventory: Inventory, host: str, where: Place) -> Place:
    """The line of the host itself, where its address comes from what all hosts share."""
    definition = inventory.definition_at(where)
    shared = definition is not None and len(definition.hosts) > 1
    return (place(inventory.manager.hosts[host].name) or where) if shared else where


def overlaps(inventory: Inventory) -> Iterator[Mistake]:
    """Two networks in one list, of which one holds the other."""
    for one, listed in lists(inventory):
        networks = [(text, network) for text in listed if (network := as_network(text))]
        for (_, first), (text, second) in itertools.combinations(networks, 2):
            if first.version == second.version and first.overlaps(second):
                if first == second:
                    what, fix = f"{one.name} has {text} twice", "keep one"
                else:
                    what, fix = f"{one.name} has {first} and {second}, which overlap", "keep the larger one"
                yield Mistake(place(text) or one.place, one.name, what, fix, str(second))


def lists(inventory: Inventory) -> Iterator[tuple[Definition, list[object]]]:
    """Lists of addresses and networks, those in lists of destinations too."""
    for one in inventory.definitions:
        if not isinstance(one.value, list):
            continue
        if one.name.endswith(("_networks", "_sources", "_addresses", "_dns")):
            yield one, one.value
        elif one.name.endswith("_destinations"):
            for inner in one.value:
                if isinstance(inner, Mapping) and isinstance(inner.get("addresses"), list):
                    yield one, inner["addresses"]


def as_network(text: object) -> Network | None:
    """A network or address; None for what is neither, or a template."""
    try:
        return ipaddress.ip_network(str(text), strict=False)
    except ValueError:
        return None


def is_address(text: str) -> bool:
    """Whether it is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def dns_name(text: str) -> bool:
    """Whether it is a host name that DNS can hold; what looks like an address and is none is no name."""
    labels = text.rstrip(".").split(".")
    return len(text) <= 253 and all(map(LABEL.fullmatch, labels)) and not labels[-1].isdigit()
