"""`xenci drift`: how live hosts differ from what was merged."""

from __future__ import annotations

import argparse
from pathlib import Path

from xenci.cli import arguments, errors, plan, running

EXAMPLES = """\
examples:
  xenci drift -i ../infra/inventory                       which host, task and file, and the difference
  xenci drift -i ../infra/inventory --page drift.html --metrics xenci_drift.prom
  xenci drift -i ../infra/inventory --repair              compare, then apply exactly what was shown

"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "drift",
        help="say how live hosts differ from what was merged",
        description="Compare live hosts with the inventory, in check mode. A host not reached is unknown.",
        epilog=EXAMPLES + errors.COMPARED,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.site(parser)
    parser.add_argument("--limit", default="", metavar="HOSTS", help="only these hosts or groups")
    parser.add_argument(
        "--repair", action="store_true", help="apply what was shown; by hand only, never from a timer"
    )
    for name, text in (("page", "write a page of HTML"), ("metrics", "write metrics for Prometheus")):
        arguments.files(parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=text))
    plan.output(parser)
    running.folder(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compare, show, and repair where that is asked for."""
    from xenci.files import write
    from xenci.runs import apply, drift, store
    from xenci.runs import plan as planning

    site = running.site(options)
    screen = running.screen(options)
    with running.held(site):
        outcome = planning.plan(site, screen, limit=options.limit, kind="drift")
        for path, form in ((options.page, drift.page), (options.metrics, drift.metrics)):
            if path:
                write(path, form(outcome), 0o644)
        code = running.show(outcome, options.format)
        if not options.repair or outcome.run.result != store.CHANGES:
            return code
        repaired = apply.apply(
            site,
            screen,
            limit=options.limit,
            agreed=[outcome.run],
            break_glass="repair of what was changed by hand",
            name="repair",
        )
    return running.applied(repaired, site.store)
