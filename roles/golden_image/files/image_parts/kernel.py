"""The kernel and its modules."""

from __future__ import annotations

import lzma
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

from image_parts.run import ImageError, run

# Folders of the modules that a guest without hardware may use,
FOLDERS = (
    "arch/",
    "block/",
    "crypto/",
    "drivers/block/",
    "drivers/char/hw_random/",
    "drivers/md/",
    "drivers/net/bonding/",
    "drivers/net/vxlan/",
    "drivers/net/wireguard/",
    "drivers/target/",
    "drivers/xen/",
    "fs/",
    "lib/",
    "mm/",
    "net/",
)
# and one of which only what lies in it: tun, veth, xen-netfront and their like.
FOLDER_ALONE = "drivers/net"


def install_modules(tree: Path, kernel: Path) -> str:
    """Copy the modules that a guest may use from the unpacked package; return the kernel's release."""
    (source,) = (path.parent for path in kernel.glob("**/lib/modules/*/kernel"))
    target = tree / "usr/lib/modules" / source.name
    for path in sorted((source / "kernel").rglob("*.ko*")):
        name = path.relative_to(source / "kernel")
        if str(name).startswith(FOLDERS) or str(name.parent) == FOLDER_ALONE:
            copy = target / "kernel" / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
    for path in source.glob("modules.*"):
        shutil.copy2(path, target / path.name)
    run(["chroot", str(tree), "depmod", source.name])
    return source.name


def unpacked(image: bytes) -> bytes:
    """Return the ELF file inside a packed kernel: Xen's toolstack then has nothing to unpack at every start.

    Source: the kernel's Documentation/arch/x86/boot.rst (setup_sects, payload_offset, payload_length).
    """
    if image[0x202:0x206] != b"HdrS":
        raise ImageError("the kernel is no bzImage")
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = ((image[0x1F1] or 4) + 1) * 512 + offset
    payload = image[start : start + length]
    if payload.startswith(b"\xfd7zXZ\0"):
        elf = lzma.LZMADecompressor().decompress(payload)
    elif payload.startswith(b"\x1f\x8b"):
        elf = zlib.decompressobj(31).decompress(payload)
    elif payload.startswith(b"\x28\xb5\x2f\xfd"):
        # The last four bytes are the unpacked size.
        elf = subprocess.run(["zstd", "-dcq"], input=payload[:-4], capture_output=True, check=True).stdout
    else:
        raise ImageError(f"the kernel is packed in an unknown way: it begins with {payload[:6].hex()}")
    if not elf.startswith(b"\x7fELF"):
        raise ImageError("what was unpacked of the kernel is no ELF file")
    return elf


def boot_modules(folder: Path, wanted: list[str]) -> list[Path]:
    """Return the files of modules of `folder`, lib/modules/RELEASE, each after those that it needs."""
    needs = {}
    for line in (folder / "modules.dep").read_text("utf-8").splitlines():
        path, others = line.split(":", 1)
        needs[module(path)] = [*reversed(others.split()), path]
    builtin = set(map(module, (folder / "modules.builtin").read_text("utf-8").splitlines()))
    paths: list[str] = []
    for name in wanted:
        if name not in needs and name not in builtin:
            raise ImageError(f"the kernel has no module {name}")
        paths += [path for path in needs.get(name, []) if path not in paths]
    return [folder / path for path in paths]


def module(path: str) -> str:
    """Return the name of a module, as the kernel spells it."""
    return re.sub(r"\W", "_", path.rpartition("/")[2].partition(".")[0])


def content(path: Path) -> bytes:
    """Return a module as the kernel loads it, unpacked."""
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
