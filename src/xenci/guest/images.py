"""Golden images: IMAGES/NAME/VERSION/ with manifest.json and its files, and the link `current` to the newest.

    {"kernel": "vmlinux", "initrd": "initrd.img", "root": "root.img", "cmdline": "root=/dev/xvda rw",
     "types": ["pv", "pvh"], "sha256": {"vmlinux": "...", "initrd.img": "...", "root.img": "..."}, ...}

The rest of the manifest (packages, what it was booted on, when it was built) is kept and returned as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xenci.guest import names
from xenci.guest.config import TYPES
from xenci.guest.errors import GuestError

FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}")
CMDLINE = re.compile(r"[A-Za-z0-9 ._,:=/+@-]{0,1024}")
SHA256 = re.compile(r"[0-9a-f]{64}")
MIB = 1024 * 1024
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Image:
    """One version of an image."""

    name: str
    version: str
    folder: Path
    kernel: Path
    initrd: Path
    root: Path
    cmdline: str
    types: tuple[str, ...]
    manifest: dict[str, Any]

    @property
    def size_mib(self) -> int:
        """Size of the root disk as the guest sees it."""
        return -(-self.root.stat().st_size // MIB)


def read(folder: Path, name: str, version: str) -> Image:
    """Read an image's folder, or raise `bad_image` naming what is wrong with it."""
    file = folder / MANIFEST

    def bad(what: str) -> GuestError:
        return GuestError("bad_image", f"{file}: {what}")

    try:
        manifest = json.loads(file.read_bytes())
    except OSError as error:
        raise bad(error.strerror or "can't be read") from error
    except (ValueError, RecursionError) as error:
        raise bad(f"not JSON: {error}") from error
    if not isinstance(manifest, dict):
        raise bad("must be an object")
    sums = manifest.get("sha256")
    paths = {}
    for part in ("kernel", "initrd", "root"):
        value = manifest.get(part)
        if not isinstance(value, str) or not FILE_NAME.fullmatch(value):
            raise bad(f"{part} is {value!r}: it must be the name of a file beside the manifest")
        if not isinstance(sums, dict) or not SHA256.fullmatch(str(sums.get(value))):
            raise bad(f"sha256 has no checksum of {value}")
        paths[part] = folder / value
        if not paths[part].is_file() or paths[part].is_symlink():
            raise bad(f"{part} is {value!r}: there is no such file beside it")
    cmdline, types = manifest.get("cmdline", ""), manifest.get("types", list(TYPES))
    if not isinstance(cmdline, str) or not CMDLINE.fullmatch(cmdline):
        raise bad(f"cmdline is {cmdline!r}: it must match {CMDLINE.pattern}")
    if not isinstance(types, list) or not types or any(kind not in TYPES for kind in types):
        raise bad(f"types is {types!r}: it must name some of {', '.join(TYPES)}")
    return Image(name, version, folder, cmdline=cmdline, types=tuple(types), manifest=manifest, **paths)


class Images:
    """The images of this host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def folders(self) -> Iterator[tuple[str, str, Path]]:
        """Return name, version and folder of what is imported."""
        if not self.folder.is_dir():
            return
        for image in sorted(self.folder.iterdir()):
            if names.IMAGE.fullmatch(image.name) and image.is_dir():
                for version in sorted(image.iterdir()):
                    if names.VERSION.fullmatch(version.name) and version.name != names.CURRENT:
                        yield image.name, version.name, version

    def current(self, name: str) -> str:
        """Return the version that guests get unless they ask for another; "" where there is none."""
        link = self.folder / name / names.CURRENT
        return link.readlink().name if link.is_symlink() else ""

    def get(self, name: str, version: str = "") -> Image:
        """Return an image, the current version unless one is named."""
        version = version or self.current(name)
        folder = self.folder / name / version
        if not version or not (folder / MANIFEST).is_file():
            there = sorted({f"{image} {number}" for image, number, _ in self.folders()})
            raise GuestError(
                "no_such_image",
                f"there is no image {name} {version}".rstrip() + f"; there are: {', '.join(there) or 'none'}",
            )
        return read(folder, name, version)
