"""One write to the review database: refs, rows and events that belong together."""

from __future__ import annotations

from collections.abc import Callable

from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.events import Event
from xenci.lab_gerrit.git import EMPTY_TREE, ZERO
from xenci.lab_gerrit.server import Server


class Batch:
    """Collect, then `commit()`: rows and owed refs in one transaction, then the refs, then the events."""

    def __init__(self, server: Server, project: str, actor: Account) -> None:
        self.server = server
        self.project = project
        self.actor = actor
        self._writes: list[Callable[[], object]] = []
        self._refs: list[tuple[str, str, str]] = []
        self._events: list[tuple[int | None, Callable[[], Event | None]]] = []

    def write(self, statement: Callable[[], object]) -> None:
        """Run this inside the transaction."""
        self._writes.append(statement)

    def ref(self, ref: str, old: str, new: str) -> None:
        """Move a ref; ZERO creates or deletes."""
        self._refs.append((ref, old, new))

    def event(self, change: int | None, build: Callable[[], Event | None]) -> None:
        """Send what `build` gives after the commit to those who see the change; None sends nothing."""
        self._events.append((change, build))

    async def meta(self, number: int, old: str, note: str) -> str:
        """A commit on the change's /meta ref that stands for this update; its id is the update's id."""
        server = self.server
        parents = [old] if old else []
        text = f"{note}\n"
        new = await server.repository(self.project).commit_tree(
            EMPTY_TREE, parents, text, server.ident(self.actor)
        )
        self.ref(change_ref(number, "meta"), old or ZERO, new)
        self.write(lambda: server.store.run("UPDATE changes SET meta_rev = ? WHERE number = ?", new, number))
        return new

    async def commit(self) -> None:
        """Make it so."""
        server = self.server
        with server.store.transaction():
            for statement in self._writes:
                statement()
            server.owe_refs(self.project, self._refs)
        await server.pay_refs()
        for ref, old, new in sorted(self._refs, key=lambda entry: entry[0].endswith("/meta")):
            server.emit_ref_updated(self.actor, self.project, ref, old, new)
        for number, build in self._events:
            event = build()
            change = server.change(number) if number is not None else None
            if event is not None and change is not None:
                server.emit_for_change(change, event)


def change_ref(number: int, last: int | str) -> str:
    """refs/changes/NN/NUMBER/PATCHSET (or meta)."""
    return f"refs/changes/{number % 100:02}/{number}/{last}"


def change_of_ref(ref: str) -> int | None:
    """Number of the change that a ref below refs/changes/ belongs to."""
    parts = ref.split("/")
    return (
        int(parts[3]) if ref.startswith("refs/changes/") and len(parts) > 3 and parts[3].isdigit() else None
    )
