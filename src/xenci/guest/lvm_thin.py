"""Guests' disks as snapshots in a thin pool of a volume group."""

from __future__ import annotations

import re

from xenci.guest import names
from xenci.guest.command import run
from xenci.guest.config import Storage
from xenci.guest.errors import GuestError
from xenci.guest.images import Image
from xenci.guest.storage import CLONE_SECONDS, Store, failed

LVM_SECONDS = 120
# Volumes grow by whole extents: the origin may be larger than its image already.
LARGE_ENOUGH = re.compile(r"matches existing size|not larger than existing size")
COPY_SECONDS = 1800


class LvmThin(Store):
    """Volumes guest-NAME, thin snapshots of image-NAME+VERSION."""

    def __init__(self, storage: Storage) -> None:
        self.group, self.pool = storage.volume_group, storage.pool

    def _volumes(self) -> list[str]:
        done = run(["lvs", "--noheadings", "--options", "lv_name", self.group], LVM_SECONDS)
        if not done.ok:
            raise GuestError("storage_failed", f"can't list the volumes of {self.group}: {done.why()}")
        return done.output.split()

    def _remove(self, volume: str) -> bool:
        if volume not in self._volumes():
            return False
        done = run(["lvremove", "--yes", "--force", f"{self.group}/{volume}"], LVM_SECONDS)
        if not done.ok:
            failed(f"can't remove {self.group}/{volume}", done)
        return True

    def clone(self, image: Image, guest: str, disk_mib: int) -> None:
        """See Store."""
        self.remove(guest)
        origin = f"{self.group}/{names.image_volume(image.name, image.version)}"
        volume = names.guest_volume(guest)
        # A snapshot of a thin volume is thin, but skipped at activation unless told otherwise.
        command = [
            "lvcreate",
            "--snapshot",
            "--setactivationskip",
            "n",
            "--activate",
            "y",
            "--name",
            volume,
            origin,
        ]
        done = run(command, CLONE_SECONDS)
        if not done.ok:
            failed(f"can't clone {origin}", done)
        if disk_mib > image.size_mib:
            done = run(["lvextend", "--size", f"{disk_mib}m", f"{self.group}/{volume}"], LVM_SECONDS)
            if not done.ok and not LARGE_ENOUGH.search(done.errors):
                failed(f"can't make {self.group}/{volume} larger", done)

    def remove(self, guest: str) -> bool:
        """See Store."""
        return self._remove(names.guest_volume(guest))

    def guests(self) -> list[str]:
        """See Store."""
        prefix = names.guest_volume("")
        stems = (volume[len(prefix) :] for volume in self._volumes() if volume.startswith(prefix))
        return sorted(stem for stem in stems if names.GUEST.fullmatch(stem))

    def free_percent(self) -> float:
        """Return how much of the pool is free: data or metadata, whichever is scarcer."""
        command = ["lvs", "--noheadings", "--separator", ":", "--options", "data_percent,metadata_percent"]
        done = run([*command, f"{self.group}/{self.pool}"], LVM_SECONDS)
        try:
            used = [float(value) for value in done.output.strip().split(":")]
        except ValueError:
            used = []
        if not done.ok or not used:
            raise GuestError(
                "storage_failed", f"can't see how full {self.group}/{self.pool} is: {done.why()}"
            )
        return 100 - max(used)

    def disk(self, guest: str) -> str:
        """See Store."""
        return f"backendtype=phy,target=/dev/{self.group}/{names.guest_volume(guest)}"

    def add_image(self, image: Image) -> None:
        """See Store."""
        volume = names.image_volume(image.name, image.version)
        self._remove(volume)
        size = ["--virtualsize", f"{image.size_mib}m"]
        done = run(["lvcreate", *size, "--thinpool", self.pool, "--name", volume, self.group], LVM_SECONDS)
        if not done.ok:
            failed(f"can't make {self.group}/{volume}", done)
        target = f"/dev/{self.group}/{volume}"
        done = run(
            ["dd", f"if={image.root}", f"of={target}", "bs=1M", "conv=sparse,fsync", "status=none"],
            COPY_SECONDS,
        )
        if not done.ok:
            failed(f"can't fill {target}", done)
        done = run(["lvchange", "--permission", "r", f"{self.group}/{volume}"], LVM_SECONDS)
        if not done.ok:
            failed(f"can't make {target} read-only", done)

    def remove_image(self, name: str, version: str) -> None:
        """See Store."""
        self._remove(names.image_volume(name, version))

    def images(self) -> list[tuple[str, str]]:
        """See Store."""
        prefix = "image-"
        pairs = [volume[len(prefix) :].split("+") for volume in self._volumes() if volume.startswith(prefix)]
        return sorted((pair[0], pair[1]) for pair in pairs if len(pair) == 2)
