"""`xenci log`: runs that were kept."""

from __future__ import annotations

import argparse
import dataclasses
import json

from xenci.cli import errors, running

EXAMPLES = """\
examples:
  xenci log                                      the runs, the newest first
  xenci log 20260101T0412                        the report of one, by the beginning of its id
  xenci log 20260101T0412 --events               what Ansible said in it, a line of JSON for each event
  xenci log --format json                        the same for a program

"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "log",
        help="show the runs that were kept, or the report of one",
        description="Show the runs that were kept, or the whole report of one.",
        epilog=EXAMPLES + errors.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("id", nargs="?", metavar="ID", help="a run, or the beginning of its id")
    parser.add_argument("--events", action="store_true", help="its events")
    parser.add_argument("--count", type=int, default=20, help="how many are listed (default: %(default)s)")
    parser.add_argument("--format", default="text", choices=["text", "json"], help="default: %(default)s")
    running.folder(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Show."""
    from xenci.runs.store import NoSuchRunError

    store = running.store(options)
    if not options.id:
        runs = store.all()[: options.count]
        if options.format == "json":
            print(json.dumps([dataclasses.asdict(one) for one in runs], indent=1))  # noqa: T201
        else:
            for one in runs:
                commit = one.commit[:12] or "-"
                line = f"{one.id}  {commit:<12}  {one.who:<12}  {one.result:<11}  {one.message}"
                print(line)  # noqa: T201
        return 0
    try:
        one = store.get(options.id)
    except NoSuchRunError as error:
        raise errors.CommandError(str(error), errors.UNFIT) from error
    if options.events:
        print(store.read(one, "events.jsonl"), end="")  # noqa: T201
    elif options.format == "json":
        plan = store.read(one, "plan.json")
        print(json.dumps({**dataclasses.asdict(one), "plan": json.loads(plan) if plan else None}, indent=1))  # noqa: T201
    else:
        print(store.read(one, "report.txt") or f"{one.kind} {one.id}: {one.result}: {one.message}\n", end="")  # noqa: T201
    return 0
