"""The `xenci` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from xenci.cli import apply, check, demo, errors, health, lab, render, token

COMMANDS = (apply, check, demo, health, lab, render, token)


def parser() -> argparse.ArgumentParser:
    """The whole command line; each module of `COMMANDS` adds its own part with `register`."""
    top = argparse.ArgumentParser(
        prog="xenci",
        description="Stand up, run and change a third-party CI that tests Gerrit projects on real Xen.",
        epilog=errors.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.register(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except errors.CommandError as error:
        print(f"xenci: {error}", file=sys.stderr)  # noqa: T201
        return error.code
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return errors.FAILED
    except KeyboardInterrupt:
        print(f"xenci: stopped. Go on with: {errors.again(options)}", file=sys.stderr)  # noqa: T201
        return errors.INTERRUPTED
