"""The operations: what each one is called, takes and does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable

from xenci.guest import (
    audit,
    capacity,
    console,
    create,
    delete,
    image_store,
    lease,
    lease_boot,
    listing,
    start,
    xen,
)
from xenci.guest.host import Host
from xenci.guest.records import write
from xenci.guest.request import Request, Shape


@dataclass(frozen=True)
class Operation:
    """One operation: its shape, and what does it."""

    shape: Shape
    call: Callable[[Host, Request], dict[str, Any]]


def report_capacity(host: Host, request: Request) -> dict[str, Any]:
    """Return what the host can carry, carries, and what it is."""
    del request
    return {
        **capacity.report(host),
        **lease.report(host),
        "types": list(host.config.types),
        "drained": host.drained(),
        "storage_free_percent": round(host.store.free_percent(), 1),
        "xen": xen.info(),
    }


def drain(host: Host, request: Request) -> dict[str, Any]:
    """Take no more guests; those that are there stay."""
    changed = host.drained() != request["reason"]
    if changed:
        write(host.drained_file, request["reason"].encode("ascii"))
    return {"changed": changed}


def resume(host: Host, request: Request) -> dict[str, Any]:
    """Take guests again."""
    del request
    changed = bool(host.drained())
    host.drained_file.unlink(missing_ok=True)
    return {"changed": changed}


CREATE = Shape(
    ("name", "image", "type", "memory_mib", "vcpus", "authorized_keys"),
    ("version", "disk_mib", "labels", "ssh_timeout"),
)
OPERATIONS: Mapping[str, Operation] = {
    "capacity": Operation(Shape(), report_capacity),
    "list": Operation(Shape(), listing.listing),
    "create": Operation(CREATE, create.create),
    "delete": Operation(Shape(("name",)), delete.delete),
    "lease": Operation(Shape(("name", "authorized_keys"), ("labels",)), lease.lease),
    "release": Operation(Shape(("name",)), lease.release),
    "images": Operation(Shape(), image_store.listing),
    "audit": Operation(Shape((), ("clean",)), audit.audit),
    "console": Operation(Shape(("name",), ("bytes",), reader=True), console.console),
    "start": Operation(Shape(("name",), ("clean", "ssh_timeout"), operator=True), start.start),
    "import": Operation(
        Shape(("image", "version"), ("source", "current"), operator=True), image_store.take_in
    ),
    "remove": Operation(Shape(("image",), ("version",), operator=True), image_store.remove),
    "prune": Operation(Shape(("image",), ("keep",), operator=True), image_store.prune),
    "boot": Operation(
        Shape((), ("xen", "kernel", "initrd", "xen_options", "kernel_options"), operator=True),
        lease_boot.boot,
    ),
    "settle": Operation(Shape(operator=True), lease.settle),
    "drain": Operation(Shape(("reason",), operator=True), drain),
    "resume": Operation(Shape(operator=True), resume),
}
SHAPES: Mapping[str, Shape] = {name: operation.shape for name, operation in OPERATIONS.items()}
