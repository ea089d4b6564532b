"""`xenci plan`: what would change on live hosts."""

from __future__ import annotations

import argparse

from xenci.cli import arguments, errors, running

EXAMPLES = """\
examples:
  xenci plan -i ../infra/inventory                        what would change on the hosts
  xenci plan -i ../infra/inventory --limit executor1      on this host
  xenci plan -i ../infra/inventory more-threads           what a branch or commit of infra would change
  xenci plan -i ../infra/inventory more-threads --all     and everything else that differs
  xenci plan -i ../infra/inventory --format json          the same for a program

"""
TEXT = """\
Run playbooks/site.yml in check mode on live hosts, with diffs; nothing is changed. Secrets are masked. With
CHANGE, a commit of the repository that the inventory lies in, what is planned is its merge, and the services
that it can reach. The plan is kept; `xenci log` shows it again, and `xenci apply --plan` holds to it.
"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "plan",
        help="say what would change on live hosts, and keep it",
        description=TEXT,
        epilog=EXAMPLES + errors.COMPARED,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.site(parser)
    playbook = parser.add_argument("--playbook", default="playbooks/site.yml", help="default: %(default)s")
    arguments.files(playbook)
    parser.add_argument("--limit", default="", metavar="HOSTS", help="only these hosts or groups")
    parser.add_argument("--all", action="store_true", help="with CHANGE: look at every service")
    output(parser)
    running.folder(parser)
    parser.add_argument("change", nargs="?", metavar="CHANGE", help="commit or branch to merge first")
    parser.set_defaults(run=run)


def output(parser: argparse.ArgumentParser) -> None:
    """Add how the result is printed."""
    parser.add_argument(
        "--format", default="text", choices=["text", "json", "review"], help="default: %(default)s"
    )


def run(options: argparse.Namespace) -> int:
    """Plan, and show it."""
    import dataclasses

    from xenci.runs import plan

    site = dataclasses.replace(running.site(options), playbook=options.playbook)
    screen = running.screen(options)
    with running.held(site):
        outcome = plan.plan(
            site,
            screen,
            limit=options.limit,
            commits=[options.change] if options.change else [],
            change=options.change or "",
            everything=options.all,
        )
    return running.show(outcome, options.format)
