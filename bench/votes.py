"""From event to vote: what each step of a change took, and the figures that follow."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
import statistics
import subprocess
from collections.abc import Sequence

from xenci.apply.screen import Screen
from xenci.demo import propose, watch
from xenci.demo.changes import CHANGES
from xenci.demo.desk import Desk
from xenci.demo.site import Site

STEPS = {
    "event": "",
    "enqueued": "event → enqueued",
    "node": "enqueued → node",
    "start": "node → job start",
    "setup": "  workspace prepared",
    "pre": "  Ansible's setup",
    "run": "  pre-run, job up to its tests",
    "ran": "  the tests",
    "end": "  post-run",
    "vote": "job end → vote",
}
"""Steps of a change in their order, each with the name of what lies between the step before and it."""

MARKS = {
    "setup": r"Running Ansible setup",
    "pre": r"PRE-RUN START",
    "run": r"TASK \[(\w+ : )?Run the tests\]",
    "ran": r"RUN END",
}
"""Which line of a build's log stands for a step; the first one counts."""


class MeasureError(Exception):
    """A change did not go as it must for its times to mean anything."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """One change: when each of STEPS happened, in seconds since the epoch, and the machine's load then."""

    number: int
    times: dict[str, float]
    load: float

    def between(self, first: str, last: str) -> float:
        """Seconds from one step to another."""
        return self.times[last] - self.times[first]

    @property
    def overhead(self) -> float:
        """Vote minus event minus Zuul's build duration."""
        return self.between("event", "vote") - self.between("start", "end")

    @property
    def around(self) -> float:
        """Vote minus event minus the tests themselves: all that the CI adds to them."""
        return self.between("event", "vote") - self.between("run", "ran")

    @property
    def segments(self) -> dict[str, float]:
        """Name of what lies between two steps → its seconds."""
        names = list(STEPS)
        return {STEPS[b]: self.between(a, b) for a, b in itertools.pairwise(names)}


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile, interpolated between the two values next to it."""
    if len(values) == 1:
        return values[0], values[0]
    return statistics.median(values), statistics.quantiles(values, n=20, method="inclusive")[-1]


def marks(log: str) -> dict[str, float]:
    """Steps of a build as its `job-output.txt` tells them; the executor's clock is UTC.

    :raises MeasureError: when the log lacks one.
    """
    found: dict[str, float] = {}
    for line in log.splitlines():
        if match := re.match(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) \| (.*)", line):
            for step, text in MARKS.items():
                if re.match(text, match[2]):
                    found.setdefault(step, watch.moment(match[1]))
    if missing := [MARKS[step] for step in MARKS if step not in found]:
        raise MeasureError(f"job-output.txt has no line {', '.join(missing)}")
    return found


def measure(site: Site, alice: Desk, stream: watch.Stream, project: str, quiet: Screen) -> Measured:
    """Propose the demo's good change to a project, and time its way to the vote.

    :raises MeasureError: when it was not one successful build, or part of its way was not seen.
    """
    proposed = propose.propose(alice, dataclasses.replace(CHANGES[0], project=project))
    (seen,) = watch.wait(stream, site, [proposed], quiet)
    load = os.getloadavg()[0]
    builds = site.tenant(f"builds?change={proposed.number}&complete=true")
    if seen.vote != CHANGES[0].verified or len(builds) != 1:
        raise MeasureError(
            f"{proposed.url}: Verified {seen.vote:+d} after {len(builds)} builds: {seen.message}"
        )
    node, start, end = database_times(site, builds[0]["uuid"])
    log = site.get(f"{builds[0]['log_url']}job-output.txt").text
    times = {"event": seen.event, "enqueued": seen.enqueued, "node": node, "start": start, "end": end}
    times |= {"vote": seen.voted, **marks(log)}
    if unseen := [step for step, when in times.items() if not when]:
        raise MeasureError(f"{proposed.url}: not seen: {', '.join(unseen)}")
    return Measured(proposed.number, times, load)


def database_times(site: Site, build: str) -> tuple[float, float, float]:
    """When a build got its node, started and ended; Zuul's API has whole seconds only, hence the database."""
    columns = ", ".join(f"extract(epoch from {name}_time)" for name in ("execute", "start", "end"))
    psql = "runuser -u postgres -- psql --no-align --tuples-only --field-separator=, zuul"
    answer = subprocess.run(
        ["ssh", "-F", str(site.lab.directory / "ssh_config"), "ci", psql],
        input=f"SELECT {columns} FROM zuul_build WHERE uuid = '{build}';",  # noqa: S608 - Zuul's own uuid
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    node, start, end = (float(value) for value in answer.strip().split(","))
    return node, start, end
