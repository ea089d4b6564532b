# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""A bridge over a network card, as interfaces(5) has it: what becomes of the files, and of the network."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

# What begins a stanza; any other line belongs to the one before.
BEGINS = ("iface", "mapping", "auto", "allow-", "source", "template", "rename", "no-auto-down", "no-scripts")


class BridgeError(Exception):
    """The files can't be changed so; the message says why, and what to do."""


def begins(line: str) -> bool:
    """Whether a line begins a stanza."""
    return line.lstrip().startswith(BEGINS)


def take_over(text: str, port: str, bridge: str, mac: str) -> str:
    """Return an interfaces file in which what was the card's is the bridge's, options and comments with it.

    :param mac: the card's; the bridge gets it, so that nobody around notices the change.
    """
    lines = []
    for line in text.splitlines():
        words = line.split()
        if re.match(r"\s*(auto|allow-\S+)\s", line) and port in words[1:]:
            others = [word for word in words if word != port]
            if len(others) > 1:
                lines.append(" ".join(others))
        elif words[:2] == ["iface", port]:
            if words[2:3] == ["inet"]:
                lines += [f"iface {port} inet manual", "", f"auto {bridge}"]
            lines.append(" ".join(["iface", bridge, *words[2:]]))
            if words[2:3] == ["inet"]:
                lines += [
                    f"    hwaddress {mac}",
                    f"    bridge_ports {port}",
                    "    bridge_stp off",
                    "    bridge_fd 0",
                ]
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def plan(files: Mapping[str, str], port: str, bridge: str, mac: str) -> dict[str, str]:
    """Return the new content of the files that change.

    :param files: content of each file of interfaces(5), by path.
    :raises BridgeError: when no file has the card, or one has the bridge already.
    """
    stanzas = list(_stanzas(files))
    if any(words[:2] == ["iface", bridge] for words in stanzas):
        raise BridgeError(
            f"{bridge} is in {' or '.join(files)}, but it is not up: ifup {bridge}, or remove it there"
        )
    methods = [words[3] for words in stanzas if words[:3] == ["iface", port, "inet"] and len(words) > 3]
    if not methods or methods == ["manual"]:
        raise BridgeError(
            f"{port} gets no address from {' or '.join(files)}: only ifupdown can move it to a bridge; "
            f"describe {port} there, or make {bridge} over it by the means that this machine uses"
        )
    new = {path: take_over(text, port, bridge, mac) for path, text in files.items()}
    return {path: text for path, text in new.items() if text != _ended(files[path])}


def _ended(text: str) -> str:
    return "\n".join(text.splitlines()) + "\n"


def _stanzas(files: Mapping[str, str]) -> Iterator[list[str]]:
    """First lines of stanzas, as words."""
    for text in files.values():
        yield from (line.split() for line in text.splitlines() if begins(line))


def script(port: str, bridge: str, folder: str, files: Mapping[str, str]) -> str:
    """Return a shell script that makes the change (`apply`) or takes it back (`revert`).

    :param folder: holds what the files were (`old`) and are to be (`new`), each by its number.
    """
    copies = {
        version: "\n".join(
            f"    cp {shlex.quote(f'{folder}/{version}/{number}')} {shlex.quote(path)}"
            for number, path in enumerate(files)
        )
        for version in ("old", "new")
    }
    return f"""#!/bin/sh
# The address of {port} goes to the bridge {bridge}, or back.
set -u
gateways() {{ ip -4 route show default | sed -n 's/^default via \\([0-9.]*\\).*/\\1/p'; }}
revert() {{
    ifdown --force {bridge}
{copies["old"]}
    ip link delete dev {bridge} 2>/dev/null
    ifdown --force {port}
    ifup {port}
}}
apply() {{
    before=$(gateways)
    ifdown --force {port}
{copies["new"]}
    ifup {bridge} || return 1
    test "$(gateways)" = "$before" || return 1
    # The network may need a moment until it has learnt where the machine is now.
    for gateway in $before; do ping -q -c 1 -w 20 "$gateway" || return 1; done
}}
case $1 in
    revert) revert ;;
    apply) apply || {{ revert; exit 1; }} ;;
esac
"""
