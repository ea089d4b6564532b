"""Own Zuul drivers. Add one as ("module", "Class"); every service that `xenci-zuul` starts knows it."""

from __future__ import annotations

# Named, not imported: Zuul is in the venv of the Zuul hosts only, and a driver module imports Zuul.
DRIVERS: list[tuple[str, str]] = [
    ("xenci.zuul.gerrit", "GerritDriver"),
    ("xenci.zuul.xen.driver", "XenDriver"),
]
