"""`xenci xen`: the Xen hosts of a site, for an operator."""

from __future__ import annotations

import argparse
import json
from typing import Any

from xenci.cli import arguments, errors
from xenci.paths import checkout

EXAMPLES = """\
examples:
  xenci xen hosts -i inventories/example                              what they carry and take
  xenci xen hosts -i inventories/example --format json                the same for a program
  xenci xen audit -i inventories/example                              what is left of guests that are gone
  xenci xen drain xen1 --reason 'a new disk' -i inventories/example   no more guests there
  xenci xen resume xen1 -i inventories/example                        guests again

"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    text: dict[str, Any] = {
        "epilog": EXAMPLES + errors.EXIT_CODES,
        "formatter_class": argparse.RawDescriptionHelpFormatter,
    }
    what = "look at Xen hosts, take them out of service and bring them back"
    parser = commands.add_parser("xen", help=what, description=f"{what[0].upper()}{what[1:]}.", **text)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str, what: str) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.", **text)
        arguments.site(action)
        return action

    for name, what in {
        "hosts": "show what each host has, carries and takes; 1 when one does not answer",
        "audit": "show what guests that are gone left behind; 1 when there is something",
    }.items():
        action = add(name, what)
        action.add_argument("--format", default="text", choices=["text", "json"], help="default: %(default)s")
        action.set_defaults(run=look)
    drain = add("drain", "let a host make no more guests; those that are there stay until their builds end")
    drain.add_argument("--reason", required=True, help="why, for whoever looks")
    drain.set_defaults(state="drained")
    add("resume", "let a host make guests again").set_defaults(state="in_service", reason=None)
    for action in (drain, actions.choices["resume"]):
        action.add_argument("host", metavar="HOST", help="name in the inventory's group xen_host")
        action.set_defaults(run=serve)


def look(options: argparse.Namespace) -> int:
    """Ask every host, and show what it says."""
    from xenci import xen_hosts

    audit = options.action == "audit"
    hosts = answers(options, "operate_xen_hosts", {"local_audit": audit})
    for result in hosts.values():
        if result.get("failed") or result.get("unreachable"):
            continue
        if not result["installed"]:
            result |= {"failed": True, "msg": "xenci-guest is not on it: apply the inventory"}
    if options.format == "json":
        print(json.dumps({name: xen_hosts.plain(result) for name, result in hosts.items()}, indent=2))  # noqa: T201
    elif audit:
        xen_hosts.show_audit(hosts)
    else:
        xen_hosts.show(hosts)
    return 0 if all(map(xen_hosts.right, hosts.values())) else errors.FAILED


def serve(options: argparse.Namespace) -> int:
    """Take a host out of service, or bring it back."""
    variables = {"local_xen_host": options.host, "local_state": options.state}
    if options.reason is not None:
        variables["local_reason"] = options.reason
    hosts = answers(options, "operate_xen_service", variables)
    if options.host not in hosts:
        raise errors.CommandError(
            f"no Xen host {options.host}; the inventory has {', '.join(hosts)}", errors.UNFIT
        )
    result = hosts[options.host]
    if result.get("failed") or result.get("unreachable"):
        raise errors.CommandError(f"{options.host}: {result.get('msg', 'failed')}")
    drained = result["host"]["drained"]
    state = f"takes no more guests: {drained}" if drained else "takes guests"
    print(f"{options.host} {state}{'' if result['changed'] else ' (as before)'}")  # noqa: T201
    return 0


def answers(options: argparse.Namespace, name: str, variables: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What each Xen host of a site answers to a playbook of one task."""
    from xenci import playbook
    from xenci.apply.screen import Screen

    root = checkout()
    site = arguments.chosen_site(options, root)
    try:
        with Screen().now(lambda: ["asking the Xen hosts"]):
            found = playbook.run(
                name, site.inventories, root=root, extra_vars=variables, environment=site.environment
            )
    except playbook.PlaybookError as error:
        raise errors.CommandError(str(error)) from error
    if not found:
        raise errors.CommandError("the inventory has no host in the group xen_host", errors.UNFIT)
    return {answer.host: answer.result for answer in found}
