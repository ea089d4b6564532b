"""Names: what they may look like, and what Xen's and LVM's names are made of them.

Paths and arguments are made of names that match here, of numbers, and of the host's configuration.
"""

from __future__ import annotations

import hashlib
import re

# A guest's name is its host name, its domain's name and part of its files' names.
GUEST = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
# No underscore: LVM keeps suffixes such as _tmeta for itself. No leading dot: those are unfinished imports.
IMAGE = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,46}[a-z0-9])?")
VERSION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,46}[A-Za-z0-9])?")
CURRENT = "current"

# "xenci" in ASCII: a domain whose uuid begins so is ours, even if it died before it got a name.
UUID_PREFIX = "78656e63-69"


def domain_uuid(guest: str) -> str:
    """Return the uuid of a guest's domain: always the same for one name, and recognisable as ours."""
    digest = hashlib.sha256(b"xenci-guest\0" + guest.encode("ascii")).hexdigest()
    return f"{UUID_PREFIX}{digest[:2]}-4{digest[2:5]}-8{digest[5:8]}-{digest[8:20]}"


def guest_volume(guest: str) -> str:
    """Return the logical volume of a guest."""
    return f"guest-{guest}"


def image_volume(image: str, version: str) -> str:
    """Return the logical volume of an image; `+` stands in neither name nor version."""
    return f"image-{image}+{version}"
