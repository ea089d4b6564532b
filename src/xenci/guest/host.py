"""This host: its configuration and everything that keeps state, opened once for a request."""

from __future__ import annotations

from pathlib import Path

from xenci.guest import names, storage, xen
from xenci.guest.config import Config
from xenci.guest.errors import GuestError
from xenci.guest.images import Images
from xenci.guest.lease_state import LeaseState
from xenci.guest.locks import Locks
from xenci.guest.records import Record, Records
from xenci.guest.root import Root
from xenci.guest.seed import remove_folder


class Host:
    """What an operation works with."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.locks = Locks(config.run)
        self.records = Records(config.state / "records")
        self.images = Images(config.images)
        self.store = storage.store(config)
        self.folders = config.state / "guests"
        self.lease = LeaseState(config.state)
        self.root = Root(config.run, config.images.parent)
        self.drained_file = config.state / "drained"

    def folder(self, guest: str) -> Path:
        """Return the folder of a guest's own small files."""
        return self.folders / guest

    def guests_with_folder(self) -> list[str]:
        """Return the guests that have one."""
        entries = self.folders.iterdir() if self.folders.is_dir() else ()
        return sorted(entry.name for entry in entries if names.GUEST.fullmatch(entry.name))

    def drained(self) -> str:
        """Return why no guest may be made here, "" if one may."""
        try:
            return self.drained_file.read_text(encoding="ascii")
        except FileNotFoundError:
            return ""

    def death(self, guest: str) -> str:
        """Return dom0's word on why a guest's domain is gone."""
        return xen.death(guest, self.config.xl_logs) or "unknown"

    def known(self, guest: str) -> Record:
        """Return a guest's record, or raise `no_such_guest`."""
        record = self.records.get(guest)
        if record is None:
            raise GuestError("no_such_guest", f"there is no guest {guest}")
        return record

    def remove(self, guest: str) -> list[str]:
        """Remove a guest and all that belongs to it; its record last. Return what there was.

        The caller holds the guest's lock. Needs no record: everything is found by the guest's name.
        """
        gone = [f"domain {domain.domid}" for domain in xen.destroy(guest)]
        if self.store.remove(guest):
            gone.append("disk")
        if remove_folder(self.folder(guest)):
            gone.append("seed")
        with self.locks.everything():
            if guest in self.records.names():
                gone.append("record")
            self.records.remove(guest)
        return gone
