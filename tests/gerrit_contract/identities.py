"""Which live number, hash or id stands for which recorded one.

Recorded and live answers never share their volatile values, but the *relation* between them must be the same:
where the recording shows one commit twice, the live server must show one commit twice. Every comparison
adds pairs
here, and a pair that contradicts an earlier one is a difference.
"""

from __future__ import annotations

EMPTY = {"0" * 40}


class Identities:
    """Pairs of (recorded, live) values, kept apart by kind: change, account, sha, change-id, id."""

    def __init__(self) -> None:
        self._live: dict[str, dict[str, list[str]]] = {}
        self._recorded: dict[str, dict[str, set[str]]] = {}
        self._fixed: set[tuple[str, str]] = set()
        self._journal: list[tuple[str, str, str]] = []

    def seed(self, kind: str, recorded: str, live: str) -> None:
        """Enter a pair that is known for certain: from now on nothing else is accepted for either side."""
        self._live.setdefault(kind, {})[recorded] = [live]
        self._recorded.setdefault(kind, {})[live] = {recorded}
        self._fixed |= {(kind, "r" + recorded), (kind, "l" + live)}

    def agree(self, kind: str, recorded: str, live: str) -> bool:
        """Say whether both can mean the same thing, and remember it if so.

        Two objects that a server makes within one second can have one hash (first commits of projects),
        so hashes may
        get a second partner as long as one of the two is new; numbers and Change-Ids may not.
        """
        if recorded in EMPTY or live in EMPTY:
            return recorded == live
        partners = self._live.setdefault(kind, {}).get(recorded, [])
        if live in partners:
            return True
        known = self._recorded.setdefault(kind, {}).get(live)
        if partners and known:
            return False
        if (partners or known) and kind != "sha":
            return False
        if (kind, "r" + recorded) in self._fixed or (kind, "l" + live) in self._fixed:
            return False
        self._live[kind].setdefault(recorded, []).append(live)
        self._recorded[kind].setdefault(live, set()).add(recorded)
        self._journal.append((kind, recorded, live))
        return True

    def live(self, kind: str, recorded: str) -> list[str]:
        """Every live value seen for a recorded one, oldest first."""
        return list(self._live.get(kind, {}).get(recorded, []))

    def first(self, kind: str, recorded: str) -> str:
        """The live value to ask with; the recorded one where none is known yet."""
        return (self.live(kind, recorded) or [recorded])[0]

    def all(self, kind: str) -> dict[str, list[str]]:
        """Every pair of a kind."""
        return self._live.get(kind, {})

    def snapshot(self) -> int:
        """A point to which `restore` goes back, for a comparison that is only tried."""
        return len(self._journal)

    def restore(self, point: int) -> None:
        """Forget what was learned since the snapshot."""
        while len(self._journal) > point:
            kind, recorded, live = self._journal.pop()
            self._live[kind][recorded].remove(live)
            self._recorded[kind][live].discard(recorded)
