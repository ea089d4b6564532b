"""The example inventory, as an operator copies it and fills it in."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from xenci import secrets
from xenci.paths import checkout

EXAMPLE = checkout() / "inventories/example"
PLACEHOLDER = re.compile(r"<[^<>]+>")


def key() -> str:
    """A public key that nobody else has."""
    return secrets.public_key(secrets.private_key())


DECIDED = {
    "hosts.yml": ["192.0.2.10", key(), "192.0.2.20", "192.0.2.30", key()],
    "group_vars/all/site.yml": [
        "Example Corp Xen CI",
        "https://ci.example.org/about",
        "ci.example.org",
        "xen",
        "https://zuul.ci.example.org/",
        "https://logs.ci.example.org/",
    ],
    "group_vars/all/review.yml": [
        "review.example.net",
        "https://review.example.net/",
        "198.51.100.7",
        key(),
        "example-xen-ci",
    ],
    "group_vars/all/projects.yml": ["xen/tools", "xen/tools", "https://git.example.org/ci", "203.0.113.9"],
    "group_vars/all/pki.yml": ["/root/xenci/pki"],
}
"""What an operator decides, in the order of the file."""


def copy(directory: Path) -> Path:
    """The example as it is."""
    shutil.copytree(EXAMPLE, directory / "mine")
    return directory / "mine"


def fill(inventory: Path, password: Path) -> None:
    """Decide everything, and make the secrets."""
    for name, values in DECIDED.items():
        text = (inventory / name).read_text(encoding="utf-8")
        for value in values:
            text = PLACEHOLDER.sub(value, text, count=1)
        (inventory / name).write_text(text, encoding="utf-8")
    secrets.init(inventory, password)
    # As `ansible-vault edit` would.
    vault, path = secrets.opened(password), inventory / "group_vars/all/vault.yml"
    plain = PLACEHOLDER.sub("4xN2pQ7vT9sLk3", secrets.text(vault, path))
    path.write_bytes(vault.encrypt(plain.encode()))
