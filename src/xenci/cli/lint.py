"""`xenci lint`: is a checkout of infra fit to be reviewed?"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from xenci.cli import arguments, errors
from xenci.paths import checkout

EXAMPLES = """\
examples:
  xenci lint ../infra                              every mistake, as file:line: what: fix
  xenci lint ../infra --inventory inventories/mine   where the inventory has another name
  xenci lint ../infra --format zuul                data for zuul_return: comments on lines of a change

No vault password is needed: stubs take the place of secrets. Templates in the inventory are worked out, as
Ansible does: run it on a change of somebody you don't trust where nothing can be lost.

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
        "lint",
        help="name every mistake in a checkout of infra, as the check pipeline does",
        description="Name every mistake in a checkout of infra: inventory, generated part, playbooks, style.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--inventory",
        action="append",
        metavar="DIR",
        help="inventory in it; may be given again (default: inventory)",
    )
    arguments.report_format(parser)
    arguments.files(parser.add_argument("infra", type=Path, help="checkout of the infra repository"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Lint, and print what was found."""
    # Before Ansible is loaded, which reads its settings then.
    os.environ["ANSIBLE_CONFIG"] = str(checkout() / "ansible.cfg")
    from xenci.check import report
    from xenci.lint import INVENTORY, lint
    from xenci.lint.tools import ToolError

    inventories = options.inventory or [INVENTORY]
    missing = [path for path in (options.infra / name for name in ("", *inventories)) if not path.exists()]
    if missing:
        raise errors.CommandError(f"no such directory: {missing[0]}", errors.UNFIT)
    try:
        result = lint(options.infra, checkout(), inventories)
    except ToolError as error:
        raise errors.CommandError(str(error)) from error
    base = options.infra.resolve()
    sys.stdout.write(report.FORMATS[options.format](result, base))
    if options.format != "text":  # that is for a program; people read the job's log
        sys.stderr.write(report.text(result, base))
    print(report.closing(result, "lint"), file=sys.stderr)  # noqa: T201
    return errors.UNFIT if result.unreadable else errors.MISTAKES if result.mistakes else 0
