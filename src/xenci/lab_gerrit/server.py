"""The server: store, repositories, rights and events of one site, held together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from xenci.lab_gerrit.access import ALL_PROJECTS, Access
from xenci.lab_gerrit.accounts import Account, Accounts
from xenci.lab_gerrit.capture import Capture
from xenci.lab_gerrit.config import Config
from xenci.lab_gerrit.events import Event, Events
from xenci.lab_gerrit.git import EMPTY_TREE, ZERO, GitError, Repository, create
from xenci.lab_gerrit.labels import ProjectSettings
from xenci.lab_gerrit.store import Row, Store

LOG = logging.getLogger(__name__)
VERSION = "3.13.8"


class Server:
    """What every front end (REST, ssh, git, pages) works on.

    Writers hold `lock`; inside it they do their git work first, then one store transaction that also
    notes the refs it owes (`owe_refs`), then `pay_refs`. A crash in between is mended by `repair`.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.store = Store(config.database)
        self.accounts = Accounts(self.store)
        self.access = Access(self.store)
        self.settings = ProjectSettings(self.store, self.access)
        self.events = Events()
        self.lock = asyncio.Lock()
        self.capture = Capture(config.capture)

    @property
    def host(self) -> str:
        """Name under which the server is known."""
        return urlsplit(self.config.url).hostname or "localhost"

    def close(self) -> None:
        """Close the files."""
        self.store.close()
        self.capture.close()

    def setting_done(self) -> bool:
        """Whether init has filled this site."""
        return self.store.setting("initialized") == "1"

    # -- repositories and refs

    def repository(self, project: str) -> Repository:
        """The bare repository of a project."""
        return Repository(self.config.git_dir / f"{project}.git")

    async def create_repository(self, project: str, head: str) -> Repository:
        """Make a project's repository."""
        return await create(self.config.git_dir / f"{project}.git", head)

    def owe_refs(self, project: str, updates: Sequence[tuple[str, str, str]]) -> None:
        """Inside a transaction: note (ref, old, new) to be written once it is committed."""
        for ref, old, new in updates:
            self.store.insert("pending_refs", project=project, ref=ref, old=old, new=new)

    async def pay_refs(self) -> None:
        """Write all refs that committed transactions owe."""
        rows = self.store.all("SELECT * FROM pending_refs ORDER BY seq")
        try:
            for project in dict.fromkeys(row["project"] for row in rows):
                mine = [row for row in rows if row["project"] == project]
                updates = [(row["ref"], row["old"], row["new"]) for row in mine]
                await self.repository(project).update_refs(updates)
        except GitError:
            LOG.exception("refs are not as the database has them; writing them one by one")
            await self.repair()
            return
        if rows:
            self.store.run("DELETE FROM pending_refs WHERE seq <= ?", rows[-1]["seq"])

    async def repair(self) -> None:
        """After a crash: write the refs that were still owed; those already written are left alone.

        One that cannot be written is named in the log and given up, so that it does not stop all others.
        """
        for row in self.store.all("SELECT * FROM pending_refs ORDER BY seq"):
            repository = self.repository(row["project"])
            try:
                current = (await repository.refs(row["ref"])).get(row["ref"], ZERO)
                if current != row["new"]:
                    await repository.update_refs([(row["ref"], current, row["new"])])
            except GitError:
                LOG.exception("cannot write %s of %s", row["ref"], row["project"])
            self.store.run("DELETE FROM pending_refs WHERE seq = ?", row["seq"])

    async def commit_config(
        self,
        project: str,
        account: Account,
        message: str,
        *,
        ref: str = "refs/meta/config",
        tree: str = EMPTY_TREE,
    ) -> str:
        """Record a change of a project's settings as a commit on refs/meta/config (or another ref); tell it.

        Gerrit keeps the settings themselves there; here the commit only stands for them, so that its
        id and the `ref-updated` event are real. Returns the new commit.
        """
        repository = self.repository(project)
        old = await repository.resolve(ref) or ZERO
        parents = [] if old == ZERO else [old]
        new = await repository.commit_tree(tree, parents, f"{message}\n", self.ident(account))
        await repository.update_refs([(ref, old, new)])
        self.emit_ref_updated(account, project, ref, old, new)
        return new

    def ident(self, account: Account) -> str:
        """An account as git's author line, now."""
        return f"{account.shown} <{account.email or f'{account.id}@lab-gerrit'}> {int(time.time())} +0000"

    def is_service_user(self, account: int) -> bool:
        """Whether an account is a robot's: a member of the group Service Users."""
        uuid = self.store.value("SELECT uuid FROM groups WHERE name = 'Service Users'")
        return uuid in self.access.groups(account)

    # -- projects

    def project(self, name: str) -> Row | None:
        """Row of a project."""
        return self.store.one("SELECT * FROM projects WHERE name = ?", name)

    def change(self, number: int) -> Row | None:
        """Row of a change."""
        return self.store.one("SELECT * FROM changes WHERE number = ?", number)

    # -- events

    def emit_for_change(self, change: Row, event: Event) -> None:
        """Send an event about a change to those who may see it."""
        self.events.emit(event, lambda account: self.access.can_see_change(account, change))

    def emit_for_ref(self, project: str, ref: str, event: Event) -> None:
        """Send an event about a ref to those who may read it."""
        self.events.emit(event, lambda account: self.access.can_read(account, project, ref))

    def emit_for_project(self, project: str, event: Event) -> None:
        """Send an event about a project to those who may see it."""
        self.events.emit(event, lambda account: self.access.can_see_project(account, project))

    def emit_ref_updated(self, account: Account, project: str, ref: str, old: str, new: str) -> None:
        """Tell that a ref moved; ZERO as old or new means created or deleted."""
        event = self.ref_updated_event(account, project, ref, old, new)
        parts = ref.split("/")
        of_change = ref.startswith("refs/changes/") and parts[3].isdigit()
        change = self.change(int(parts[3])) if of_change else None
        if change is not None:
            self.emit_for_change(change, event)
        else:
            self.emit_for_ref(project, ref, event)

    @staticmethod
    def ref_updated_event(account: Account, project: str, ref: str, old: str, new: str) -> Event:
        """The event `ref-updated`."""
        return {
            "submitter": account_attribute(account),
            "refUpdate": {"oldRev": old, "newRev": new, "refName": ref, "project": project},
            "type": "ref-updated",
        }


def short_ref(ref: str) -> str:
    """Branch as changes show it: without refs/heads/."""
    return ref.removeprefix("refs/heads/")


def full_ref(branch: str) -> str:
    """Branch name or ref to a full ref."""
    return branch if branch.startswith("refs/") else f"refs/heads/{branch}"


def account_attribute(account: Account | None) -> dict[str, Any]:
    """An account as events and ssh queries show it."""
    if account is None:
        return {}
    pairs = (("name", account.name), ("email", account.email), ("username", account.username))
    return {key: value for key, value in pairs if value}


__all__ = ["ALL_PROJECTS", "VERSION", "Server", "account_attribute", "full_ref", "short_ref"]
