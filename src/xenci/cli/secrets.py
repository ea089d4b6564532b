"""`xenci secrets`: the secrets of an inventory, made and encrypted."""

from __future__ import annotations

import argparse
from pathlib import Path

from xenci.cli import arguments, errors

EXAMPLES = """\
examples:
  xenci secrets init -i inventories/example --vault-password-file ~/xenci-vault    make what is not there yet
  xenci secrets init -i inventories/example --vault-password-file ~/xenci-vault --bastion
                                                            and what a bastion needs

"""
TEXT = """\
Make the secrets and keys of a site: group_vars/<group>/vault.yml, encrypted, and the public halves of the
keys in group_vars/all/public_keys.yml. What is there stays as it is. The file with the vault's password is
made where it is not there; keep a copy of it, and keep it away from the inventory.
"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    parser = commands.add_parser(
        "secrets",
        help="make the secrets of an inventory, encrypted",
        description="Make the secrets of an inventory, encrypted.",
        epilog=EXAMPLES + errors.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    action = actions.add_parser(
        "init",
        help="make the secrets and keys that are not there yet",
        description=TEXT,
        epilog=EXAMPLES + errors.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    inventory = action.add_argument(
        "-i", "--inventory", required=True, type=Path, metavar="DIR", help="directory of the inventory"
    )
    arguments.files(inventory)
    arguments.vault_password_file(action)
    action.add_argument(
        "--bastion",
        action="store_true",
        help="make what a bastion needs, too: its keys, and the vault's password",
    )
    action.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make them, and say which files were written."""
    from xenci import secrets

    if not options.inventory.is_dir():
        raise errors.CommandError(f"no such directory: {options.inventory}", errors.UNFIT)
    if not options.vault_password_file:
        raise errors.CommandError(
            "give --vault-password-file FILE, which is made if it isn't there", errors.USAGE
        )
    try:
        written = secrets.init(options.inventory, Path(options.vault_password_file), bastion=options.bastion)
    except secrets.SecretsError as error:
        raise errors.CommandError(str(error), errors.UNFIT) from error
    for path in written:
        print(f"  written: {path}")  # noqa: T201
    print("secrets: done" if written else "secrets: everything is there already")  # noqa: T201
    return 0
