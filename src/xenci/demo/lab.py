"""One lab on this machine: its name, its files under `.lab/<name>`, and the lock that guards them."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

from xenci.apply import lock
from xenci.paths import checkout


@dataclasses.dataclass(frozen=True)
class Lab:
    """Name, and the root of the checkout under which its files lie."""

    name: str
    root: Path = dataclasses.field(default_factory=checkout)

    @property
    def directory(self) -> Path:
        """Everything that is made for this lab; outside git, for root only."""
        return self.root / ".lab" / self.name

    @property
    def inventory(self) -> Path:
        """The second inventory source: what is random or differs between labs."""
        return self.directory / "inventory"

    @property
    def vault_password(self) -> Path:
        """File with the password of the inventory's vault file."""
        return self.directory / "vault-password"

    @property
    def keys(self) -> Path:
        """SSH keys, private and public."""
        return self.directory / "keys"

    @property
    def work(self) -> Path:
        """Clones that changes are proposed from."""
        return self.directory / "work"

    @property
    def seeds(self) -> Path:
        """Content for the review server's projects."""
        return self.directory / "seeds"

    @property
    def runner(self) -> Path:
        """Files of ansible-runner, and the mark by which its processes are found again."""
        return self.directory / "runner"

    @property
    def applied(self) -> Path:
        """What was applied last, written after a whole success."""
        return self.directory / "applied.json"

    @property
    def report(self) -> Path:
        """What the last demo did, as JSON."""
        return self.directory / "demo.json"

    @property
    def inventories(self) -> list[Path]:
        """Inventory sources, the later outranking the earlier."""
        return [self.root / "inventories" / "demo", self.inventory]

    @property
    def environment(self) -> dict[str, str]:
        """What Ansible needs in its environment to read the inventory."""
        return {"ANSIBLE_VAULT_PASSWORD_FILE": str(self.vault_password)}

    @property
    def container_prefix(self) -> str:
        """How the names of its containers start; role lab_hosts names its network so."""
        return f"xenci-{self.name}"

    @property
    def lock_file(self) -> Path:
        """Outside the directory, since that goes away while the lock is held."""
        return self.root / ".lab" / f"{self.name}.lock"

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Hold the lab for this process.

        :raises BusyError: when another process holds it.
        """
        return lock.held(self.lock_file, f"lab {self.name!r}")
