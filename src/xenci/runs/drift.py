"""Drift, what differs between live hosts and what was merged, as a page and as Prometheus metrics."""

from __future__ import annotations

import datetime
import html
from collections import Counter

from xenci.plan import text
from xenci.runs.plan import Outcome, heading

PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Drift: {title}</title>
<style>body {{ font: 16px sans-serif; margin: 2em }} pre {{ font-size: 14px }}</style>
<h1>{title}</h1>
<p>Compared at {ended} with commit {commit}.</p>
<pre>{body}</pre>
</html>
"""


def page(outcome: Outcome) -> str:
    """A page that needs nothing else."""
    run = outcome.run
    body = text.whole(outcome.plan, heading(run), text.Limits(), f"xenci log {run.id}")
    return PAGE.format(
        title=html.escape(run.message),
        ended=html.escape(run.ended),
        commit=html.escape(run.commit[:12] or "none"),
        body=html.escape(body),
    )


METRICS = (
    ("xenci_drift_differences", "Things on a host that differ from what was merged."),
    ("xenci_drift_unknown", "Things that a comparison can't tell on a host."),
    ("xenci_drift_compared", "Whether a host was compared to the end."),
)


def metrics(outcome: Outcome) -> str:
    """For the textfile collector of node_exporter."""
    plan, run = outcome.plan, outcome.run
    differences = Counter(one.host for one in plan.changes)
    unknown = Counter(one.host for one in plan.unknowns)
    missed = {*plan.unreachable, *plan.failed}
    hosts = sorted({*plan.hosts, *missed})
    values = (differences, unknown, {host: int(host not in missed) for host in hosts})
    lines = []
    for (name, help_), of in zip(METRICS, values, strict=True):
        lines += [f"# HELP {name} {help_}", f"# TYPE {name} gauge"]
        lines += [f'{name}{{host="{label(host)}"}} {of.get(host, 0)}' for host in hosts]
    ended = datetime.datetime.fromisoformat(run.ended).timestamp()
    lines += [
        "# HELP xenci_drift_timestamp_seconds When the last comparison ended.",
        "# TYPE xenci_drift_timestamp_seconds gauge",
        f"xenci_drift_timestamp_seconds {ended:.0f}",
    ]
    return "\n".join(lines) + "\n"


def label(value: str) -> str:
    """A label's value, escaped as the format wants."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
