"""Arguments that several commands have."""

from __future__ import annotations

import argparse
import dataclasses
import os
from pathlib import Path

import shtab

from xenci.cli import errors


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


def report_format(parser: argparse.ArgumentParser) -> None:
    """Add how mistakes are written (`xenci.check.report.FORMATS`)."""
    parser.add_argument(
        "--format", default="text", choices=["text", "json", "zuul"], help="default: %(default)s"
    )


def vault_password_file(parser: argparse.ArgumentParser) -> None:
    """Add the file with the password of an inventory's vault files."""
    argument = parser.add_argument(
        "--vault-password-file",
        metavar="FILE",
        default=os.environ.get("ANSIBLE_VAULT_PASSWORD_FILE"),
        help="password of the inventory's vault files (default: $ANSIBLE_VAULT_PASSWORD_FILE)",
    )
    files(argument)


@dataclasses.dataclass(frozen=True)
class Site:
    """A site that is up: where its inventory is, and what Ansible needs in its environment to read it."""

    inventories: list[Path]
    environment: dict[str, str]
    directory: Path
    """Where files about it may be left: outside git."""
    lab: str = ""


def site(parser: argparse.ArgumentParser) -> None:
    """Add `-i` and, in its place, `--lab`."""
    which = parser.add_mutually_exclusive_group(required=True)
    argument = which.add_argument(
        "-i", "--inventory", action="append", metavar="INV", help="inventory; may be given again"
    )
    files(argument)
    which.add_argument("--lab", metavar="NAME", help="a lab on this machine, in place of -i")
    vault_password_file(parser)


def chosen_site(options: argparse.Namespace, root: Path) -> Site:
    """The site that the options of `site` name.

    :raises CommandError: when there is no such inventory or lab.
    """
    if options.lab:
        from xenci.demo.lab import Lab

        lab = Lab(options.lab, root)
        if not lab.inventory.exists():
            raise errors.CommandError(f"no such lab: {options.lab}; make demo makes one", errors.UNFIT)
        return Site(lab.inventories, lab.environment, lab.directory, lab.name)
    if missing := [source for source in options.inventory if not Path(source).exists()]:
        raise errors.CommandError(f"no such inventory: {', '.join(missing)}", errors.UNFIT)
    environment = {}
    if options.vault_password_file:
        environment["ANSIBLE_VAULT_PASSWORD_FILE"] = str(Path(options.vault_password_file).resolve())
    return Site([Path(source).resolve() for source in options.inventory], environment, root / ".cache")
