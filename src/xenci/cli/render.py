"""`xenci render`: the part of the infra repository that follows from the inventory."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from xenci.cli import arguments, errors
from xenci.paths import checkout

EXAMPLES = """\
examples:
  xenci render -i inventories/example ../infra           write what follows from the inventory
  xenci render -i inventories/example ../infra --check   do the two agree? (1 when they don't)

"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "render",
        help="write what in the infra repository follows from the inventory",
        description="Write pipelines, nodes and projects of an inventory into a checkout of infra.",
        epilog=EXAMPLES + errors.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.inventory(parser)
    parser.add_argument("--check", action="store_true", help="write nothing, say what differs")
    arguments.vault_password_file(parser)
    arguments.files(parser.add_argument("destination", type=Path, help="checkout of the infra repository"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Render, and name the files that changed."""
    from xenci import render
    from xenci.apply.screen import Screen

    if not options.destination.is_dir():
        raise errors.CommandError(f"no such directory: {options.destination}", errors.UNFIT)
    if options.vault_password_file:
        os.environ["ANSIBLE_VAULT_PASSWORD_FILE"] = str(Path(options.vault_password_file).resolve())
    screen = Screen()
    inventories = [Path(source).resolve() for source in options.inventory]
    try:
        with screen.now(lambda: ["Ansible renders the inventory"]):
            changed = render.render(inventories, options.destination, root=checkout(), check=options.check)
    except render.RenderError as error:
        raise errors.CommandError(str(error)) from error
    for path in changed:
        screen.line(f"  {'differs' if options.check else 'written'}: {path}")
    if options.check and changed:
        screen.line("render: inventory and infra repository disagree", style="bold red")
        return errors.FAILED
    screen.line("render: done" if changed else "render: nothing to change", style="bold green")
    return 0
