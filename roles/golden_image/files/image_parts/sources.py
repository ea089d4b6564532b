"""The machine's own package sources."""

from __future__ import annotations

import re
from pathlib import Path

APT = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")


def sources(suite: str) -> dict[str, str]:
    """Return the machine's Debian package sources for a suite, text by file name.

    Where none offers it, those for the machine's own release stand in: Debian's mirrors have all releases.
    """
    paths = [APT / "sources.list", *sorted(APT.glob("sources.list.d/*"))]
    texts = {
        path.name: path.read_text("utf-8")
        for path in paths
        if path.suffix in (".list", ".sources") and path.is_file()
    }
    debian = {name: text for name, text in texts.items() if "debian" in text.lower()}
    if found := offering(debian, suite):
        return found
    own = re.search(r"^VERSION_CODENAME=(\w+)$", OS_RELEASE.read_text("utf-8"), re.MULTILINE)
    if not own:
        return {}
    return {name: re.sub(rf"\b{own[1]}\b", suite, text) for name, text in offering(debian, own[1]).items()}


def offering(texts: dict[str, str], suite: str) -> dict[str, str]:
    """Return the sources that name a suite."""
    return {name: text for name, text in texts.items() if re.search(rf"\b{suite}\b", text)}
