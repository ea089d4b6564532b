"""Labels, submit requirements and settings of a project, with what it inherits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from xenci.lab_gerrit import javahash
from xenci.lab_gerrit.access import Access
from xenci.lab_gerrit.store import Store, loads

_INHERITED_DEFAULTS: dict[str, Any] = {
    "use_content_merge": True,
    "require_change_id": True,
    "reject_implicit_merges": True,
}


@dataclass(frozen=True)
class Label:
    """A label as it holds for one project."""

    name: str
    project: str
    definition: dict[str, Any] = field(hash=False)

    @property
    def values(self) -> dict[int, str]:
        """Value to its meaning, ascending."""
        return {
            value: self.definition["values"][key]
            for value, key in sorted(_numbers(self.definition["values"]))
        }

    @property
    def min(self) -> int:
        """Lowest value."""
        return min(self.values)

    @property
    def max(self) -> int:
        """Highest value."""
        return max(self.values)

    @property
    def copy_condition(self) -> str:
        """Which votes the next patch set keeps; empty for none."""
        return str(self.definition.get("copy_condition") or "")

    def applies_to(self, ref: str) -> bool:
        """Whether the label is for this branch."""
        branches = self.definition.get("branches")
        return not branches or any(_covers(pattern, ref) for pattern in branches)


def _numbers(values: dict[str, str]) -> list[tuple[int, str]]:
    return [(int(key), key) for key in values]


def _covers(pattern: str, ref: str) -> bool:
    return ref == pattern or (pattern.endswith("/*") and ref.startswith(pattern[:-1]))


def vote(value: int) -> str:
    """A value as Gerrit writes it: +1, 0, -1."""
    return f"{value:+d}" if value else "0"


def padded(value: int) -> str:
    """A value as a key of JSON: `+1`, ` 0`, `-1`."""
    return f"{value:+d}" if value else " 0"


class ProjectSettings:
    """Reads labels, requirements and switches of a project and its parents."""

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access

    def labels(self, project: str, ref: str | None = None) -> dict[str, Label]:
        """Labels by name; a project's own hides its parent's. With a ref: those that apply to it."""
        found: dict[str, Label] = {}
        for name in reversed(list(self._access.chain(project))):
            rows = self._store.all(
                "SELECT name, definition FROM labels WHERE project = ? ORDER BY name", name
            )
            for row in rows:
                found[row["name"]] = Label(row["name"], name, loads(row["definition"]))
        return {name: found[name] for name in sorted(found) if ref is None or found[name].applies_to(ref)}

    def requirements(self, project: str) -> dict[str, dict[str, Any]]:
        """Submit requirements by name (lower case decides); a child's hides its parent's if that may be."""
        found: dict[str, dict[str, Any]] = {}
        names: dict[str, str] = {}
        for name in reversed(list(self._access.chain(project))):
            rows = self._store.all(
                "SELECT name, definition FROM submit_requirements WHERE project = ? ORDER BY name", name
            )
            for row in rows:
                key = row["name"].lower()
                if key in found and not found[key].get("allow_override_in_child_projects"):
                    continue
                found[key] = {**loads(row["definition"]), "project_name": name}
                names[key] = row["name"]
        by_name = {names[key]: found[key] for key in found}
        return {name: by_name[name] for name in javahash.names(sorted(by_name))}

    def config(self, project: str, key: str) -> Any:
        """A setting of ProjectConfigInput as it holds here: the nearest of the chain that is not INHERIT."""
        for name in self._access.chain(project):
            text = self._store.value("SELECT config FROM projects WHERE name = ?", name)
            value = loads(text).get(key) if text else None
            if value not in (None, "INHERIT"):
                return {"TRUE": True, "FALSE": False}.get(value, value) if isinstance(value, str) else value
        return _INHERITED_DEFAULTS.get(key, "MERGE_IF_NECESSARY" if key == "submit_type" else False)
