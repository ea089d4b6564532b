"""Exit codes of every command, and the error that carries one."""

from __future__ import annotations

import argparse
import os
import shlex

FAILED, CHANGES, UNFIT, BUSY, REFUSED, USAGE, INTERRUPTED = 1, 2, 3, 4, 5, 64, 130
MISTAKES = 2

EXIT_CODES = """\
exit codes:
  0    done
  1    something failed; the last lines say what and where
  3    the machine or the inventory is not fit for this; nothing was changed
  4    another run works on the same hosts
  64   the command line is wrong
  130  stopped with Ctrl-C; run the same command again to go on
"""

COMPARED = """\
exit codes:
  0    nothing to do
  2    something would change
  1    a host was not reached, a task failed, or something else went wrong
  3    the machine or the inventory is not fit for this
  4    another run works on the same hosts
  64   the command line is wrong
  130  stopped with Ctrl-C
"""


class CommandError(Exception):
    """An error that the user can act on: the message says what to do."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def again(options: argparse.Namespace) -> str:
    """The command to run to go on where this one stopped."""
    if os.environ.get("MAKELEVEL"):
        return getattr(options, "make_again", "the same make command")
    return "xenci " + shlex.join(getattr(options, "again", [options.command]))
