"""`xenci token`: what zuul-client needs to act on a site's Zuul."""

from __future__ import annotations

import argparse
import getpass
import re
from pathlib import Path

from xenci.cli import arguments, errors
from xenci.paths import checkout

EXAMPLES = """\
examples:
  xenci token --lab demo                                  for the demo, good for eight hours
  xenci token -i inventories/example --hours 1            of a site of your own
  xenci token -i inventories/example --file ~/zuul.conf   the file to write

"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "token",
        help="write a configuration for zuul-client with an operator's token",
        description="Write a configuration for zuul-client, with a token to enqueue, dequeue and hold nodes.",
        epilog=EXAMPLES + errors.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.site(parser)
    parser.add_argument(
        "--user", default=getpass.getuser(), help="who it is for, for Zuul's audit log (default: %(default)s)"
    )
    parser.add_argument("--hours", type=int, default=8, help="how long it is good (default: %(default)s)")
    parser.add_argument(
        "--file", type=Path, help="file to write (default: zuul-client.conf in .lab/NAME, or in .cache)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make a token, and say how to use it."""
    from xenci import playbook
    from xenci.apply.screen import Screen

    if not re.fullmatch(r"[A-Za-z0-9._@-]+", options.user):
        raise errors.CommandError(f"user {options.user!r}: use letters, digits and . _ @ -", errors.UNFIT)
    if not 1 <= options.hours <= 168:
        raise errors.CommandError(f"{options.hours} hours: give 1 to 168, a week", errors.UNFIT)
    root, screen = checkout(), Screen()
    site = arguments.chosen_site(options, root)
    path = (options.file or site.directory / "zuul-client.conf").expanduser().resolve()
    if not path.parent.is_dir():
        raise errors.CommandError(f"no such directory: {path.parent}", errors.UNFIT)
    variables = {
        "zuul_web_token_file": str(path),
        "zuul_web_token_user": options.user,
        "zuul_web_token_seconds": options.hours * 3600,
    }
    try:
        with screen.now(lambda: ["Zuul's web server signs a token"]):
            answers = playbook.run(
                "operate_token",
                site.inventories,
                root=root,
                extra_vars=variables,
                environment=site.environment,
            )
    except playbook.PlaybookError as error:
        raise errors.CommandError(str(error)) from error
    if failure := next((answer.failure for answer in answers if answer.failure), ""):
        raise errors.CommandError(failure)
    said = [answer.result["msg"] for answer in answers if answer.task.endswith("token | How to use it")]
    for line in said[0]:
        screen.line(line)
    screen.line(f"token: written to {path}, good for {options.hours} hours", style="bold green")
    return 0
