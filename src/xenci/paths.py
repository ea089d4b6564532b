"""Where things lie on the machine that xenci is run from."""

from __future__ import annotations

import os
from pathlib import Path


def checkout() -> Path:
    """Root of the checkout that this package runs from (it is installed in editable mode)."""
    return Path(__file__).resolve().parents[2]


def caches() -> Path:
    """Wheels, packages and file system trees; never an installed state."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xenci"
