"""What roles take: the argument specs of `roles/*/meta/argument_specs.yml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


class Specs:
    """Options of every role's entry point `main`."""

    def __init__(self, root: Path) -> None:
        self.roles: dict[str, dict[str, dict[str, Any]]] = {}
        for path in sorted(root.glob("roles/*/meta/argument_specs.yml")):
            loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
            main = loaded["argument_specs"].get("main") or {}
            self.roles[path.parents[1].name] = main.get("options") or {}
        self.role_of = {name: role for role, options in self.roles.items() for name in options}

    def option(self, variable: str) -> dict[str, Any]:
        """The specification of a variable; empty for one that no role takes."""
        role = self.role_of.get(variable)
        return self.roles[role][variable] if role else {}

    def secret(self, variable: str) -> bool:
        """Whether a variable's value must never be shown."""
        return variable.startswith("vault_") or holds_secrets(self.option(variable))


def holds_secrets(option: dict[str, Any]) -> bool:
    """Whether an option, or one inside it, is secret."""
    return bool(option.get("no_log")) or any(map(holds_secrets, (option.get("options") or {}).values()))
