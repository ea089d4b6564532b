"""Have a leased host boot what the lease has put there: another Xen, kernel or initrd, once."""

from __future__ import annotations

import os
from typing import Any

from xenci.guest import root, xen
from xenci.guest.errors import GuestError
from xenci.guest.host import Host
from xenci.guest.request import Request
from xenci.guest.root import LEASED


def boot(host: Host, request: Request) -> dict[str, Any]:
    """Choose what the next boot of the lease takes; every boot after it is the way back."""
    place = host.root
    record = host.lease.get()
    if record is None or record.state != "leased" or not place.switched():
        raise GuestError("bad_state", "the host is not leased")
    facts, release = xen.facts(), os.uname().release
    version = f"{facts.get('xen_major')}.{facts.get('xen_minor')}"
    files = {
        "xen": request.get("xen", f"/boot/xen-{version}-amd64.gz"),
        "kernel": request.get("kernel", f"/boot/vmlinuz-{release}"),
        "initrd": request.get("initrd", f"/boot/initrd.img-{release}"),
    }
    for what, path in files.items():
        if not (root.ROOT / path.lstrip("/")).is_file():
            raise GuestError("bad_request", f"{what} is {path}: there is no such file")
    options = request.get("xen_options", facts.get("xen_commandline", ""))
    uuid = place.mount().uuid
    kernel = request.get("kernel_options", kernel_options(uuid))
    lines = [
        f"search --no-floppy --fs-uuid --set=root {uuid}",
        f"multiboot2 /{LEASED}{files['xen']} placeholder {options}",
        f"module2 /{LEASED}{files['kernel']} placeholder {kernel}",
        f"module2 --nounzip /{LEASED}{files['initrd']}",
        "boot",
    ]
    place.boot_leased("".join(f"{line}\n" for line in lines))
    return {"next": files}


def kernel_options(uuid: str) -> str:
    """Return the options that the kernel runs with, but for the root and what GRUB puts first.

    `panic=` lets an initrd that finds no root restart the host: it would wait for somebody at the console.
    """
    words = (root.ROOT / "proc/cmdline").read_text(encoding="ascii").split()
    kept = [word for word in words if word != "placeholder" and not word.startswith(("root=", "rootflags="))]
    return " ".join([f"root=UUID={uuid}", f"rootflags=subvol={LEASED}", *kept, "panic=30"])
