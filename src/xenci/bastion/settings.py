"""Where things are on a bastion: what the role `bastion` wrote."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

FILE = Path("/etc/xenci/bastion.json")


class SettingsError(Exception):
    """The file can't be used; the message says why."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """The role's inputs, as far as the programs need them.

    `inventories` are paths in the repository infra. `days` is how long runs are kept.
    """

    spool: Path
    runs: Path
    infra: Path
    infra_url: str
    infra_project: str
    branch: str
    inventories: tuple[str, ...]
    code: Path
    code_url: str
    venv: Path
    git_key: Path
    git_known_hosts: Path
    hosts_key: Path
    vault_password_file: Path
    review_url: str
    review_user: str
    review_password_file: Path
    review_group: str
    days: int
    page: Path
    metrics: Path

    @property
    def state(self) -> Path:
        """Where the lock is: an operator's `xenci` on the bastion, in the same checkout, takes the same."""
        return self.code / ".cache/apply"

    @property
    def reports(self) -> Path:
        """Reports that the review server does not have yet."""
        return self.infra.parent / "reports"

    @property
    def environment(self) -> dict[str, str]:
        """How git reaches the review server: with this key, and no unknown host."""
        ssh = (
            f"ssh -F none -i {self.git_key} -o IdentitiesOnly=yes -o BatchMode=yes"
            f" -o StrictHostKeyChecking=yes -o UserKnownHostsFile={self.git_known_hosts}"
        )
        return {"GIT_SSH_COMMAND": ssh}


def load(path: Path = FILE) -> Settings:
    """Read the settings.

    :raises SettingsError: when they can't be.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from error
    names = {field.name: field.type for field in dataclasses.fields(Settings)}
    if set(values) != set(names):
        odd = ", ".join(sorted(set(values) ^ set(names)))
        raise SettingsError(f"{path}: missing or unknown: {odd}; apply the role bastion again")
    made: dict[str, Any] = {
        name: Path(value) if names[name] == "Path" else value for name, value in values.items()
    }
    return Settings(**made | {"inventories": tuple(values["inventories"])})
