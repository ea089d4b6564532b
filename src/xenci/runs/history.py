"""Who changed what differs, as far as the hosts know."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from xenci import playbook
from xenci.plan.mask import Mask
from xenci.plan.model import Plan
from xenci.runs.site import Site

COMMANDS = 3
"""How many commands of one file are told, the latest."""


def told(site: Site, found: Plan, mask: Mask) -> Plan:
    """The plan with what hosts know of who changed each file in it. The lock must be held."""
    paths: dict[str, list[str]] = {}
    for host, path in dict.fromkeys((one.host, one.subject) for one in found.changes):
        if path.startswith("/"):
            paths.setdefault(host, []).append(path)
    if not paths:
        return found
    known = ask(site, paths, mask)
    changes = (dataclasses.replace(one, by=known.get((one.host, one.subject), "")) for one in found.changes)
    return dataclasses.replace(found, changes=tuple(changes))


def ask(site: Site, paths: Mapping[str, list[str]], mask: Mask) -> dict[tuple[str, str], str]:
    """(host, path) → what its host says; what a host could not say is left out."""
    with site.workspace() as folder:
        environment = {**site.environment, "ANSIBLE_LOCAL_TEMP": str(folder / "tmp")}
        try:
            answers = playbook.run(
                "operate_file_history",
                site.inventories,
                root=site.root,
                extra_vars={"local_paths": paths},
                environment=environment,
            )
        except playbook.PlaybookError as error:
            # What differs is known all the same.
            why = str(error).rpartition("\n")[2]
            said = f"who changed it could not be asked: {why}"
            return {(host, path): mask.text(said) for host in paths for path in paths[host]}
    return {
        (answer.host, file["path"]): mask.text(line(file))
        for answer in answers
        for file in answer.result.get("files", [])
    }


def line(file: Mapping[str, Any]) -> str:
    """What a host knows of one file (module `file_history`), in a line."""
    when = str(file["changed_at"]).replace("T", " ").replace("Z", " UTC")
    if not when:
        return "neither it nor its folder is there"
    what = f"not there; its folder was changed {when}" if file["gone"] else f"changed {when}"
    return f"{what}; {hands(file)}"


def hands(file: Mapping[str, Any]) -> str:
    """Who may have done it."""
    if file["commands"]:
        every = [f"{one['user']} by sudo at {one['at'][11:19]}: {one['command']}" for one in file["commands"]]
        return ", ".join(every[-COMMANDS:])
    if file["sessions"]:
        every = [
            f"{one['user']} from {one['source']}" + (f" ({one['key']})" if one["key"] else "")
            for one in file["sessions"]
        ]
        return f"logged in then: {', '.join(dict.fromkeys(every))}"
    return "nobody was logged in by SSH then" if file["known"] else "the host's journal has nothing so old"
