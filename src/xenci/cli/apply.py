"""`xenci apply`: bring the hosts of an inventory to what it says."""

from __future__ import annotations

import argparse

from xenci.cli import arguments, errors, running

EXAMPLES = """\
examples:
  xenci apply -i inventories/example                        change what differs
  xenci apply -i inventories/example --limit executor1      only this host
  xenci apply -i inventories/example --plan 20260101T0412   exactly what this plan shows, or nothing
  xenci apply -i inventories/example --break-glass "Gerrit is down, executors are full"

"""
CODES = errors.EXIT_CODES.replace(
    "  64 ", "  5    something else would change than the plan shows; nothing was changed\n  64 "
)


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "apply",
        help="bring hosts to what an inventory says",
        description="Apply playbooks/site.yml, or another playbook, to the hosts of an inventory.",
        epilog=EXAMPLES + CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.site(parser)
    playbook = parser.add_argument("--playbook", default="playbooks/site.yml", help="default: %(default)s")
    arguments.files(playbook)
    parser.add_argument("--limit", default="", metavar="HOSTS", help="only these hosts or groups")
    parser.add_argument(
        "--plan",
        action="append",
        default=[],
        metavar="ID",
        help="a plan that was agreed to; may be given again. Nothing is done where more would change",
    )
    parser.add_argument(
        "--break-glass",
        default="",
        metavar="REASON",
        help="why a site that is changed through review is changed without; the next report says so",
    )
    running.folder(parser)
    parser.set_defaults(run=run, format="text")


def run(options: argparse.Namespace) -> int:
    """Apply, and say how it went."""
    import dataclasses

    from xenci.runs import apply
    from xenci.runs.store import NoSuchRunError

    site = dataclasses.replace(running.site(options), playbook=options.playbook)
    try:
        agreed = [site.store.get(name) for name in options.plan] or None
    except NoSuchRunError as error:
        raise errors.CommandError(str(error), errors.UNFIT) from error
    with running.held(site):
        outcome = apply.apply(
            site, running.screen(options), limit=options.limit, agreed=agreed, break_glass=options.break_glass
        )
    return running.applied(outcome, site.store)
