"""What `xen_image` does."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible_collections.xenci.stack.plugins.module_utils.xen.program import Program, XenError
from ansible_collections.xenci.stack.plugins.module_utils.xen.result import Plan, listed


def plan_image(program: Program, params: dict[str, Any]) -> Plan:
    """The steps from the versions that are there to the wanted ones."""
    name, version, source = params["name"], params["version"], params["source"]
    images = listed(program, "images", program.module.check_mode).get("images", [])
    there = {image["version"]: image for image in images if image["name"] == name}
    before = _shown(name, there)
    if params["state"] == "absent":
        gone = [number for number in there if version in (None, number)]
        plan = Plan(before, _shown(name, {number: there[number] for number in there if number not in gone}))
        if gone:
            plan.step(
                f"remove image {name} {', '.join(gone)}",
                lambda: program.ask("remove", image=name, version=version),
            )
        return plan
    new = {"imported": float("inf"), "guests": 0, "current": False}
    after = {**there, version: there.get(version, new)}
    if params["current"]:
        after = {number: {**image, "current": number == version} for number, image in after.items()}
    switch = params["current"] and not there.get(version, new)["current"]
    take_in = _differs(there.get(version), _manifest(source, program.module.check_mode))
    pruned = _pruned(after, params["keep"])
    plan = Plan(before, _shown(name, {number: after[number] for number in after if number not in pruned}))
    if take_in or switch:
        plan.step(
            f"import image {name} {version} from {source}" if source else f"make guests of {name} {version}",
            lambda: program.ask(
                "import", image=name, version=version, source=source, current=params["current"]
            ),
        )
    if pruned:
        plan.step(
            f"remove image {name} {', '.join(pruned)}, which nothing uses",
            lambda: program.ask("prune", image=name, keep=params["keep"]),
        )
    return plan


def _manifest(source: str | None, check_mode: bool) -> dict[str, Any] | None:
    """The manifest in a folder, None without one; in check mode an earlier task may yet write it."""
    if source is None:
        return None
    file = os.path.join(source, "manifest.json")
    try:
        with open(file, encoding="utf-8") as stream:
            manifest: dict[str, Any] = json.load(stream)
    except FileNotFoundError as error:
        if check_mode:
            return None
        raise XenError("bad_image", f"{file} is not there: role golden_image writes it") from error
    except (OSError, ValueError) as error:
        raise XenError("bad_image", f"{file} can't be read: {error}") from error
    return manifest


def _differs(there: dict[str, Any] | None, manifest: dict[str, Any] | None) -> bool:
    """Whether an import would copy anything (or be refused, as other content under one version is)."""
    return there is None or (manifest is not None and there.get("manifest") != manifest)


def _pruned(images: dict[str, dict[str, Any]], keep: int | None) -> list[str]:
    """Versions that go, as `xenci-guest` chooses them: old, not the current one, and nobody's."""
    if keep is None:
        return []
    others = [(image["imported"], number) for number, image in images.items() if not image["current"]]
    old = [number for _imported, number in sorted(others, reverse=True)[keep:]]
    return [number for number in old if not images[number]["guests"]]


def _shown(name: str, images: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """An image as diff mode shows it."""
    current = next((number for number, image in images.items() if image["current"]), None)
    return {"name": name, "versions": sorted(images), "current": current}
