"""Filter that divides a site's guest network among its Xen hosts, and each part into slots."""

from __future__ import annotations

DOCUMENTATION = """
name: xen_guest_slots
short_description: Addresses and MACs of the guests of every Xen host
description:
  - Divides a network into parts of one size, gives each Xen host the part with its number, and each part's
    addresses to the host's guests, in order.
  - An address depends on the network, the size of a part, the number of the host's part and the number of
    the slot, and on nothing else. More hosts or more slots leave every address that was there before as it
    is, and so does a host that goes.
  - The first address of a part is the part itself, the second is kept for the host (a gateway, where guests
    are routed), the last is for broadcasts. A part of C(/27) therefore has 29 slots.
  - A guest's MAC is Xen's C(00:16:3e) and the last three bytes of its address.
positional: parts
options:
  _input:
    description: The network that belongs to guests, for example V(10.77.0.0/22). IPv4, from /8 to /28.
    type: str
    required: true
  parts:
    description: Number of each Xen host's part, by name of the host. Keep the number of a host for its life.
    type: dict
    required: true
  slots:
    description: How many guests each host may have, a number for all or a dictionary by name of the host.
    type: raw
    required: true
  part_prefix:
    description: Prefix length of a part. Changing it changes addresses, so leave room to grow.
    type: int
    default: 27
  taken:
    description: Addresses and networks that guests must not get, by the name that messages use for them.
    type: dict
    default: {}
"""

EXAMPLES = """
# xen_host_part is a number in each host's own variables: 0, 1, 2 ...
site_xen_slots: >-
  {{ '10.77.0.0/22' | xenci.stack.xen_guest_slots(
       dict(groups['xen_host'] | zip(groups['xen_host'] | map('extract', hostvars, 'xen_host_part'))),
       slots=4, taken={'the stack': '10.77.0.0/27'}) }}
"""

RETURN = """
_value:
  description: For each host its part and slots.
  type: dict
  sample:
    xen1:
      network: 10.77.0.32/27
      slots:
        - address: 10.77.0.34
          mac: 00:16:3e:4d:00:22
"""

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

try:
    import netaddr
except ImportError as error:
    netaddr = None
    MISSING = str(error)
else:
    MISSING = ""

# Addresses of a part that no guest gets: its own, the host's, the broadcast address.
FIRST = 2
KEPT = 3


def xen_guest_slots(
    network: str,
    parts: Mapping[str, int],
    slots: int | Mapping[str, int],
    part_prefix: int = 27,
    taken: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Part and slots of each host; raises AnsibleFilterError, with the numbers, for what does not fit."""
    if netaddr is None:
        raise AnsibleFilterError(f"xen_guest_slots needs netaddr on the controller: {MISSING}")
    whole = _network("the guest network", network)
    if not 8 <= whole.prefixlen <= 28:
        raise AnsibleFilterError(f"the guest network is {network}: its prefix length must be from 8 to 28")
    if (
        isinstance(part_prefix, bool)
        or not isinstance(part_prefix, int)
        or not whole.prefixlen <= part_prefix <= 29
    ):
        raise AnsibleFilterError(
            f"part_prefix is {part_prefix!r}: in {network} it must be a number from {whole.prefixlen} to 29"
        )
    count, size = 2 ** (part_prefix - whole.prefixlen), 2 ** (32 - part_prefix)
    _check_parts(parts, count, network, part_prefix)
    plan = {}
    for host, number in parts.items():
        wanted = _slots(slots, host)
        if not 0 <= wanted <= size - KEPT:
            raise AnsibleFilterError(
                f"{host} is to have {wanted} guest slots: a /{part_prefix} has {size - KEPT}; "
                "fewer slots, or one more host"
            )
        part = netaddr.IPNetwork((whole.first + number * size, part_prefix))
        addresses = [netaddr.IPAddress(part.first + FIRST + slot) for slot in range(wanted)]
        for name, other in (taken or {}).items():
            _check_free(host, part, addresses, name, _network(name, other))
        plan[host] = {
            "network": str(part),
            "slots": [{"mac": _mac(address), "address": str(address)} for address in addresses],
        }
    return plan


def _network(name: str, value: Any) -> Any:
    """An IPv4 network, or a single address as one of /32."""
    try:
        network = netaddr.IPNetwork(value, version=4)
    except (netaddr.AddrFormatError, ValueError, TypeError) as error:
        raise AnsibleFilterError(f"{name} is {value!r}: it must be IPv4, as in 10.77.0.0/22") from error
    if network.ip != network.network:
        raise AnsibleFilterError(f"{name} is {value}: it has host bits, its network is {network.cidr}")
    return network


def _check_parts(parts: Any, count: int, network: str, part_prefix: int) -> None:
    """Every host has a number of its own, and the network that many parts."""
    if not isinstance(parts, Mapping):
        raise AnsibleFilterError(f"parts is {parts!r}: it must give each Xen host the number of its part")
    owners: dict[int, str] = {}
    for host, number in parts.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise AnsibleFilterError(f"the part of {host} is {number!r}: it must be a whole number from 0")
        if number >= count:
            raise AnsibleFilterError(
                f"the part of {host} is {number}: {network} has {count} parts of /{part_prefix}, "
                f"0 to {count - 1}"
            )
        if number in owners:
            raise AnsibleFilterError(
                f"{owners[number]} and {host} both have part {number}: one of each number"
            )
        owners[number] = host


def _slots(slots: Any, host: str) -> int:
    """How many slots a host is to have."""
    wanted = slots.get(host) if isinstance(slots, Mapping) else slots
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        raise AnsibleFilterError(f"the slots of {host} are {wanted!r}: it must be a whole number")
    return wanted


def _check_free(host: str, part: Any, addresses: list[Any], name: str, other: Any) -> None:
    """No guest's address belongs to somebody else."""
    hit = [str(address) for address in addresses if address in other]
    if hit:
        raise AnsibleFilterError(
            f"{len(hit)} of the guest addresses of {host} ({hit[0]} to {hit[-1]} in {part}) belong to {name} "
            f"({other if other.prefixlen < 32 else other.ip}): give {host} another part, "
            "or guests another network"
        )


def _mac(address: Any) -> str:
    """The MAC of a guest: Xen's prefix (its OUI) and the last 24 bits of the address."""
    low = int(address) & 0xFFFFFF
    return f"00:16:3e:{low >> 16:02x}:{low >> 8 & 0xFF:02x}:{low & 0xFF:02x}"


class FilterModule:
    """Makes the filter known to Ansible."""

    def filters(self) -> dict[str, Any]:
        """Filters by name."""
        return {"xen_guest_slots": xen_guest_slots}
