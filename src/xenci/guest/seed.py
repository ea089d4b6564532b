"""The seed: a small disk (a plain tar archive) with what makes a guest this one and no other.

The image's first boot step unpacks it: `tar -xf /dev/xvde`. No file system, loop device or mount in dom0, any
guest type, any file system in the image; and the private host key is on no command line.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import uuid
from pathlib import Path

from xenci.guest.command import run
from xenci.guest.config import Config
from xenci.guest.errors import GuestError
from xenci.guest.records import Record, write

FILE = "seed.tar"
# What the guest gets, and may write to.
DISK = "seed.img"
KEY = "ssh_host_ed25519_key"


def host_key(folder: Path) -> tuple[bytes, str]:
    """Make an SSH host key for a guest; return the private file's content and the public key."""
    private = folder / KEY
    for path in (private, public_of(private)):
        path.unlink(missing_ok=True)
    done = run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(private)])
    if not done.ok:
        raise GuestError("internal", f"no host key: {done.why()}")
    return private.read_bytes(), " ".join(public_of(private).read_text(encoding="ascii").split()[:2])


def public_of(private: Path) -> Path:
    """Return the public file beside a private key."""
    return private.with_name(f"{private.name}.pub")


def make(folder: Path, record: Record, config: Config) -> Path:
    """Write the seed of a guest into its folder, and its new host key into the record; return the seed."""
    private, public = host_key(folder)
    record.host_keys = [public]
    network = {
        "ADDRESS": f"{record.address}/{config.prefix}",
        "GATEWAY": config.gateway,
        "DNS": " ".join(config.dns),
        "MAC": record.mac,
    }
    files = {
        "hostname": f"{record.name}\n".encode("ascii"),
        "machine-id": f"{uuid.uuid4().hex}\n".encode("ascii"),
        "network": "".join(f"{key}='{value}'\n" for key, value in network.items()).encode("ascii"),
        "authorized_keys": "".join(f"{key}\n" for key in record.authorized_keys).encode("ascii"),
        KEY: private,
        f"{KEY}.pub": f"{public}\n".encode("ascii"),
    }
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), record.created
            member.mode = 0o600 if name == KEY else 0o644
            archive.addfile(member, io.BytesIO(content))
    write(folder / FILE, stream.getvalue())
    # The guest has it now; dom0 needs it no more.
    for path in (folder / KEY, public_of(folder / KEY)):
        path.unlink()
    return folder / FILE


def to_disk(folder: Path) -> Path:
    """Make the guest's disk of the seed as it was made, whatever an earlier life has written there."""
    write(folder / DISK, (folder / FILE).read_bytes())
    return folder / DISK


def fresh_folder(folder: Path) -> None:
    """Make a guest's own folder, empty."""
    remove_folder(folder)
    os.makedirs(folder, mode=0o700)


def remove_folder(folder: Path) -> bool:
    """Remove a guest's own folder; whether there was one."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return False
    return True
