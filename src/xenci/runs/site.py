"""A site as runs see it: its inventory, the checkout that is applied, and where runs are kept."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from xenci.apply import lock, processes
from xenci.files import write
from xenci.plan import secret_values
from xenci.plan.mask import Mask
from xenci.runs.store import Store

PLAYBOOK = "playbooks/site.yml"


@dataclasses.dataclass(frozen=True)
class Site:
    """Where everything is.

    `root` is the checkout of xenci, `state` a private folder for what is only there while something runs.
    `secret_files` hold further secrets, such as the hosts' key.
    """

    root: Path
    inventories: Sequence[Path]
    store: Store
    state: Path
    password_file: Path | None = None
    secret_files: Sequence[Path] = ()
    playbook: str = PLAYBOOK
    lock_file: Path | None = None
    """Where the lock of these hosts is; in `state` if not given."""

    @property
    def environment(self) -> dict[str, str]:
        """What Ansible needs to read the inventory."""
        return {"ANSIBLE_VAULT_PASSWORD_FILE": str(self.password_file)} if self.password_file else {}

    def lock(self, patience: float = 0) -> contextlib.AbstractContextManager[None]:
        """Hold the hosts: one run at a time.

        :param patience: seconds to wait for another run.
        :raises BusyError: when another run has them.
        """
        return lock.held(self.lock_file or self.state / "lock", "the hosts from this checkout", patience)

    def mask(self, earlier: Sequence[Path] = ()) -> Mask:
        """What takes this site's secrets out of what is shown and kept.

        :param earlier: another version of the inventory, whose secrets hosts may still have.
        :raises SecretsError: when some can't be read.
        """
        values = secret_values.read([*self.inventories, *earlier], self.root, self.password_file)
        return Mask([*values, *(path.read_text(encoding="utf-8") for path in self.secret_files)])

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """A private folder for one run, gone afterwards; with it what a run that was killed has left.

        To be used while the lock is held.
        """
        for left in self.state.glob("run-*"):
            processes.end(left)
            shutil.rmtree(left)
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self.state))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def key(self) -> bytes:
        """What the marks of changes are hashed with; made once for each store."""
        path = self.store.folder / ".key"
        if not path.exists():
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            write(path, os.urandom(32).hex())
        return bytes.fromhex(path.read_text(encoding="utf-8"))


def who() -> str:
    """Who runs this: behind sudo the person."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
