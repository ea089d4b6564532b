"""The configuration that `xl create` gets (xl.cfg(5))."""

from __future__ import annotations

import re
from pathlib import Path

from xenci.guest import names
from xenci.guest.config import Config
from xenci.guest.images import Image
from xenci.guest.records import Record

# Beyond xvdd: the first four disks are IDE disks of an HVM guest too.
ROOT_DEVICE, SEED_DEVICE = "xvda", "xvde"
# What can't end a quoted string of xl's syntax.
QUOTABLE = re.compile(r"[\x20-\x21\x23-\x26\x28-\x5b\x5d-\x7e]*")


def quoted(value: str) -> str:
    """Return a string in xl's syntax. Nothing unchecked gets here; this is the last look."""
    if not QUOTABLE.fullmatch(value):
        raise ValueError(f"{value!r} can't stand in a domain's configuration")
    return f'"{value}"'


def render(record: Record, image: Image, root: str, seed: Path, config: Config) -> str:
    """Return the configuration. `root` is where the root disk is, as Storage.disk() says."""
    disks = [
        f"format=raw,vdev={ROOT_DEVICE},access=rw,{root}",
        # QEMU can't open a raw one read-only for Xen ("Block node is read-only").
        f"format=raw,vdev={SEED_DEVICE},access=rw,backendtype=qdisk,target={seed}",
    ]
    settings = {
        "name": quoted(record.name),
        "uuid": quoted(names.domain_uuid(record.name)),
        "type": quoted(record.type),
        "kernel": quoted(str(image.kernel)),
        "ramdisk": quoted(str(image.initrd)),
        "cmdline": quoted(image.cmdline),
        "memory": str(record.memory_mib),
        "maxmem": str(record.memory_mib),
        "vcpus": str(record.vcpus),
        "disk": f"[{', '.join(map(quoted, disks))}]",
        "vif": f"[{quoted(f'mac={record.mac},bridge={config.bridge}')}]",
    }
    # A dead guest stays dead: it would come back with what its tests did to it, or die for ever.
    settings.update({f"on_{event}": '"destroy"' for event in ("poweroff", "reboot", "crash", "watchdog")})
    if record.type == "hvm":
        settings.update({"vga": '"none"', "vnc": "0", "serial": '"pty"'})
    return "".join(f"{key} = {value}\n" for key, value in settings.items())
