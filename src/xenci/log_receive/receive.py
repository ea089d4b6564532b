"""Take one upload: a tar stream becomes the folder of a build, at once and whole, or nothing is changed."""

from __future__ import annotations

import os
import posixpath
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from xenci.log_receive.path import is_build

INCOMING = ".incoming"
CHUNK = 1 << 20
MIB = 1 << 20


class UploadError(Exception):
    """The upload is not taken; the text tells the sender why."""


@dataclass(frozen=True)
class Limits:
    """What one upload may take, and what it must leave: sizes in bytes as unpacked."""

    total: int = 1024 * MIB
    files: int = 10_000
    depth: int = 20
    reserve: int = 64 * MIB


class Member(tarfile.TarInfo):
    """A member of an archive that knows when the archive's end mark has come."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Member:
        """Read the next member. Without the end mark a stream that broke between two files looks whole."""
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined] # not in typeshed
            tarfile_.ended = True  # type: ignore[attr-defined] # ours
            raise


def upload(root: Path, path: str, stream: BinaryIO, limits: Limits = Limits()) -> None:
    """Unpack the tar stream as the folder `path` of `root`.

    Raises UploadError for a path that is no build's or is there already, and for an archive that is hostile,
    too large or cut off; OSError where the disk has no room. What was there stays, and nothing is left over.
    """
    if not is_build(path):
        raise UploadError(
            "the path is not that of a build: change[-2:]/change/patchset/pipeline/job/build[:7]"
        )
    if os.path.lexists(root / path):
        raise UploadError("there are logs of this build already")
    incoming = root / INCOMING
    incoming.mkdir(mode=0o700, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=incoming))
    try:
        unpack(stream, folder, limits)
        publish(folder, root / path)
    except BaseException:
        shutil.rmtree(folder)
        raise


def unpack(stream: BinaryIO, folder: Path, limits: Limits) -> None:
    """Write the archive's files and folders below `folder` and bring them to the disk."""
    total = files = 0
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=Member, bufsize=64 * 1024) as archive:
        for member in archive:
            name = safe_name(member, limits)
            files += 1
            total += member.size
            if files > limits.files:
                raise UploadError(f"more than {limits.files} files")
            if total > limits.total:
                raise UploadError(f"more than {limits.total // MIB} MiB")
            if name == ".":
                continue
            target = folder / name
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            room(folder, member.size, limits)
            target.parent.mkdir(parents=True, exist_ok=True)
            write(archive, member, target)
        if not getattr(archive, "ended", False):
            raise UploadError("the archive is cut off")
    while stream.read(CHUNK):  # the padding behind the end mark: let the sender finish
        pass
    if not os.listdir(folder):
        raise UploadError("the archive is empty")
    for current, _, _ in os.walk(folder, topdown=False):
        os.chmod(current, 0o750)  # noqa: S103 - the web server reads as a member of the group
        sync(current)


def safe_name(member: tarfile.TarInfo, limits: Limits) -> str:
    """Return the member's name, relative and without dots; refuse what is not a plain file or folder."""
    name = posixpath.normpath(member.name)
    shown = ascii(member.name)[:200]
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE) or member.issparse():
        raise UploadError(f"neither a plain file nor a folder: {shown}")
    if member.name.startswith("/") or ".." in member.name.split("/"):
        raise UploadError(f"a name that leads out of the folder: {shown}")
    if not member.name.isprintable():
        raise UploadError(f"a name with characters that can't be shown: {shown}")
    if name.count("/") >= limits.depth:
        raise UploadError(f"folders deeper than {limits.depth}: {shown}")
    if member.size < 0:
        raise UploadError(f"a size below nothing: {shown}")
    return name


def room(folder: Path, size: int, limits: Limits) -> None:
    """Refuse to take the last of the disk."""
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize - size < limits.reserve:
        raise UploadError("the log server's disk is full")


def write(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """Write one file; it must not be there yet."""
    source = archive.extractfile(member)
    if source is None:
        raise UploadError(f"no data for {ascii(member.name)[:200]}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        descriptor = os.open(target, flags, 0o640)
    except FileExistsError:
        raise UploadError(f"the same name twice: {ascii(member.name)[:200]}") from None
    with open(descriptor, "wb") as output:
        left = member.size
        while left:
            data = source.read(min(CHUNK, left))
            if not data:
                raise UploadError("the archive is cut off")
            output.write(data)
            left -= len(data)
        output.flush()
        os.fsync(output.fileno())
    # The log's own time, as the reader of the index expects it, within what a clock can show.
    os.utime(target, (min(max(0, member.mtime), 2**32),) * 2)


def publish(folder: Path, final: Path) -> None:
    """Rename the folder into place. One that has come there meanwhile is not empty, so rename refuses."""
    for _ in range(10):
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.rename(folder, final)
        except FileNotFoundError:
            continue  # `expire` took the empty parent away
        except OSError as error:
            if final.exists():
                raise UploadError("there are logs of this build already") from error
            raise
        sync(final.parent)
        return
    raise UploadError("the folder of the build could not be made")


def sync(folder: str | Path) -> None:
    """Bring a folder's entries to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
