"""What Xen hosts say of themselves (module `xen_host_info`), as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

# What a host says of a lease; `returning` is not over before it has been looked at.
LEASED = {
    "preparing": "to be leased by {name}, or back from it and not looked at yet",
    "leased": "leased by {name}",
    "returning": "restarting, back from lease {name}",
    "emptying": "takes no guests: to be leased by {name}",
    "broken": "its lease can't be read: {reason}",
}
KEPT = ("capacity", "guests", "images", "audit", "msg", "code")
Result = Mapping[str, Any]


def right(result: Result) -> bool:
    """Whether a host answered, and has nothing that nobody owns as far as that was asked."""
    return not failed(result) and bool(result.get("audit", {}).get("clean", True))


def failed(result: Result) -> bool:
    """Whether there is no answer."""
    return bool(result.get("failed") or result.get("unreachable"))


def plain(result: Result) -> dict[str, Any]:
    """A host's answer without what is Ansible's."""
    return {"ok": not failed(result), **{key: result[key] for key in KEPT if key in result}}


def state(result: Result) -> Text:
    """Whether a host takes guests, and why not."""
    if failed(result):
        word = "unreachable" if result.get("unreachable") else "failed"
        return Text(f"{word}: {str(result.get('msg', '')).strip()}", style="red")
    if drained := result["capacity"]["drained"]:
        return Text(f"drained: {drained}", style="yellow")
    if leased := result["capacity"].get("leased"):
        return Text(LEASED.get(leased["state"], "{state} by {name}").format(**leased), style="yellow")
    return Text("in service", style="green")


def show(hosts: Mapping[str, Result]) -> None:
    """Print a table of hosts, and what is wrong with guests on them."""
    table = Table(
        "host", "state", "guests", "memory MiB", "vcpus", "disk MiB", "Xen", "images", box=SIMPLE_HEAD
    )
    for name, result in sorted(hosts.items()):
        table.add_row(Text(name), state(result), *([] if failed(result) else figures(result)))
    console = Console(soft_wrap=True)
    console.print(table)
    for name, result in sorted(hosts.items()):
        for guest in result.get("guests", []):
            if reason := guest.get("reason"):
                console.print(
                    Text(f"{name}: guest {guest['name']} is {guest['state']}: {reason}", style="yellow")
                )


def figures(result: Result) -> list[Text]:
    """What a host carries of what it can carry, and what guests are made of."""
    total, used = result["capacity"]["total"], result["capacity"]["used"]
    shares = [f"{used[key]}/{total[key]}" for key in ("guests", "memory_mib", "vcpus", "storage_mib")]
    images = [f"{image['name']} {image['version']}" for image in result["images"] if image["current"]]
    return [Text(text) for text in (*shares, str(result["capacity"]["xen"]["version"]), ", ".join(images))]


def show_audit(hosts: Mapping[str, Result]) -> None:
    """Print what is there without an owner, a line each."""
    console = Console(soft_wrap=True)
    for name, result in sorted(hosts.items()):
        if failed(result):
            console.print(Text(f"{name}: ").append(state(result)))
            continue
        for finding in result["audit"]["findings"]:
            line = f"{name}: {finding['kind']} {finding['name']}: {finding['detail']}"
            console.print(Text(line, style="red"))
        if right(result):
            console.print(Text(f"{name}: clean", style="green"))
