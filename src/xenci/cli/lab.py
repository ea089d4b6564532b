"""`xenci lab`: only the hosts of a lab, with nothing on them."""

from __future__ import annotations

import argparse

from xenci.cli import demo, errors

EXAMPLES = """\
examples:
  xenci lab up --lab mine --subnet 10.202.0.0/24   make the hosts and their inventory in .lab/mine
  xenci lab down --lab mine                        remove them

"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    parser = commands.add_parser(
        "lab",
        help="make or remove test hosts, with nothing on them",
        description="Make or remove the hosts of a lab: podman containers with systemd, reached over SSH.",
        epilog=EXAMPLES + errors.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in (("up", "make the hosts"), ("down", "remove the lab, and nothing else")):
        action = actions.add_parser(
            name,
            help=text,
            description=text,
            epilog=EXAMPLES + errors.EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        demo.lab_options(action, subnet=name == "up")
        action.set_defaults(run=demo.runner("hosts" if name == "up" else "down"))
