"""Make a guest: one for each name, whole or not at all.

Order: record (it reserves memory, disk and address), clone, seed, domain, SSH server seen. A kill at any step
leaves a record that says so; the next create of the name begins anew, the next delete or audit removes it.
"""

from __future__ import annotations

import errno
import time
from typing import Any

from xenci.guest import capacity, domain_config, seed, ssh, xen
from xenci.guest.console import tail
from xenci.guest.errors import GuestError
from xenci.guest.host import Host
from xenci.guest.images import Image
from xenci.guest.lease import busy
from xenci.guest.listing import shown
from xenci.guest.records import Record, write
from xenci.guest.request import Request

CONFIG = "xl.cfg"
CONSOLE_BYTES = 4000
# How often a guest that boots is looked at from outside: each time costs dom0 half a second.
LOOK_SECONDS = 5.0
SAME = ("image", "type", "memory_mib", "vcpus", "labels", "authorized_keys")


def create(host: Host, request: Request) -> dict[str, Any]:
    """Return the guest, made or found; raises GuestError, and then nothing of it is left."""
    guest = request["name"]
    with host.locks.guest(guest):
        record = host.records.get(guest)
        if record and record.state == "running":
            same(record, request)
            return reply(host, record, created=False)
        there = bool(record and record.state == "booting" and xen.alive(guest))
        if record and there:
            same(record, request)
        else:
            if record:
                host.remove(guest)
            record = reserve(host, request)
            build(host, record)
    wait(host, record, request.get("ssh_timeout", host.config.boot_timeout))
    return reply(host, record, created=not there)


def reply(host: Host, record: Record, created: bool) -> dict[str, Any]:
    """Return the guest, and what dom0 sees of it."""
    guest = shown(host, record, xen.domains())
    return {"created": created, "guest": guest, "outside": xen.outside(record.name)}


def same(record: Record, request: Request) -> None:
    """Refuse a second request for a name that wants something else."""
    for name in (*SAME, "version", "disk_mib"):
        if name in request.fields and request[name] != getattr(record, name):
            raise GuestError(
                "exists",
                f"guest {record.name} is there with {name} {getattr(record, name)!r}, not {request[name]!r}",
            )


def reserve(host: Host, request: Request) -> Record:
    """Write the record of a new guest, if the host has room for it."""
    if host.drained():
        raise GuestError("drained", f"this host takes no guests: {host.drained()}")
    image = host.images.get(request["image"], request.get("version", ""))
    kind = request["type"]
    usable = [name for name in host.config.types if name in image.types]
    if kind not in usable:
        raise GuestError(
            "unsupported_type",
            f"type is {kind}: image {image.name} runs here as {', '.join(usable) or 'nothing'}",
        )
    disk_mib = max(request.get("disk_mib", 0), image.size_mib)
    if 0 < request.get("disk_mib", 0) < image.size_mib:
        raise GuestError("bad_request", f"disk_mib is {request['disk_mib']}: the image has {image.size_mib}")
    free = host.store.free_percent()
    if free < host.config.min_free_percent:
        raise GuestError(
            "storage_full",
            f"{free:.1f} % of the guest storage are free: {host.config.min_free_percent} must be",
        )
    with host.locks.everything():
        leased = busy(host)
        if leased:
            raise GuestError("full", leased)
        records = list(host.records.all())
        needs = {"memory_mib": request["memory_mib"], "vcpus": request["vcpus"], "storage_mib": disk_mib}
        slot = capacity.require(host, records, needs)
        record = Record(
            name=request["name"],
            state="creating",
            image=image.name,
            version=image.version,
            type=kind,
            memory_mib=request["memory_mib"],
            vcpus=request["vcpus"],
            disk_mib=disk_mib,
            mac=slot.mac,
            address=slot.address,
            created=int(time.time()),
            authorized_keys=request["authorized_keys"],
            labels=request.get("labels", {}),
        )
        # An image is removed under the same lock, and not while a record names it.
        host.images.get(image.name, image.version)
        host.records.put(record)
    return record


def build(host: Host, record: Record) -> None:
    """Clone, seed and start; the caller holds the guest's lock."""
    try:
        image = host.images.get(record.image, record.version)
        host.store.clone(image, record.name, record.disk_mib)
        seed.fresh_folder(host.folder(record.name))
        seed.make(host.folder(record.name), record, host.config)
        start(host, record, image)
    except OSError as error:
        failure = GuestError("storage_failed", f"{error.filename}: {error.strerror}")
        failure.code = "storage_full" if error.errno == errno.ENOSPC else failure.code
        raise undone(host, record, failure) from error
    except GuestError as error:
        raise undone(host, record, error) from error


def undone(host: Host, record: Record, failure: GuestError) -> GuestError:
    """Remove a guest that failed, and return its error, which tells if something could not be removed."""
    try:
        host.remove(record.name)
    except GuestError as error:
        failure.message += f"; what is left of it goes with the next delete or audit ({error.message})"
    return failure


def start(host: Host, record: Record, image: Image) -> None:
    """Start the domain of a guest whose disk and seed are there."""
    folder = host.folder(record.name)
    disk = seed.to_disk(folder)
    text = domain_config.render(record, image, host.store.disk(record.name), disk, host.config)
    write(folder / CONFIG, text.encode("ascii"))
    host.records.put(record)
    xen.create(record.name, folder / CONFIG)
    record.state = "booting"
    host.records.put(record)


def wait(host: Host, record: Record, timeout: int) -> None:
    """Wait for the guest's SSH server, without its lock: a delete must not have to wait for this.

    A guest that dies or stays silent is removed, with the end of its console log in the error.
    """
    deadline, look = time.monotonic() + timeout, 0.0
    while timeout and not ssh.answers(record.address, host.config.ssh_port):
        late = time.monotonic() > deadline
        if not late and time.monotonic() < look:
            continue
        look = time.monotonic() + LOOK_SECONDS
        failure = trouble(host, record, timeout if late else 0)
        if failure:
            with host.locks.guest(record.name):
                raise undone(host, record, failure) if still(host, record) else failure
    with host.locks.guest(record.name):
        if not still(host, record):
            raise deleted(record)
        record.state = "running"
        host.records.put(record)


def still(host: Host, record: Record) -> bool:
    """Tell whether this life of the guest is the one that the host knows."""
    now = host.records.get(record.name)
    return bool(now and now.host_keys == record.host_keys and now.state in ("booting", "running"))


def trouble(host: Host, record: Record, waited: int) -> GuestError | None:
    """Return what is wrong with a guest that does not answer yet, None while there is hope.

    `waited` is the time (seconds) it was given, 0 while that is not over.
    """
    if not still(host, record):
        return deleted(record)
    if not xen.alive(record.name):
        reason = host.death(record.name)
        console = tail(host, record.name, CONSOLE_BYTES)
        return GuestError("died", f"the guest died while it booted: {reason}", reason=reason, console=console)
    if waited:
        console = tail(host, record.name, CONSOLE_BYTES)
        return GuestError(
            "no_ssh", f"no SSH server answered at {record.address} in {waited} s", console=console
        )
    return None


def deleted(record: Record) -> GuestError:
    """Return the error of a create that a delete overtook."""
    return GuestError("deleted", f"guest {record.name} was deleted while it booted")
