"""Requests: every field is checked before anything happens, and refused with its name and the rule."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from xenci.guest import names
from xenci.guest.config import PATH, TYPES
from xenci.guest.errors import GuestError

SIZE_LIMIT = 64 * 1024
# Who asks: Zuul's launchers, a person or role on the host itself, executors.
LAUNCHER, OPERATOR, READER = "launcher", "operator", "reader"
KEY = re.compile(
    r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\.com) "
    r"[A-Za-z0-9+/]{32,4096}={0,3}(?: [\x21-\x7e][\x20-\x7e]{0,127})?"
)
LABEL = re.compile(r"[a-z][a-z0-9_]{0,62}")
LABEL_VALUE = re.compile(r"[\x20-\x7e]{0,255}")
OPTIONS = re.compile(r"[A-Za-z0-9_.,:=/+ -]{0,1000}")
REASON = re.compile(r"[\x20-\x7e]{1,255}")


def wrong(name: str, value: object, rule: str) -> GuestError:
    """Return the refusal of a field."""
    shown = json.dumps(value)
    return GuestError("bad_request", f"{name} is {shown[:80]}{'...' if len(shown) > 80 else ''}: {rule}")


def text(pattern: re.Pattern[str], rule: str) -> Callable[[str, Any], str]:
    """Return the check of a string."""

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise wrong(name, value, rule)
        return value

    return check


def number(low: int, high: int) -> Callable[[str, Any], int]:
    """Return the check of a whole number."""

    def check(name: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise wrong(name, value, f"must be a whole number from {low} to {high}")
        return value

    return check


def flag(name: str, value: Any) -> bool:
    """Check a truth value."""
    if not isinstance(value, bool):
        raise wrong(name, value, "must be true or false")
    return value


def keys(name: str, value: Any) -> list[str]:
    """Check public keys: no options before them, one line each."""
    if not isinstance(value, list) or not 1 <= len(value) <= 16:
        raise wrong(name, value, "must be a list of 1 to 16 public SSH keys")
    check = text(KEY, "must be one public SSH key, as in `ssh-ed25519 AAAA... comment`")
    return [check(f"{name}[{place}]", key) for place, key in enumerate(value)]


def labels(name: str, value: Any) -> dict[str, str]:
    """Check labels, which the host keeps and returns, and never looks at."""
    if not isinstance(value, dict) or len(value) > 32:
        raise wrong(name, value, "must be an object of at most 32 labels")
    check_key = text(LABEL, "must match [a-z][a-z0-9_]{0,62}")
    check_value = text(LABEL_VALUE, "must be at most 255 printable ASCII characters")
    return {check_key(f"{name}: key", key): check_value(f"{name}.{key}", word) for key, word in value.items()}


def path(name: str, value: Any) -> str:
    """Check an absolute path; only an operator may send one."""
    check = text(PATH, "must be an absolute path of letters, digits, `.`, `_`, `+` and `-`")
    if "/../" in f"{check(name, value)}/":
        raise wrong(name, value, "must not lead upwards")
    return str(value)


def version(name: str, value: Any) -> str:
    """Check an image's version."""
    check = text(names.VERSION, f"must match {names.VERSION.pattern}")
    if value == names.CURRENT:
        raise wrong(name, value, "is the name of a link; leave version out for the current one")
    return check(name, value)


CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "name": text(names.GUEST, "must be a host name: lower case letters, digits and `-`, at most 63"),
    "image": text(names.IMAGE, "must be lower case letters, digits, `.` and `-`, at most 48"),
    "version": version,
    "type": text(re.compile("|".join(TYPES)), f"must be one of {', '.join(TYPES)}"),
    "memory_mib": number(32, 2**20),
    "vcpus": number(1, 128),
    "disk_mib": number(1, 2**26),
    "authorized_keys": keys,
    "labels": labels,
    "ssh_timeout": number(0, 3600),
    "bytes": number(1, 1024 * 1024),
    "clean": flag,
    "current": flag,
    "source": path,
    "reason": text(REASON, "must be 1 to 255 printable ASCII characters"),
    "keep": number(0, 1000),
    "xen": path,
    "kernel": path,
    "initrd": path,
    "xen_options": text(OPTIONS, "must be letters, digits, blanks and any of _.,:=/+-"),
    "kernel_options": text(OPTIONS, "must be letters, digits, blanks and any of _.,:=/+-"),
}


@dataclass(frozen=True)
class Shape:
    """Fields of one operation; whether it is kept from callers over SSH; whether readers may ask for it."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    operator: bool = False
    reader: bool = False


@dataclass(frozen=True)
class Request:
    """A checked request: the operation, and its fields as far as they were given."""

    operation: str
    fields: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return an optional field."""
        return self.fields.get(name, default)


def parse(raw: bytes, shapes: Mapping[str, Shape], caller: str) -> Request:
    """Return the request, or raise GuestError `bad_request` or `not_allowed`."""
    if len(raw) > SIZE_LIMIT:
        raise GuestError("bad_request", f"a request has at most {SIZE_LIMIT} bytes")
    try:
        data = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise GuestError("bad_request", f"not JSON: {error}") from None
    if not isinstance(data, dict):
        raise GuestError("bad_request", 'a request is an object, as in {"operation": "list"}')
    operation = data.pop("operation", None)
    shape: Shape | None = shapes.get(operation) if isinstance(operation, str) else None
    if shape is None:
        raise wrong("operation", operation, f"must be one of {', '.join(shapes)}")
    if caller == READER and not shape.reader:
        raise GuestError("not_allowed", f"{operation} is not for readers of consoles")
    if shape.operator and caller != OPERATOR:
        raise GuestError("not_allowed", f"{operation} is for `xenci-guest --operator` on the host itself")
    for name in shape.required:
        if name not in data:
            raise GuestError(
                "bad_request", f"{name} is missing: {operation} needs {', '.join(shape.required)}"
            )
    for name in data:
        if name not in shape.required + shape.optional:
            known = ", ".join(shape.required + shape.optional) or "no fields"
            raise GuestError("bad_request", f"{json.dumps(name)[:80]} is not known: {operation} has {known}")
    return Request(operation, {name: CHECKS[name](name, value) for name, value in data.items()})
