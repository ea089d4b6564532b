"""Where things lie on the machine that xenci is run from."""

from __future__ import annotations

import os
from pathlib import Path


def checkout() -> Path:
    """Root of the checkout whose playbooks are used.

    The one that this package runs from, where it is installed in editable mode; elsewhere what
    `XENCI_CHECKOUT` names.
    """
    if given := os.environ.get("XENCI_CHECKOUT"):
        return Path(given)
    return Path(__file__).resolve().parents[2]


def caches() -> Path:
    """Wheels, packages and file system trees; never an installed state."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xenci"
