"""Memory of the lab's hosts."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from xenci.apply.screen import Screen
from xenci.demo import hosts
from xenci.demo.lab import Lab

MIB = 2**20


def memory(pid: int) -> dict[str, int]:
    """Program → proportional set size in bytes of all processes in the pid namespace of a process."""
    namespace = os.readlink(f"/proc/{pid}/ns/pid")
    found: dict[str, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        # A process may end while it is looked at; one that root may not look at is no lab's.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if os.readlink(entry / "ns" / "pid") != namespace:
                continue
            rollup = (entry / "smaps_rollup").read_text()
            size = next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
            name = (entry / "comm").read_text().strip()
            found[name] = found.get(name, 0) + size * 1024
    return found


def measure(lab: Lab, screen: Screen) -> float:
    """Print the memory of every host and its largest programs; return the sum in MiB."""
    total = 0
    for host, container in sorted(hosts.containers(lab).items()):
        programs = memory(container["Pid"])
        used = sum(programs.values())
        total += used
        largest = sorted(programs.items(), key=lambda entry: -entry[1])[:4]
        names = ", ".join(f"{name} {size // MIB}" for name, size in largest)
        screen.line(f"  {host:<10} {used // MIB:>6} MiB   {names}")
    return total / MIB
