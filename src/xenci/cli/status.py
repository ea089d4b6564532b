"""`xenci status`: what is live, what runs, and what differs."""

from __future__ import annotations

import argparse
import json

from xenci.cli import errors, running

EXAMPLES = """\
examples:
  xenci status                    what was applied last, what runs, what the last comparison found
  xenci status --format json      the same for a program

"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "status",
        help="say what was applied last, what runs, and what differs",
        description="Say what was applied last, what runs, and what the last comparison found; asks no host.",
        epilog=EXAMPLES + errors.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--format", default="text", choices=["text", "json"], help="default: %(default)s")
    running.folder(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Show."""
    from xenci.runs import status

    found = status.status(running.store(options))
    if options.format == "json":
        print(json.dumps(found, indent=1))  # noqa: T201
    else:
        print("\n".join(status.lines(found)))  # noqa: T201
    return 0
