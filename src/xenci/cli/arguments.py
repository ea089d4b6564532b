"""Arguments that several commands have."""

from __future__ import annotations

import argparse
import os

import shtab


def inventory(parser: argparse.ArgumentParser) -> None:
    """Add `-i`, which may be given again, as for Ansible."""
    argument = parser.add_argument(
        "-i",
        "--inventory",
        action="append",
        required=True,
        metavar="INV",
        help="inventory; may be given again",
    )
    files(argument)


def files(argument: argparse.Action) -> None:
    """Let the shell complete an argument with names of files."""
    argument.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab's own way


def vault_password_file(parser: argparse.ArgumentParser) -> None:
    """Add the file with the password of an inventory's vault files."""
    argument = parser.add_argument(
        "--vault-password-file",
        metavar="FILE",
        default=os.environ.get("ANSIBLE_VAULT_PASSWORD_FILE"),
        help="password of the inventory's vault files (default: $ANSIBLE_VAULT_PASSWORD_FILE)",
    )
    files(argument)
