"""A lab with a Xen host: what a guest costs, and a build in a guest against one on a static node.

    .venv/bin/python -m bench.xen --lab demo

Nothing of it stays but the changes that it proposes, and `.lab/<lab>/xen.json`.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xenci.apply import run as applying
from xenci.apply.lock import BusyError
from xenci.apply.screen import Screen
from xenci.demo import changes, commands, propose, watch
from xenci.demo import xen as xen_host
from xenci.demo.desk import GitError
from xenci.demo.lab import Lab
from xenci.demo.site import Site, SiteError
from xenci.files import write

GUEST = "bench"
IMAGE = "debian-12"
STATIC, IN_GUEST = "hypervisor-tools-tests", "xen-guest-tests"
# What a guest of the demo's label is made with.
REQUEST = {"image": IMAGE, "type": "pv", "memory_mib": 512, "vcpus": 1}
COPY = """\
import json, os, subprocess, time
image = os.path.realpath("/srv/xenci/images/{image}/current/root.img")
found = {{}}
for how in ("always", "never"):
    began = time.monotonic()
    subprocess.run(["cp", "--reflink=" + how, image, "/srv/xenci/guests/bench-copy"], check=True)
    subprocess.run(["sync", "-f", "/srv/xenci/guests"], check=True)
    found[how] = time.monotonic() - began
    os.unlink("/srv/xenci/guests/bench-copy")
print(json.dumps(found))
"""


class XenBenchError(Exception):
    """Something did not go as it must for its time to mean anything."""


@dataclasses.dataclass
class Figures:
    """Seconds by what took them, every round; shown as medians."""

    screen: Screen
    seconds: dict[str, list[float]] = dataclasses.field(default_factory=dict)

    @contextlib.contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """Time one step."""
        began = time.monotonic()
        with self.screen.now(lambda: [what]):
            yield
        self.add(what, time.monotonic() - began)

    def add(self, what: str, seconds: float) -> None:
        """Note one time."""
        self.seconds.setdefault(what, []).append(seconds)
        self.screen.line(f"  {what:<58} {seconds:>8.1f} s")

    def median(self, what: str) -> float:
        """Median of a step's times."""
        return statistics.median(self.seconds[what])


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.xen", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--lab", default="demo", metavar="NAME", help="a lab that is up (default: %(default)s)"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, metavar="N", help="guests, and changes (default: %(default)s)"
    )
    options = parser.parse_args()
    lab, screen = Lab(options.lab), Screen()
    if not (lab.applied.exists() and xen_host.joined(lab)):
        screen.line(f"lab {lab.name} is not up with a Xen host: run make demo LAB={lab.name} first")
        return 1
    os.environ.update(lab.environment)
    try:
        with lab.lock():
            measure(lab, screen, options.rounds)
    except (BusyError, GitError, SiteError, XenBenchError, watch.NoVoteError) as error:
        screen.line(f"bench: {error}", style="bold red")
        return 1
    return 0


def measure(lab: Lab, screen: Screen, rounds: int) -> None:
    """Measure everything, show it and write it down."""
    figures = Figures(screen)
    screen.line(f"== guests, load {os.getloadavg()[0]:.1f}", style="bold cyan")
    for _ in range(rounds):
        clones(lab, figures)
        life(lab, figures)
    reinstall(lab, figures)
    screen.line("== no-change run of the role xen_host", style="bold cyan")
    unchanged(lab, screen, figures)
    screen.line("== event to the end of a build, in a guest and on a static node", style="bold cyan")
    builds(Site(lab), screen, figures, rounds)
    tell(screen, figures)
    result = {"load": os.getloadavg(), "seconds": figures.seconds}
    write(lab.directory / "xen.json", json.dumps(result, indent=1) + "\n")


def dom0(lab: Lab, command: str, text: str = "") -> str:
    """Run a command in dom0, and return what it prints.

    :raises XenBenchError: when it fails.
    """
    words = ["ssh", "-F", f"{lab.directory}/ssh_config", "-o", "BatchMode=yes", "xen1", command]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise XenBenchError(f"dom0: {(done.stdout + done.stderr).strip()}")
    return done.stdout


def ask(lab: Lab, operation: str, **fields: Any) -> dict[str, Any]:
    """Ask `xenci-guest` as an operator does."""
    request = json.dumps({"operation": operation, **fields})
    reply: dict[str, Any] = json.loads(dom0(lab, "xenci-guest --operator", request))
    return reply


