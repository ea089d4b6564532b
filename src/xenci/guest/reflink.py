"""Guests' disks as files that share their blocks with the image's until written (XFS, btrfs)."""

from __future__ import annotations

import os
from pathlib import Path

from xenci.guest import names
from xenci.guest.command import run
from xenci.guest.config import Storage
from xenci.guest.errors import GuestError
from xenci.guest.images import MIB, Image
from xenci.guest.storage import CLONE_SECONDS, Store, failed

SUFFIX = ".img"


class Reflink(Store):
    """Files GUEST.img in a folder on the same file system as the images."""

    def __init__(self, storage: Storage) -> None:
        self.folder = storage.folder

    def _file(self, guest: str) -> Path:
        return self.folder / f"{guest}{SUFFIX}"

    def clone(self, image: Image, guest: str, disk_mib: int) -> None:
        """See Store."""
        self.remove(guest)
        done = run(["cp", "--reflink=always", "--", str(image.root), str(self._file(guest))], CLONE_SECONDS)
        if not done.ok:
            failed(f"can't clone {image.root}", done)
        os.chmod(self._file(guest), 0o600)
        if disk_mib > image.size_mib:
            os.truncate(self._file(guest), disk_mib * MIB)

    def remove(self, guest: str) -> bool:
        """See Store."""
        try:
            self._file(guest).unlink()
        except FileNotFoundError:
            return False
        return True

    def guests(self) -> list[str]:
        """See Store."""
        stems = (path.stem for path in self.folder.glob(f"*{SUFFIX}"))
        return sorted(stem for stem in stems if names.GUEST.fullmatch(stem))

    def free_percent(self) -> float:
        """See Store."""
        try:
            state = os.statvfs(self.folder)
        except OSError as error:
            raise GuestError("storage_failed", f"{self.folder}: {error.strerror}; is it mounted?") from error
        return 100 * state.f_bavail / state.f_blocks

    def disk(self, guest: str) -> str:
        """See Store."""
        return f"backendtype=qdisk,target={self._file(guest)}"

    def add_image(self, image: Image) -> None:
        """Nothing to do: guests are cloned from the image's own file."""

    def remove_image(self, name: str, version: str) -> None:
        """Nothing to do."""

    def images(self) -> list[tuple[str, str]]:
        """See Store."""
        return []
