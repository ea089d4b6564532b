"""Addresses and networks that must be apart: guests run anybody's code, and one address is one server's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xenci.check.inventory import Inventory
from xenci.check.mistake import Mistake, Place
from xenci.check.network import Network, as_network
from xenci.check.origins import place
from xenci.check.values import Given, Known

CLIENTS = ("site_zookeeper_client_networks", "site_postgresql_client_networks")

Named = tuple[str, Network, Place]
"""What an address or network is, itself, and its line."""


def check(inventory: Inventory, known: Known) -> Iterator[Mistake]:
    """The review server, hosts, guests and what jobs reach, against one another."""
    given = {
        name: next(iter(by_host.values())) for name, by_host in known.items() if name.startswith("site_")
    }
    hosts = list(of_hosts(inventory))
    review = list(of_list(inventory, given, "site_review_addresses"))
    yield from not_ours(inventory, review, hosts)
    reached = list(of_list(inventory, given, "site_executor_destinations"))
    yield from wide(reached, hosts)
    clients = [one for name in CLIENTS for one in of_list(inventory, given, name)]
    servers = list(of_list(inventory, given, "site_xen_dns"))
    for name, guests, line in of_list(inventory, given, "site_xen_network"):
        inside = [
            f"{what} {shown(network)}"
            for what, network, _ in (*hosts, *review, *reached, *clients, *servers)
            if overlap(guests, network)
        ]
        if inside:
            text = f"{name} is {guests}, which overlaps with {', '.join(inside)}"
            fix = "keep a network for guests alone: they run code of proposed changes"
            yield Mistake(line, name, text, fix, str(guests))


def not_ours(inventory: Inventory, review: list[Named], hosts: list[Named]) -> Iterator[Mistake]:
    """An address of the review server that is another host's."""
    group = inventory.manager.groups.get("gerrit")
    ours = {str(host.name) for host in group.get_hosts()} if group else set()
    for name, address, line in review:
        for host, its, _ in hosts:
            if its == address and host not in ours:
                text = f"{name} has {shown(address)}, which is {host}'s address"
                fix = "give the review server's own, or put the host into the group gerrit"
                yield Mistake(line, name, text, fix, shown(address))


def wide(reached: list[Named], hosts: list[Named]) -> Iterator[Mistake]:
    """A network opened to jobs with hosts of the site in it; a single address is meant."""
    for name, network, line in reached:
        inside = [host for host, its, _ in hosts if network.num_addresses > 1 and overlap(network, its)]
        if inside:
            text = f"{name} opens {network} to jobs, in which the site's own {', '.join(inside)} are"
            yield Mistake(line, name, text, "name the addresses that jobs need, and no more", str(network))


def of_hosts(inventory: Inventory) -> Iterator[Named]:
    """The hosts' addresses, where they are plain."""
    for host in inventory.hosts:
        line = inventory.host_place(host)
        if network := as_network(inventory.address(host)):
            yield host, network, line


def of_list(inventory: Inventory, given: Mapping[str, Given], name: str) -> Iterator[Named]:
    """Addresses and networks that an input holds, alone, in a list, or in a list of destinations."""
    one = given.get(name)
    if one is None:
        return
    line = inventory.blame(name, one.variables) or inventory.top()
    for value in entries(one.value):
        if network := as_network(value):
            at = place(value)
            yield name, network, at if at and inventory.mine(at.path) else line


def entries(value: Any) -> Iterator[object]:
    """The addresses in a value."""
    if isinstance(value, Mapping):
        yield from entries(value.get("addresses"))
    elif isinstance(value, list):
        for inner in value:
            yield from entries(inner)
    elif value is not None:
        yield value


def overlap(one: Network, other: Network) -> bool:
    """Whether two networks have an address in common."""
    return one.version == other.version and one.overlaps(other)


def shown(network: Network) -> str:
    """A network, or the one address that it is."""
    return str(network.network_address if network.num_addresses == 1 else network)