def clones(lab: Lab, figures: Figures) -> None:
    """A clone of an image, and what a full copy takes."""
    found = json.loads(dom0(lab, "python3 -", COPY.format(image=IMAGE)))
    figures.add("clone (reflink)", found["always"])
    figures.add("full copy", found["never"])


def life(lab: Lab, figures: Figures) -> None:
    """One guest from its creation to the audit after it, and its return to a clean state in between."""
    key = (lab.keys / "zuul_node.pub").read_text(encoding="utf-8").strip()
    with figures("create, until the guest's SSH server answers"):
        ask(lab, "create", name=GUEST, authorized_keys=[key], **REQUEST)
    try:
        with figures("revert to a clean state, until SSH answers"):
            ask(lab, "start", name=GUEST, clean=True)
        pid = dom0(lab, f"pgrep -f {shlex.quote(f'^[^ ]*qemu[^ ]* .*{GUEST}')}").split()[0]
        resident = dom0(lab, f"awk '/^VmRSS/ {{ print $2 }}' /proc/{pid}/status")
        figures.screen.line(f"  dom0's QEMU of the guest: {int(resident) // 1024} MiB resident")
    finally:
        with figures("delete"):
            ask(lab, "delete", name=GUEST)
    with figures("audit"):
        reply = ask(lab, "audit")
    if not reply["clean"]:
        raise XenBenchError(f"the audit found {reply['findings']}")


def reinstall(lab: Lab, figures: Figures) -> None:
    """What a guest takes that is installed anew: its tree from packages, natively, and the same boot."""
    what = "reinstall (image built anew by the controller, and create)"
    with tempfile.TemporaryDirectory() as folder:
        program = str(lab.root / "roles/golden_image/files/make-image")
        command = [program, "--suite", "bookworm", "--size", "768", "--output", str(Path(folder) / "image")]
        with figures("golden image, built natively"):
            subprocess.run(command, check=True, capture_output=True)
    figures.add(
        what,
        figures.median("golden image, built natively")
        + figures.median("create, until the guest's SSH server answers"),
    )


def unchanged(lab: Lab, screen: Screen, figures: Figures) -> None:
    """The role once more: nothing may change."""
    playbook = applying.Playbook(
        lab.root,
        lab.runner,
        "playbooks/configure_xen_host.yml",
        lab.inventories,
        limit="xen1",
        environment=lab.environment,
    )
    done = applying.run(playbook, screen, "configure_xen_host.yml")
    changed = done.progress.total("changed")
    if not done.ok or changed:
        raise XenBenchError(f"the role ended with {done.status}, {changed} changed")
    figures.add("role xen_host, no change", done.seconds)


def builds(site: Site, screen: Screen, figures: Figures, rounds: int) -> None:
    """Changes whose tests run both in a guest and on a static node: from the event to the build's end."""
    alice = commands.desk(site, "alice")
    stream = watch.Stream(commands.desk(site, "admin"))
    with stream.open():
        for _ in range(rounds):
            proposed = propose.propose(alice, dataclasses.replace(changes.XEN[0]))
            (seen,) = watch.wait(stream, site, [proposed], screen)
            found = {
                one["job_name"]: one for one in site.tenant(f"builds?change={proposed.number}&complete=true")
            }
            if set(found) != {STATIC, IN_GUEST} or seen.vote != changes.XEN[0].verified:
                raise XenBenchError(f"{proposed.url}: Verified {seen.vote:+d} after {sorted(found)}")
            for name, where in ((STATIC, "on a static node"), (IN_GUEST, "in a guest")):
                end, start = (watch.moment(found[name][f"{key}_time"]) for key in ("end", "start"))
                figures.add(f"event to the end of the build {where}", end - seen.event)
                figures.add(f"the build {where}", end - start)
            figures.add("event to vote", seen.voted - seen.event)


def tell(screen: Screen, figures: Figures) -> None:
    """Show medians and ratios."""
    screen.line("== medians", style="bold cyan")
    for what in figures.seconds:
        screen.line(f"  {what:<58} {figures.median(what):>8.1f} s")
    for mine, other in (
        ("clone (reflink)", "full copy"),
        (
            "revert to a clean state, until SSH answers",
            "reinstall (image built anew by the controller, and create)",
        ),
        ("event to the end of the build in a guest", "event to the end of the build on a static node"),
    ):
        screen.line(f"  {mine} / {other}: {figures.median(mine) / figures.median(other):.2f}")


if __name__ == "__main__":
    sys.exit(main())
