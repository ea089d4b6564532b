"""What the commands that look at live hosts have in common: which site, where runs are kept, how they end."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from xenci.cli import arguments, errors
from xenci.paths import checkout

if TYPE_CHECKING:
    from xenci.apply.screen import Screen
    from xenci.runs.plan import Outcome
    from xenci.runs.site import Site
    from xenci.runs.store import Store


def folder(parser: argparse.ArgumentParser) -> None:
    """Add where runs are kept."""
    argument = parser.add_argument(
        "--runs",
        type=Path,
        metavar="DIR",
        default=os.environ.get("XENCI_RUNS"),
        help="where runs are kept (default: $XENCI_RUNS, or .cache/runs in the checkout)",
    )
    arguments.files(argument)


def store(options: argparse.Namespace) -> Store:
    """Where they are kept."""
    from xenci.runs.store import Store

    return Store(Path(options.runs) if options.runs else checkout() / ".cache/runs")


def site(options: argparse.Namespace) -> Site:
    """The site that the options name, its inventory without mistakes.

    :raises CommandError: when there is no such site, or when its inventory has mistakes.
    """
    from xenci.check import first
    from xenci.demo.lab import Lab
    from xenci.runs.site import Site

    root = checkout()
    chosen = arguments.chosen_site(options, root)
    if reasons := first.mistakes(chosen.inventories, root, chosen.environment):
        raise errors.CommandError("\n".join(["the inventory has mistakes:", *reasons]), errors.UNFIT)
    password = chosen.environment.get("ANSIBLE_VAULT_PASSWORD_FILE")
    return Site(
        root=root,
        inventories=[Path(source).resolve() for source in chosen.inventories],
        store=store(options),
        state=root / ".cache/apply",
        password_file=Path(password) if password else None,
        lock_file=Lab(chosen.lab, root).lock_file if chosen.lab else None,
    )


@contextlib.contextmanager
def held(one: Site) -> Iterator[None]:
    """Hold a site's hosts; turn what can go wrong meanwhile into messages and exit codes.

    :raises CommandError: then.
    """
    from xenci.apply.lock import BusyError
    from xenci.runs.repository import RepositoryError
    from xenci.secrets import SecretsError

    try:
        one.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        with one.lock():
            yield
    except BusyError as error:
        raise errors.CommandError(str(error), errors.BUSY) from error
    except (RepositoryError, SecretsError) as error:
        raise errors.CommandError(str(error), errors.UNFIT) from error


def screen(options: argparse.Namespace) -> Screen:
    """Where progress goes: not among what a program reads."""
    from xenci.apply.screen import Screen

    return Screen(sys.stdout if options.format == "text" else sys.stderr)


def show(outcome: Outcome, form: str) -> int:
    """Print what was found, and return its exit code."""
    from xenci.plan import text
    from xenci.runs import plan, store

    run = outcome.run
    if form == "json":
        print(json.dumps({**dataclasses.asdict(run), "plan": dataclasses.asdict(outcome.plan)}, indent=1))  # noqa: T201
    else:
        limits = text.REVIEW if form == "review" else text.TERMINAL
        print(text.whole(outcome.plan, plan.heading(run), limits, f"xenci log {run.id}"), end="")  # noqa: T201
    return {store.NOTHING: 0, store.CHANGES: errors.CHANGES}.get(run.result, errors.FAILED)


def applied(outcome: Outcome, kept: Store) -> int:
    """Print what was done, and return its exit code."""
    from xenci.runs import store

    print(kept.read(outcome.run, "report.txt"), end="")  # noqa: T201
    return {store.APPLIED: 0, store.REFUSED: errors.REFUSED}.get(outcome.run.result, errors.FAILED)
