"""Take images in and remove them: for the operator only."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

from xenci.guest import names
from xenci.guest.command import run
from xenci.guest.errors import GuestError
from xenci.guest.host import Host
from xenci.guest.images import MANIFEST, MIB, Image, read
from xenci.guest.records import sync
from xenci.guest.request import Request

COPY_SECONDS = 1800


def listing(host: Host, request: Request) -> dict[str, Any]:
    """Return every image with its versions; one that can't be used says why."""
    del request
    with host.locks.everything():
        uses = [(record.image, record.version) for record in host.records.all()]
    found = []
    for name, version, folder in host.images.folders():
        entry: dict[str, Any] = {
            "name": name,
            "version": version,
            "current": host.images.current(name) == version,
            "imported": int(folder.stat().st_mtime),
        }
        try:
            image = read(folder, name, version)
            entry.update(types=list(image.types), size_mib=image.size_mib, manifest=image.manifest)
        except GuestError as error:
            entry["problem"] = error.message
        entry["guests"] = uses.count((name, version))
        found.append(entry)
    return {"images": found}


def take_in(host: Host, request: Request) -> dict[str, Any]:
    """Copy an image's folder from `source`, check its checksums, and make it the current version.

    A version that is there needs no `source`. With `current` false new guests are not made of it yet.
    """
    name, version = request["image"], request["version"]
    source = read(Path(request["source"]), name, version) if request.get("source") else None
    target = host.images.folder / name / version
    with host.locks.image(name):
        there = (target / MANIFEST).exists()
        if there and source and read(target, name, version).manifest != source.manifest:
            raise GuestError(
                "exists", f"image {name} {version} is there with other content: give it a new version"
            )
        if not there:
            if not source:
                raise GuestError("no_such_image", f"image {name} {version} is not there: give its source")
            _copy(host, source, target)
        switched = request.get("current", True) and host.images.current(name) != version
        if switched:
            _make_current(target)
    return {"changed": switched or not there, "image": {"name": name, "version": version}}


def _copy(host: Host, source: Image, target: Path) -> None:
    """Copy into a folder beside the target, which takes its name once everything is right."""
    new = target.with_name(f".{target.name}.new")
    if new.exists():
        shutil.rmtree(new)
    try:
        new.mkdir(parents=True, mode=0o755)
        for file in (source.kernel, source.initrd, source.root, source.folder / MANIFEST):
            done = run(
                ["cp", "--reflink=auto", "--sparse=auto", "--", str(file), str(new / file.name)], COPY_SECONDS
            )
            if not done.ok:
                full = "No space left on device" in done.errors
                raise GuestError(
                    "storage_full" if full else "storage_failed", f"can't copy {file}: {done.why()}"
                )
            os.chmod(new / file.name, 0o444)
        copied = read(new, source.name, source.version)
        for file in (copied.kernel, copied.initrd, copied.root):
            found, wanted = sha256(file), copied.manifest["sha256"][file.name]
            if found != wanted:
                raise GuestError("bad_image", f"{file.name} has sha256 {found}, its manifest says {wanted}")
        host.store.add_image(copied)
    except BaseException:
        host.store.remove_image(source.name, source.version)
        shutil.rmtree(new, ignore_errors=True)
        raise
    new.rename(target)
    sync(target.parent)


def sha256(file: Path) -> str:
    """Return the checksum of a file."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while True:
            block = stream.read(MIB)
            if not block:
                return digest.hexdigest()
            digest.update(block)


def _make_current(target: Path) -> None:
    """Point the link `current` to a version."""
    new = target.with_name(f".{names.CURRENT}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target.name)
    new.replace(target.with_name(names.CURRENT))
    sync(target.parent)


def remove(host: Host, request: Request) -> dict[str, Any]:
    """Remove a version of an image, or all of them; `image_in_use` where a guest was made from it."""
    name = request["image"]
    with host.locks.image(name):
        versions = [number for image, number, _ in host.images.folders() if image == name]
        wanted = [number for number in versions if number == request.get("version", number)]
        for version in wanted:
            _remove(host, name, version)
        folder = host.images.folder / name
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return {"changed": bool(wanted), "removed": wanted}


def prune(host: Host, request: Request) -> dict[str, Any]:
    """Remove an image's versions but the current one, the `keep` newest others and those that guests use."""
    name, keep = request["image"], request.get("keep", 1)
    removed = []
    with host.locks.image(name):
        others = [
            (int(folder.stat().st_mtime), version)
            for image, version, folder in host.images.folders()
            if image == name and version != host.images.current(name)
        ]
        for _, version in sorted(others, reverse=True)[keep:]:
            try:
                _remove(host, name, version)
            except GuestError as error:
                if error.code != "image_in_use":
                    raise
            else:
                removed.append(version)
    return {"changed": bool(removed), "removed": removed}


def _remove(host: Host, name: str, version: str) -> None:
    """Remove one version; the caller holds the image's lock."""
    folder = host.images.folder / name / version
    old = folder.with_name(f".{version}.old")
    with host.locks.everything():
        users = [
            record.name for record in host.records.all() if (record.image, record.version) == (name, version)
        ]
        if users:
            raise GuestError("image_in_use", f"image {name} {version} is used by {', '.join(users)}")
        if host.images.current(name) == version:
            (folder.parent / names.CURRENT).unlink()
        folder.rename(old)
    host.store.remove_image(name, version)
    shutil.rmtree(old)


def leftovers(host: Host) -> list[tuple[str, Path]]:
    """Return image and folder of what a killed import or removal left behind."""
    if not host.images.folder.is_dir():
        return []
    images = (path for path in host.images.folder.iterdir() if names.IMAGE.fullmatch(path.name))
    return [(image.name, entry) for image in sorted(images) for entry in sorted(image.glob(".*"))]


def lost_volumes(host: Host) -> list[tuple[str, str]]:
    """Return name and version of root disks that were taken in and whose folder is not there."""
    folders = {(name, version) for name, version, _ in host.images.folders()}
    return [pair for pair in host.store.images() if pair not in folders]


def clean(host: Host) -> list[str]:
    """Remove both kinds; return what was removed."""
    removed = []
    for name in sorted({name for name, _ in leftovers(host)} | {name for name, _ in lost_volumes(host)}):
        with host.locks.image(name):
            for _, entry in (pair for pair in leftovers(host) if pair[0] == name):
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()
                removed.append(f"{name}/{entry.name}")
            for _, version in (pair for pair in lost_volumes(host) if pair[0] == name):
                host.store.remove_image(name, version)
                removed.append(names.image_volume(name, version))
    return removed
