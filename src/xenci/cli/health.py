"""`xenci health`: do events flow through a site?"""

from __future__ import annotations

import argparse

from xenci.cli import arguments, errors
from xenci.paths import checkout

EXAMPLES = """\
examples:
  xenci health -i inventories/example   one screen; 1 when something is wrong
  xenci health --lab demo               the same of the demo

"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "health",
        help="say in one screen whether events flow, and what is wrong when they don't",
        description="Ask hosts, Zuul, review and log server (playbooks/healthcheck.yml); changes nothing.",
        epilog=EXAMPLES + errors.EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.site(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask, show, and judge."""
    from xenci import playbook
    from xenci.apply.screen import Screen

    root, screen = checkout(), Screen()
    site = arguments.chosen_site(options, root)
    try:
        with screen.now(lambda: ["asking hosts, Zuul, review server and log server"]):
            answers = playbook.run("healthcheck", site.inventories, root=root, environment=site.environment)
    except playbook.PlaybookError as error:
        raise errors.CommandError(str(error)) from error
    problems: list[str] = []
    for answer in answers:
        if answer.task.endswith("report | Show it"):
            for line in answer.result["msg"]:
                screen.line(line)
        elif answer.task.endswith("report | Events flow"):
            problems += answer.result["msg"] if answer.result.get("failed") else []
        # The report speaks of hosts that were not reached.
        elif not answer.result.get("unreachable") and answer.failure:
            problems.append(answer.failure)
    for problem in problems:
        screen.line(f"- {problem}", style="red")
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        screen.line(f"health: {count}", style="bold red")
        return errors.FAILED
    screen.line("health: events flow", style="bold green")
    return 0
