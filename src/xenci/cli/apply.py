"""`xenci apply`: bring the hosts of an inventory to what it says."""

from __future__ import annotations

import argparse
from pathlib import Path

from xenci.cli import arguments, errors
from xenci.paths import checkout

EXAMPLES = """\
examples:
  xenci apply -i inventories/example --check --diff      what would change
  xenci apply -i inventories/example                     change it
  xenci apply -i inventories/example --limit executor1   only this host

"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "apply",
        help="apply playbooks/site.yml to an inventory",
        description="Apply playbooks/site.yml (or another playbook) to an inventory through ansible-runner.",
        epilog=EXAMPLES + errors.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.inventory(parser)
    playbook = parser.add_argument("--playbook", default="playbooks/site.yml", help="default: %(default)s")
    arguments.files(playbook)
    parser.add_argument("--limit", default="", metavar="HOSTS", help="only these hosts or groups")
    parser.add_argument("--check", action="store_true", help="change nothing, say what would change")
    parser.add_argument("--diff", action="store_true", help="show what changes inside files")
    arguments.vault_password_file(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Apply, and say how it went."""
    from xenci.apply import lock
    from xenci.apply import run as applying
    from xenci.apply.screen import Screen
    from xenci.check import first

    root = checkout()
    missing = [source for source in options.inventory if not Path(source).exists()]
    if missing:
        raise errors.CommandError(f"no such inventory: {', '.join(missing)}", errors.UNFIT)
    environment = {}
    if options.vault_password_file:
        environment["ANSIBLE_VAULT_PASSWORD_FILE"] = str(Path(options.vault_password_file).resolve())
    if reasons := first.mistakes([Path(source) for source in options.inventory], root, environment):
        raise errors.CommandError("\n".join(["the inventory has mistakes:", *reasons]), errors.UNFIT)
    playbook = applying.Playbook(
        checkout=root,
        state=root / ".cache" / "apply",
        path=options.playbook,
        inventories=[Path(source).resolve() for source in options.inventory],
        limit=options.limit,
        check=options.check,
        diff=options.diff,
        environment=environment,
    )
    try:
        with lock.held(playbook.state / "lock", "the hosts from this checkout"):
            return 0 if applying.run(playbook, Screen(), "apply").ok else errors.FAILED
    except lock.BusyError as error:
        raise errors.CommandError(str(error), errors.BUSY) from error
