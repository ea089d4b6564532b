"""The demo's Xen host. It joins once the first votes are in: two cores are too few for both at once."""

from __future__ import annotations

import shutil
from pathlib import Path

from xenci.demo.lab import Lab

SOURCE = "inventories/xen/hosts.yml"
"""Host, its capacity and the guests' network, as an inventory beside the demo's; relative to the checkout."""

MEMORY_MIB = 1000
"""What its machine of 3 GiB needs beyond what a lab has spare for jobs and caches."""


def inventory(lab: Lab) -> Path:
    """Where the lab's inventory has its Xen host."""
    return lab.inventory / "xen.yml"


def joined(lab: Lab) -> bool:
    """Whether the lab's inventory has a Xen host."""
    return inventory(lab).exists()


def join(lab: Lab) -> None:
    """Give the lab's inventory a Xen host, as the checkout has it now; the next deploy makes it."""
    shutil.copy(lab.root / SOURCE, inventory(lab))
