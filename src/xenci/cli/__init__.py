"""The `xenci` command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import shtab

from xenci.cli import (
    apply,
    check,
    demo,
    drift,
    errors,
    health,
    lab,
    lint,
    log,
    plan,
    render,
    secrets,
    status,
    token,
)

EXAMPLES = """\
examples:
  xenci demo up                                  a whole CI on this machine, and two changes that it votes on
  xenci check -i inventories/example             every mistake in an inventory, with its line and fix
  xenci plan -i inventories/example              what would change on its hosts
  xenci apply -i inventories/example             change it
  xenci apply --help                             more about one command
  source <(xenci --print-completion bash)        the shell completes commands, options and files

"""
COMMANDS = (apply, check, demo, drift, health, lab, lint, log, plan, render, secrets, status, token)


class Parser(argparse.ArgumentParser):
    """Exits with a status that no answer of a command has."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and how it is used."""
        self.print_usage(sys.stderr)
        self.exit(errors.USAGE, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line; each module of `COMMANDS` adds its own part with `register`."""
    top = Parser(
        prog="xenci",
        description="Stand up, run and change a third-party CI that tests Gerrit projects on real Xen.",
        epilog=EXAMPLES + errors.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shtab.add_argument_to(
        top, ["--print-completion"], help="print what makes this shell complete the command"
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
