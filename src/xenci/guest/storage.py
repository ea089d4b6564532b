"""Where guests' disks are. Two back ends do the same: see Store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NoReturn

from xenci.guest.command import Done
from xenci.guest.config import Config
from xenci.guest.errors import GuestError
from xenci.guest.images import Image

CLONE_SECONDS = 300


class Store(ABC):
    """Disks by guest name. Everything here may be repeated: what is there or gone already is fine."""

    @abstractmethod
    def clone(self, image: Image, guest: str, disk_mib: int) -> None:
        """Make a guest's disk of an image, `disk_mib` large; one that is there is made anew."""

    @abstractmethod
    def remove(self, guest: str) -> bool:
        """Remove a guest's disk; whether there was one."""

    @abstractmethod
    def guests(self) -> list[str]:
        """Return the guests that have a disk."""

    @abstractmethod
    def free_percent(self) -> float:
        """Return how much of the space is free."""

    @abstractmethod
    def disk(self, guest: str) -> str:
        """Return a guest's disk in xl's words (xl-disk-configuration(5)); `target=` comes last there."""

    @abstractmethod
    def add_image(self, image: Image) -> None:
        """Take in an image's root disk."""

    @abstractmethod
    def remove_image(self, name: str, version: str) -> None:
        """Forget an image's root disk."""

    @abstractmethod
    def images(self) -> list[tuple[str, str]]:
        """Return name and version of every image whose root disk was taken in; [] if that needs no work."""


def failed(what: str, done: Done) -> NoReturn:
    """Raise the error of a command that failed: no space is told from the rest."""
    full = "No space left on device" in done.errors or "insufficient free space" in done.errors
    raise GuestError("storage_full" if full else "storage_failed", f"{what}: {done.why()}")


def store(config: Config) -> Store:
    """Return the back end that the configuration names."""
    if config.storage.backend == "lvm_thin":
        from xenci.guest.lvm_thin import LvmThin

        return LvmThin(config.storage)
    from xenci.guest.reflink import Reflink

    return Reflink(config.storage)
