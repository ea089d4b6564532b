"""/etc/xenci-guest.json: what this host has. The role xen_host writes it."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xenci.guest.errors import GuestError

FILE = Path("/etc/xenci-guest.json")
TYPES = ("pv", "pvh", "hvm")
BACKENDS = ("reflink", "lvm_thin")

# What stands in xl's configuration and in arguments: nothing that a quote or a list could end.
PATH = re.compile(r"/(?:[A-Za-z0-9][A-Za-z0-9._+-]*/?)+")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}")
USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}|")
MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")


@dataclass(frozen=True)
class Slot:
    """A place for a guest: MAC and IPv4 address."""

    mac: str
    address: str


@dataclass(frozen=True)
class Storage:
    """Where guests' disks are: a folder on a file system with reflinks, or a thin pool of a volume group."""

    backend: str
    folder: Path
    volume_group: str
    pool: str


@dataclass(frozen=True)
class Config:
    """The whole of it. Sizes are MiB, times seconds."""

    state: Path
    run: Path
    images: Path
    console_logs: Path
    xl_logs: Path
    storage: Storage
    memory_mib: int
    vcpus: int
    storage_mib: int
    slots: tuple[Slot, ...]
    bridge: str
    prefix: int
    gateway: str
    dns: tuple[str, ...]
    types: tuple[str, ...]
    ssh_port: int
    boot_timeout: int
    min_free_percent: int
    # Who logs in to dom0 while the whole host is leased; "": it never is.
    lease_user: str


class _Reader:
    """Takes values out of the file, each checked, and names the key in every message."""

    def __init__(self, file: Path, data: Any, where: str = "") -> None:
        self.file, self.where = file, where
        if not isinstance(data, dict):
            raise self.wrong("", "must be an object")
        self.data: dict[str, Any] = dict(data)

    def wrong(self, key: str, what: str) -> GuestError:
        """Return the error about a key."""
        return GuestError("bad_config", f"{self.file}: {(self.where + key).rstrip('.') or 'it'} {what}")

    def take(self, key: str, kind: type, default: Any = None) -> Any:
        """Take a value of a type; without a default it must be there."""
        value = self.data.pop(key, default)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(key, f"must be {kind.__name__}, not {value!r}")
        return value

    def number(self, key: str, low: int, high: int, default: Any = None) -> int:
        """Take a whole number."""
        value = int(self.take(key, int, default))
        if not low <= value <= high:
            raise self.wrong(key, f"is {value}: it must be from {low} to {high}")
        return value

    def match(self, key: str, pattern: re.Pattern[str], default: Any = None) -> str:
        """Take a string that looks as it should."""
        value = str(self.take(key, str, default))
        if not pattern.fullmatch(value) or "/../" in f"{value}/":
            raise self.wrong(key, f"is {value!r}: it must match {pattern.pattern}")
        return value

    def path(self, key: str, default: Any = None) -> Path:
        """Take an absolute path."""
        return Path(self.match(key, PATH, default))

    def address(self, key: str) -> str:
        """Take an IPv4 address."""
        value = self.take(key, str)
        try:
            return str(ipaddress.IPv4Address(value))
        except ValueError:
            raise self.wrong(key, f"is {value!r}: it must be an IPv4 address") from None

    def inner(self, key: str) -> _Reader:
        """Take an object."""
        return _Reader(self.file, self.take(key, dict), f"{self.where}{key}.")

    def end(self) -> None:
        """Refuse what nobody took: it is misspelt."""
        for key in self.data:
            raise self.wrong(key, "is not known here")


def load(file: Path = FILE) -> Config:
    """Read the file, or raise GuestError `bad_config` naming file and key."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise GuestError("bad_config", f"{file}: {error.strerror}; role xen_host writes it") from error
    except ValueError as error:
        raise GuestError("bad_config", f"{file} is not JSON: {error}") from error
    top = _Reader(file, data)
    storage, capacity, network = top.inner("storage"), top.inner("capacity"), top.inner("network")
    backend = storage.take("backend", str)
    if backend not in BACKENDS:
        raise storage.wrong("backend", f"is {backend!r}: it must be one of {', '.join(BACKENDS)}")
    thin = backend == "lvm_thin"
    config = Config(
        state=top.path("state", "/var/lib/xenci-guest"),
        run=top.path("run", "/run/xenci-guest"),
        images=top.path("images"),
        console_logs=top.path("console_logs", "/var/log/xen/console"),
        xl_logs=top.path("xl_logs", "/var/log/xen"),
        storage=Storage(
            backend=backend,
            folder=Path("/") if thin else storage.path("folder"),
            volume_group=storage.match("volume_group", WORD) if thin else "",
            pool=storage.match("pool", WORD) if thin else "",
        ),
        memory_mib=capacity.number("memory_mib", 0, 2**24),
        vcpus=capacity.number("vcpus", 0, 2**16),
        storage_mib=capacity.number("storage_mib", 0, 2**30),
        slots=_slots(network),
        bridge=network.match("bridge", WORD),
        prefix=network.number("prefix", 1, 32),
        gateway=network.address("gateway"),
        dns=tuple(_address(network, value) for value in network.take("dns", list, [])),
        types=_types(top),
        ssh_port=top.number("ssh_port", 1, 65535, 22),
        boot_timeout=top.number("boot_timeout", 1, 3600, 300),
        min_free_percent=top.number("min_free_percent", 0, 99, 5),
        lease_user=top.match("lease_user", USER, ""),
    )
    for reader in (storage, capacity, network, top):
        reader.end()
    return config


def _address(network: _Reader, value: Any) -> str:
    return _Reader(network.file, {"dns": value}, network.where).address("dns")


def _slots(network: _Reader) -> tuple[Slot, ...]:
    slots = []
    for number, data in enumerate(network.take("slots", list)):
        reader = _Reader(network.file, data, f"{network.where}slots[{number}].")
        slots.append(Slot(reader.match("mac", MAC), reader.address("address")))
        reader.end()
    for what in ("mac", "address"):
        if len({getattr(slot, what) for slot in slots}) != len(slots):
            raise network.wrong("slots", f"has one {what} twice")
    return tuple(slots)


def _types(top: _Reader) -> tuple[str, ...]:
    types = top.take("types", list, list(TYPES))
    if not types or any(kind not in TYPES for kind in types):
        raise top.wrong("types", f"is {types!r}: it must name some of {', '.join(TYPES)}")
    return tuple(types)
