"""`xenci-lab-gerrit init|daemon --site DIR`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from pathlib import Path

from xenci.lab_gerrit.config import Config, load
from xenci.lab_gerrit.init import init
from xenci.lab_gerrit.pushes import Pushes
from xenci.lab_gerrit.receive import close_left_open
from xenci.lab_gerrit.server import Server
from xenci.lab_gerrit.ssh.server import SshFront
from xenci.lab_gerrit.store import VersionError
from xenci.lab_gerrit.web import serve


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xenci-lab-gerrit", description="A review server for demo and tests that answers as Gerrit does."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    site = argparse.ArgumentParser(add_help=False)
    site.add_argument("--site", type=Path, required=True, help="directory of the site")
    make = commands.add_parser("init", parents=[site], help="make a site; one that is there is left alone")
    make.add_argument(
        "--admin-password-file",
        type=argparse.FileType("r", encoding="utf-8"),
        help="file with the administrator's HTTP password, - for stdin (a new site without it: `secret`)",
    )
    key = make.add_mutually_exclusive_group()
    key.add_argument("--admin-key", default="", help="the administrator's ssh public key")
    key.add_argument("--admin-key-file", type=Path, help="file with that key")
    daemon = commands.add_parser("daemon", parents=[site], help="serve a site until told to stop")
    daemon.add_argument("--http-address", help="address of HTTP or HTTPS")
    daemon.add_argument("--http-port", type=int, help="its port; 0 takes a free one")
    daemon.add_argument("--ssh-address", help="address of ssh")
    daemon.add_argument("--ssh-port", type=int, help="its port; 0 takes a free one")
    daemon.add_argument("--canonical-url", help="URL under which users and clients reach it")
    daemon.add_argument("--tls-cert", help="certificate chain (PEM); makes it HTTPS")
    daemon.add_argument("--tls-key", help="its private key (PEM)")
    daemon.add_argument(
        "--capture", help="append every exchange to this file, a JSON object a line, secrets masked"
    )
    return parser


def _tell_systemd(state: str) -> None:
    """What a service of Type=notify says to systemd; nothing where it was not started by it."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.connect("\0" + address[1:] if address.startswith("@") else address)
            notify.send(state.encode())


async def _daemon(config: Config) -> None:
    server = Server(config)
    if not server.setting_done():
        server.close()
        raise SystemExit(
            f"{config.site}: no site here; make one with `xenci-lab-gerrit init --site {config.site}`"
        )
    await server.repair()
    await close_left_open(server)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    pushes = Pushes(server)
    ssh = SshFront(server, pushes)
    await pushes.start()
    runner = await serve(server, pushes)
    await ssh.start()
    _tell_systemd("READY=1")
    logging.info("serving %s and ssh on %s:%s", config.url, config.ssh_address, config.ssh_port)
    await stop.wait()
    await ssh.stop()
    await pushes.stop()
    await runner.cleanup()
    server.close()


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    os.umask(0o027)
    config = load(arguments.site)
    try:
        return _run(arguments, config)
    except VersionError as error:
        raise SystemExit(str(error)) from None


def _run(arguments: argparse.Namespace, config: Config) -> int:
    if arguments.command == "init":
        password = arguments.admin_password_file.read().strip() if arguments.admin_password_file else None
        key = (
            arguments.admin_key_file.read_text(encoding="utf-8")
            if arguments.admin_key_file
            else arguments.admin_key
        )
        changed = asyncio.run(init(config, admin_password=password, admin_key=key.strip() or None))
        print("changed" if changed else "unchanged")  # noqa: T201
        return 0
    for name in (
        "http_address",
        "http_port",
        "ssh_address",
        "ssh_port",
        "canonical_url",
        "tls_cert",
        "tls_key",
        "capture",
    ):
        value = getattr(arguments, name)
        if value is not None:
            setattr(config, name, value)
    asyncio.run(_daemon(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
