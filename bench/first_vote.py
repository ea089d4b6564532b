"""`make bench`: idle memory of the stack, latency of votes, time of a second apply."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from xenci.apply import run as applying
from xenci.apply.screen import Screen
from xenci.demo import changes, commands, propose, watch
from xenci.demo.lab import Lab
from xenci.demo.site import Site

MIB = 2**20


@dataclasses.dataclass(frozen=True)
class Latency:
    """One change: seconds from event to vote, and how many of them were Zuul's build."""

    event_to_vote: float
    build: float

    @property
    def overhead(self) -> float:
        """Vote minus event minus build."""
        return self.event_to_vote - self.build


def containers(lab: Lab) -> dict[str, int]:
    """Host → pid of its systemd."""
    listed = subprocess.run(
        ["podman", "ps", "--filter", f"label=xenci/lab={lab.name}", "--format", "{{.Names}} {{.Pid}}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    pairs = (line.split() for line in listed.splitlines())
    return {name.removeprefix(f"{lab.container_prefix}-"): int(pid) for name, pid in pairs}


def memory(pid: int) -> dict[str, int]:
    """Program → proportional set size in bytes of all processes in the pid namespace of a process."""
    namespace = os.readlink(f"/proc/{pid}/ns/pid")
    found: dict[str, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if os.readlink(entry / "ns" / "pid") != namespace:
                continue
            rollup = (entry / "smaps_rollup").read_text()
            size = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
            name = (entry / "comm").read_text().strip()
            found[name] = found.get(name, 0) + size * 1024
    return found


def show_memory(lab: Lab, screen: Screen) -> int:
    """Print the memory of every host and its largest programs; return the sum in bytes."""
    total = 0
    for host, pid in sorted(containers(lab).items()):
        programs = memory(pid)
        total += sum(programs.values())
        largest = sorted(programs.items(), key=lambda entry: -entry[1])[:4]
        names = ", ".join(f"{name} {size // MIB}" for name, size in largest)
        screen.line(f"  {host:<10} {sum(programs.values()) // MIB:>6} MiB   {names}")
    screen.line(f"  {'all':<10} {total // MIB:>6} MiB")
    return total


def latencies(site: Site, screen: Screen, count: int) -> list[Latency]:
    """Propose the good change `count` times, one after another, and time each vote."""
    alice, reader = commands.desk(site, "alice"), commands.desk(site, "admin")
    stream = watch.Stream(reader)
    found = []
    with stream.open(), open(os.devnull, "w", encoding="utf-8") as nowhere:
        for _ in range(count):
            proposed = propose.propose(alice, changes.CHANGES[0])
            (seen,) = watch.wait(stream, site, [proposed], Screen(nowhere))
            (build,) = site.tenant(f"builds?change={proposed.number}&complete=true")
            spent = watch.moment(build["end_time"]) - watch.moment(build["start_time"])
            found.append(Latency(seen.voted - seen.event, spent))
            screen.line(
                f"  {proposed.number}: {found[-1].event_to_vote:.1f} s, of them {spent:.0f} s the build"
            )
    return found


def main() -> int:
    """Measure a lab that is up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lab", default="demo")
    parser.add_argument("--changes", type=int, default=20, help="default: %(default)s")
    options = parser.parse_args()
    lab, screen = Lab(options.lab), Screen()
    os.environ.update(lab.environment)
    if not lab.applied.exists():
        screen.line(f"lab {lab.name} is not up: run make demo LAB={lab.name} first")
        return 1
    site = Site(lab)
    with lab.lock():
        screen.line("memory of the idle stack (PSS)")
        idle = show_memory(lab, screen)
        screen.line("event to vote")
        measured = latencies(site, screen, options.changes)
        overhead = [entry.overhead for entry in measured]
        p50 = statistics.median(overhead)
        p95 = statistics.quantiles(overhead, n=20)[-1] if len(overhead) > 1 else p50
        screen.line(f"  vote - event - build: p50 {p50:.1f} s, p95 {p95:.1f} s over {len(overhead)} changes")
        began = time.monotonic()
        playbook = applying.Playbook(
            lab.root, lab.runner, "playbooks/site.yml", lab.inventories, environment=lab.environment
        )
        second = applying.run(playbook, screen, "second site.yml")
        took = time.monotonic() - began
    phases = json.loads(lab.report.read_text())["phases"] if lab.report.exists() else {}
    screen.line(
        json.dumps(
            {
                "idle_mib": idle // MIB,
                "overhead_p50": round(p50, 2),
                "overhead_p95": round(p95, 2),
                "second_apply_seconds": round(took, 1),
                "second_apply_changed": second.progress.total("changed"),
                "phases_of_the_last_demo": phases,
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
