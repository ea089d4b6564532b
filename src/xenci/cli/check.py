"""`xenci check`: every mistake in an inventory, with no host up."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from pathlib import Path

from xenci.cli import arguments, errors
from xenci.paths import checkout

EXAMPLES = """\
examples:
  xenci check -i inventories/example                    every mistake, as file:line: what: fix
  xenci check -i inventories/example --infra ../infra   and whether the jobs in it are there
  xenci check -i inventories/example --format json      the same for a program
  xenci check -i inventories/example --format zuul      data for zuul_return: comments on lines of a change

exit codes:
  0    no mistakes
  2    mistakes
  3    something could not be read; what could be was checked
  64   the command line is wrong
  130  stopped with Ctrl-C
"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "check",
        help="name every mistake in an inventory, with no host up",
        description="Name every mistake in an inventory, with its line and fix. No host needs to be up.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.inventory(parser)
    arguments.report_format(parser)
    infra = parser.add_argument(
        "--infra",
        action="append",
        type=Path,
        default=[],
        metavar="DIR",
        help="checkout that defines Zuul's jobs; may be given again (default: the inventory's own)",
    )
    arguments.files(infra)
    arguments.vault_password_file(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check, and print what was found."""
    # A short run that frees little: looking for garbage would take a sixth of it.
    gc.disable()
    # Before Ansible is loaded, which reads its settings then.
    os.environ["ANSIBLE_CONFIG"] = str(checkout() / "ansible.cfg")
    from xenci.check import check, report

    missing = [str(path) for path in options.infra if not path.is_dir()]
    if missing:
        raise errors.CommandError(f"no such directory: {', '.join(missing)}", errors.UNFIT)
    password = Path(options.vault_password_file) if options.vault_password_file else None
    result = check([Path(source) for source in options.inventory], checkout(), password, options.infra)
    sys.stdout.write(report.FORMATS[options.format](result, Path.cwd()))
    print(f"{report.closing(result)}; {report.compared(result)}", file=sys.stderr)  # noqa: T201
    return errors.UNFIT if result.unreadable else errors.MISTAKES if result.mistakes else 0
