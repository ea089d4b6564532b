"""`gerrit show-connections` and `gerrit close-connection`."""

from __future__ import annotations

import asyncio
import socket

from xenci.lab_gerrit.ssh.session import Session, fatal, parse


async def show(session: Session, words: list[str]) -> None:
    """List who is connected."""
    session.require("viewConnections", "view connections")
    parsed = parse(words, flags=["numeric|n", "wide|w"])
    numeric = parsed.flag("numeric")
    lines = [f"{'Session':<8}   {'User':<15} Remote Host", "-" * 62]
    for connection in session.front.connections.values():
        account = connection.account
        user = f"a/{account.id}" if numeric else account.username or f"a/{account.id}"
        host = connection.peer if numeric else await _name(connection.peer)
        lines.append(f"{connection.id:<8}   {user:<15} {host}")
    lines += ["--", f" {len(session.front.connections)} connections; SSHD Backend: nio2", ""]
    session.write("\n".join(lines))


async def _name(address: str) -> str:
    try:
        name, _ = await asyncio.get_running_loop().getnameinfo((address, 0), socket.NI_NUMERICSERV)
    except OSError:
        return address
    return name


async def close(session: Session, words: list[str]) -> None:
    """Close connections by their session ids."""
    session.require("administrateServer", "administrate server")
    parsed = parse(words, flags=["wait"])
    if not parsed.words:
        raise fatal('Argument "SESSION_ID" is required')
    for number in parsed.words:
        connection = session.front.connections.get(number)
        if connection is None:
            session.error(f"close connection {number}: no such connection\n")
            continue
        session.write(f"closing connection {number}...\n")
        connection.transport.close()
