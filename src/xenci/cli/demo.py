"""`xenci demo`: a whole CI on this machine, and changes that it votes on."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from xenci.cli import arguments, errors

EXAMPLES = """\
examples:
  xenci demo up                                       lab "demo" in 10.201.0.0/24
  xenci demo up --lab second --subnet 10.202.0.0/24   a second one beside it
  xenci demo up --xen                                 and a Xen host, in whose guest a third change is tested
  xenci demo up --gerrit-war gerrit-3.11.5.war        on a real Gerrit
  xenci demo up                                       again: only proposes new changes
  xenci demo change                                   a change to the CI itself: plan, approve, apply, drift
  xenci demo status                                   what is there
  xenci demo down                                     remove lab "demo", and nothing else

"""

ACTIONS = {
    "up": "make the lab, deploy the CI, propose two changes and wait for both votes",
    "change": "take a change to the CI itself through review to live hosts, and find an edit by hand",
    "status": "say what is there",
    "down": "remove the lab's containers, network and files, and nothing else",
}


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    parser = commands.add_parser(
        "demo",
        help="a whole CI on this machine, and two changes that it votes on",
        description="A whole CI on this machine, and two changes that it votes on.",
        epilog=EXAMPLES + errors.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in ACTIONS.items():
        action = actions.add_parser(
            name,
            help=text,
            description=text[0].upper() + text[1:] + ".",
            epilog=EXAMPLES + errors.EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        lab_options(action, subnet=name in ("up", "change"))
        if name == "up":
            war_options(action)
            action.add_argument(
                "--xen",
                action="store_true",
                help="have a Xen host join after both votes, and a third change tested in a guest of it",
            )
        action.set_defaults(run=runner(name))


def lab_options(parser: argparse.ArgumentParser, subnet: bool) -> None:
    """Options that say which lab."""
    parser.add_argument(
        "--lab", default="demo", metavar="NAME", help="name of the lab (default: %(default)s)"
    )
    if subnet:
        parser.add_argument(
            "--subnet",
            metavar="CIDR",
            help="its network (default: its own, else 10.201.0.0/24)",
        )


def wars(options: argparse.Namespace) -> bool:
    """Whether a command line names a war."""
    return bool(getattr(options, "gerrit_war", None))


def war_options(parser: argparse.ArgumentParser) -> None:
    """Options of a real Gerrit."""
    war = parser.add_argument(
        "--gerrit-war", type=Path, metavar="FILE", help="run this Gerrit in place of the lab's review server"
    )
    arguments.files(war)
    parser.add_argument(
        "--gerrit-version", metavar="X.Y.Z", help="its version (default: what its file name says)"
    )


def runner(action: str) -> Callable[[argparse.Namespace], int]:
    """The function that carries out one action, with its errors turned into exit codes."""

    def run(options: argparse.Namespace) -> int:
        from xenci.apply.lock import BusyError
        from xenci.apply.screen import Screen
        from xenci.demo import commands, gerrit
        from xenci.demo.lab import Lab
        from xenci.demo.machine import NAME, UnfitError

        options.again = ["demo" if options.command == "demo" else "lab", options.action, "--lab", options.lab]
        target = {"down": "demo-down", "change": "demo-change"}.get(options.action, "demo")
        options.make_again = f"make {target}" + (f" LAB={options.lab}" if options.lab != "demo" else "")
        if getattr(options, "subnet", None):
            options.again += ["--subnet", options.subnet]
            options.make_again += f" SUBNET={options.subnet}"
        if wars(options):
            options.again += ["--gerrit-war", str(options.gerrit_war)]
            options.make_again += f" GERRIT_WAR={options.gerrit_war}"
        if getattr(options, "xen", False):
            options.again += ["--xen"]
        elif action == "up":
            options.make_again += " XEN=no"
        if not NAME.fullmatch(options.lab):
            raise errors.CommandError(
                f"lab name {options.lab!r}: use lower-case letters, digits and hyphens, a letter first",
                errors.UNFIT,
            )
        lab, screen = Lab(options.lab), Screen()
        try:
            war = gerrit.war(options.gerrit_war, options.gerrit_version) if wars(options) else None
            if action == "status":
                return commands.status(lab, screen)
            with lab.lock():
                if action == "down":
                    return commands.down(lab, screen)
                if action == "hosts":
                    return commands.hosts_up(lab, screen, options.subnet)
                if action == "change":
                    return commands.change(lab, screen, options.subnet)
                return commands.up(lab, screen, options.subnet, war, options.xen)
        except BusyError as error:
            raise errors.CommandError(str(error), errors.BUSY) from error
        except UnfitError as error:
            reasons = "".join(f"\n  - {reason}" for reason in error.reasons)
            raise errors.CommandError(f"this can't work yet:{reasons}", errors.UNFIT) from error
        except commands.StuckError as error:
            raise errors.CommandError(f"{error}\nGo on with: {errors.again(options)}") from error

    return run
