"""What a host is like before a lease, and what is not so afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from xenci.guest import root, traces, xen
from xenci.guest.command import run
from xenci.guest.errors import GuestError
from xenci.guest.host import Host
from xenci.guest.records import write

FOLDERS = ("etc", "boot")
# The partition table, and what the firmware starts.
BOOT_SECTORS = 1024 * 1024
RUNNING = ("xen_version", "xen_commandline")
CHUNK = 1024 * 1024

# Kind of thing, its name, and what it was like.
Seen = dict[str, dict[str, str]]


def look(host: Host) -> Seen:
    """Return what there is: anything that can't be looked at is an error, never an empty list."""
    return {
        "file": dict(files()),
        "image": dict(images(host)),
        "package": pairs(
            ["dpkg-query", "--show", "--showformat", "${binary:Package} ${Version} ${db:Status-Abbrev}\\n"]
        ),
        "firewall": numbered(["nft", "--stateless", "list", "ruleset"]),
        "domain": {domain.name: domain.uuid for domain in xen.domains()},
        "interface": {path.name: "" for path in traces.INTERFACES.iterdir()},
        "xen": {key: value for key, value in xen.facts().items() if key in RUNNING},
        "kernel": {"release": os.uname().release, "command line": text(root.ROOT / "proc/cmdline")},
        "disk": {"boot sectors": boot_sectors(host)},
    }


def files() -> Iterator[tuple[str, str]]:
    """Look at what decides how the host boots and behaves."""
    for folder in FOLDERS:
        for path in walk(root.ROOT / folder):
            status = path.lstat()
            content = ""
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = digest(path)
            name = f"/{path.relative_to(root.ROOT)}"
            yield name, f"{status.st_mode:o} {status.st_uid}:{status.st_gid} {content}"


def images(host: Host) -> Iterator[tuple[str, str]]:
    """Look at the images: gigabytes on a disk of their own, so not at what is in them."""
    for path in walk(host.config.images):
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode):
            yield str(path), f"{status.st_mode:o} {status.st_size} {status.st_mtime_ns}"


def walk(folder: Path) -> Iterator[Path]:
    """Return everything below a folder."""
    for entry in sorted(folder.iterdir()):
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from walk(entry)


def digest(path: Path) -> str:
    """Return the checksum of a file."""
    checksum = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            checksum.update(chunk)
    return checksum.hexdigest()


def text(path: Path) -> str:
    """Return a line of the kernel's."""
    return path.read_text(encoding="ascii", errors="replace").strip()


def output(argv: list[str]) -> list[str]:
    """Return what a program says."""
    done = run(argv)
    if not done.ok:
        raise GuestError("bad_state", done.why())
    return done.output.splitlines()


def pairs(argv: list[str]) -> dict[str, str]:
    """Return what a program says, a name and more in each line."""
    return dict(line.partition(" ")[::2] for line in output(argv))


def numbered(argv: list[str]) -> dict[str, str]:
    """Return what a program says; a line that is there twice counts twice."""
    found: dict[str, str] = {}
    for line in output(argv):
        found[line.strip()] = f"{int(found.get(line.strip(), '0')) + 1}"
    return found


def boot_sectors(host: Host) -> str:
    """Return the checksum of the beginning of the disk that the root is on."""
    device = os.path.realpath(root.DEVICES / host.root.mount().uuid)
    disk = output(["lsblk", "--noheadings", "--nodeps", "--output", "PKNAME", device])
    path = Path("/dev") / disk[0].strip() if disk and disk[0].strip() else Path(device)
    with path.open("rb") as stream:
        return hashlib.sha256(stream.read(BOOT_SECTORS)).hexdigest()


def keep(host: Host, file: Path) -> None:
    """Write down what there is."""
    write(file, json.dumps(look(host)).encode("ascii"))


def differences(host: Host, file: Path) -> list[str]:
    """Return what is not as it was written down."""
    try:
        before: Seen = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise GuestError("bad_state", f"{file} can't be read: {error}") from error
    now = look(host)
    found = []
    for kind in sorted({*before, *now}):
        was, there = before.get(kind, {}), now.get(kind, {})
        for name in sorted({*was, *there}):
            if was.get(name) != there.get(name):
                what = "is new" if name not in was else "is gone" if name not in there else "has changed"
                found.append(f"{kind} {name} {what}")
    return found
