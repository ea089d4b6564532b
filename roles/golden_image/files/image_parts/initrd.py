"""The initrd: busybox, a few modules, and the program that makes a guest itself."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from image_parts.kernel import boot_modules, content

INIT = Path(__file__).resolve().parents[1] / "init"
# What `init` loads, in this order.
MODULES = ["crc32c_generic", "ext4", "xen_blkfront", "xen_netfront"]
# What it calls.
APPLETS = [
    "cp",
    "insmod",
    "ip",
    "mount",
    "poweroff",
    "sh",
    "sleep",
    "switch_root",
    "tar",
    "test",
    "umount",
]
FOLDERS = ["bin", "dev", "modules", "root", "seed", "sys"]

Entry = tuple[str, int, bytes]
"""Name, mode and content of a file; of a link, what it leads to."""


def initrd(tree: Path, release: str) -> bytes:
    """Return the initrd of a guest's tree: a cpio archive, not packed, since unpacking takes time."""
    busybox = (tree / "bin/busybox").resolve().read_bytes()
    entries: list[Entry] = [(folder, stat.S_IFDIR | 0o755, b"") for folder in FOLDERS]
    entries.append(("bin/busybox", stat.S_IFREG | 0o755, busybox))
    entries += [(f"bin/{applet}", stat.S_IFLNK | 0o777, b"busybox") for applet in APPLETS]
    for number, path in enumerate(boot_modules(tree / "usr/lib/modules" / release, MODULES)):
        name = f"modules/{number:02}-{path.name.partition('.')[0]}.ko"
        entries.append((name, stat.S_IFREG | 0o644, content(path)))
    entries.append(("init", stat.S_IFREG | 0o755, INIT.read_bytes()))
    return b"".join(cpio(entries))


def cpio(entries: list[Entry]) -> Iterator[bytes]:
    """Return a cpio archive in pieces.

    Source: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst ("newc").
    """
    for inode, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        numbers = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08X" % number for number in numbers) + name.encode() + b"\0"
        yield head + bytes(-len(head) % 4)
        yield data + bytes(-len(data) % 4)
