"""A change as lines with + and -, secrets masked."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from xenci.plan.mask import SECRET, Mask

HIDDEN = "<hidden: a secret takes its place>"
CONTEXT = 2


def lines(diffs: Sequence[Mapping[str, Any]] | Mapping[str, Any], mask: Mask) -> list[str]:
    """The lines of a module's `diff`, in either form that Ansible knows."""
    found: list[str] = []
    for diff in [diffs] if isinstance(diffs, Mapping) else diffs:
        if diff.get("prepared"):
            found += mask.text(str(diff["prepared"])).splitlines()
        for side, what in (("src", "new"), ("dst", "present")):
            if f"{side}_binary" in diff:
                found.append(f"the {what} content is binary")
            if f"{side}_larger" in diff:
                found.append(f"the {what} content is larger than {diff[f'{side}_larger']} bytes")
        if "before" in diff and "after" in diff:
            found += compared(text(diff["before"]), text(diff["after"]), mask)
    return found


def text(side: Any) -> str:
    """One side as text; Ansible gives files as text and attributes as mappings."""
    if side is None:
        return ""
    return side if isinstance(side, str) else yaml.safe_dump(side, default_flow_style=False, width=1000)


def compared(before: str, after: str, mask: Mask) -> list[str]:
    """Two texts compared; what a secret takes the place of is hidden, since it may be an earlier one."""
    if before == after:
        return []
    old, new = mask.text(before).splitlines(), mask.text(after).splitlines()
    if old == new:
        return [f"only secrets differ, or ends of lines: {SECRET}"]
    found: list[str] = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT):
        if found:
            found.append("…")
        for kind, a, b, c, d in group:
            if kind == "equal":
                found += [f" {line}" for line in old[a:b]]
                continue
            secret = any(SECRET in line for line in new[c:d])
            found += [f"-{line if SECRET in line or not secret else HIDDEN}" for line in old[a:b]]
            found += [f"+{line}" for line in new[c:d]]
    return found
