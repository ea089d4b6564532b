"""Is this machine fit for a lab? Asked before anything is changed."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xenci.demo.lab import Lab

MEMORY_MIB = 6000
"""An idle stack takes about 2.5 GiB, a job and the page cache the rest; 8 GB machines show a little less."""

DISK_MIB = 6000
"""Image, packages and virtual environments of a lab with empty caches."""

NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


class UnfitError(Exception):
    """The machine or the arguments won't do; the message names each reason and what to do about it."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = list(reasons)


def check(lab: Lab, subnet: str, more_memory: int = 0) -> None:
    """Check everything and report all reasons at once.

    :param more_memory: MiB that are needed beside what every lab needs.
    :raises UnfitError: when there is at least one.
    """
    reasons = [*_arguments(lab, subnet), *_resources(lab, MEMORY_MIB + more_memory)]
    if not reasons:
        reasons = [*_podman(lab, subnet)]
    if reasons:
        raise UnfitError(reasons)


def _arguments(lab: Lab, subnet: str) -> Iterator[str]:
    if not NAME.fullmatch(lab.name):
        yield f"lab name {lab.name!r}: use lower-case letters, digits and hyphens, a letter first, at most 31"
    try:
        network = ipaddress.IPv4Network(subnet)
    except ValueError as error:
        yield f"subnet {subnet!r}: {error}; give a network such as 10.201.0.0/24"
        return
    if network.prefixlen > 24:
        yield f"subnet {subnet} is too small: the lab's addresses end in .10 to .53, give a /24 or larger"
    if not network.is_private:
        yield f"subnet {subnet} is not a private one: take one of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"


def _resources(lab: Lab, needed: int) -> Iterator[str]:
    if os.geteuid() != 0:
        yield "this is not root: test hosts need rootful podman; run it as root"
    memory = available_memory(Path("/proc/meminfo").read_text(encoding="ascii"))
    # A lab that runs holds its memory already.
    if memory < needed and not lab.applied.exists():
        yield f"{memory} MiB of memory are available, {needed} are needed: end other programs"
    for program in ("podman", "git", "ssh", "openssl", "mmdebstrap"):
        if shutil.which(program) is None:
            yield f"{program} is not installed: run make setup"
    disk = shutil.disk_usage("/var/lib").free // 2**20
    if disk < DISK_MIB and not lab.applied.exists():
        yield f"{disk} MiB are free below /var/lib, {DISK_MIB} are needed: make room"


def _podman(lab: Lab, subnet: str) -> Iterator[str]:
    answer = subprocess.run(
        ["podman", "network", "ls", "--format", "json"], capture_output=True, text=True, check=False
    )
    if answer.returncode:
        yield f"podman does not work: {answer.stderr.strip()[-300:] or 'no message'}"
        return
    networks = json.loads(answer.stdout or "[]")
    yield from taken(subnet, lab.container_prefix, networks, _json("ip", "-j", "-4", "route"))
    yield from elsewhere(lab)


def taken(
    subnet: str, own: str, networks: Sequence[Mapping[str, Any]], routes: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Reasons why a subnet can't be had.

    :param own: name of the lab's own network, which may be there already.
    :param networks: as `podman network ls` gives them.
    :param routes: as `ip -j -4 route` gives them.
    """
    wanted = ipaddress.IPv4Network(subnet)
    for network in networks:
        for part in network.get("subnets") or []:
            other = ipaddress.ip_network(part["subnet"])
            if network["name"] != own and isinstance(other, ipaddress.IPv4Network) and other.overlaps(wanted):
                yield f"subnet {subnet} overlaps podman's network {network['name']} ({other}): choose SUBNET="
    bridges = {network.get("network_interface") for network in networks}
    for route in routes:
        if route["dst"] == "default" or route.get("dev") in bridges:
            continue
        if ipaddress.IPv4Network(route["dst"]).overlaps(wanted):
            yield f"subnet {subnet} overlaps the route {route['dst']} ({route.get('dev')}): choose SUBNET="


def elsewhere(lab: Lab) -> Iterator[str]:
    """A reason when a lab of this name is there that another checkout has made."""
    label = f"label=xenci/lab={lab.name}"
    listed = subprocess.run(
        ["podman", "ps", "--all", "--quiet", "--filter", label], capture_output=True, text=True, check=True
    ).stdout.split()
    if listed and (other := made_in(lab, _json("podman", "inspect", *listed))):
        yield f"there is a lab {lab.name!r} of another checkout, {other}: choose another LAB="


def made_in(lab: Lab, containers: Sequence[Mapping[str, Any]]) -> str:
    """Where a lab of this name was made, if not here: its hosts' keys are mounted from there.

    :param containers: as `podman inspect` gives them.
    """
    for container in containers:
        for mount in container.get("Mounts") or []:
            source = str(mount.get("Source", ""))
            if mount.get("Destination") == "/root/.ssh/authorized_keys" and source != f"{lab.keys}/lab.pub":
                return source.removesuffix(f"/.lab/{lab.name}/keys/lab.pub")
    return ""


def _json(*command: str) -> Any:
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout or "[]")


def available_memory(meminfo: str) -> int:
    """MiB that /proc/meminfo calls available."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(found[1]) // 1024 if found else 0
