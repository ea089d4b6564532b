"""What happened to the proposed changes, for people and as JSON."""

from __future__ import annotations

import datetime
import json
import re
from typing import Any

from xenci.apply.screen import Screen, duration
from xenci.demo.lab import Lab
from xenci.demo.phases import Phases
from xenci.demo.site import Site
from xenci.demo.watch import Watched, moment
from xenci.files import write


def gather(site: Site, watched: list[Watched], phases: Phases) -> dict[str, Any]:
    """Everything as plain data: times are ISO, UTC; durations seconds."""
    return {
        "lab": site.lab.name,
        "finished": iso(datetime.datetime.now(tz=datetime.UTC).timestamp()),
        "urls": {
            "review": site.review,
            "zuul": f"{site.zuul}t/{site.tenant_name}/status",
            "logs": site.logs,
            "authority": site.authority,
        },
        "phases": dict(phases.seconds),
        "seconds": phases.total,
        "changes": [describe(site, entry) for entry in watched],
    }


def describe(site: Site, entry: Watched) -> dict[str, Any]:
    """One change: who voted what, when each step happened, and where to read on."""
    proposed = entry.proposed
    builds = site.tenant(f"builds?change={proposed.number}&patchset={proposed.patchset}&complete=true")
    steps = [
        ("pushed", proposed.pushed, "git-review"),
        ("event", entry.event, "patchset-created"),
        ("enqueued", entry.enqueued or _event_time(builds), "pipeline check"),
    ]
    for build in builds:
        job = build["job_name"]
        steps.append(("node", entry.node or moment(build["start_time"]), node(site, build)))
        steps.append(("job start", moment(build["start_time"]), job))
        steps.append(("job end", moment(build["end_time"]), f"{job} {build['result']}"))
    steps.append(("vote", entry.voted, f"Verified {entry.vote:+d}"))
    return {
        "name": proposed.change.name,
        "project": proposed.change.project,
        "number": proposed.number,
        "patchset": proposed.patchset,
        "commit": proposed.commit,
        "url": proposed.url,
        "expected": proposed.change.verified,
        "vote": entry.vote,
        "author": (entry.message.get("author") or {}).get("username"),
        "tag": entry.message.get("tag"),
        "comment": entry.message.get("message", ""),
        "builds": [
            {
                key: build.get(key)
                for key in ("uuid", "job_name", "result", "log_url", "start_time", "end_time")
            }
            for build in builds
        ],
        "timeline": [{"step": name, "time": iso(when), "what": what} for name, when, what in steps if when],
    }


def node(site: Site, build: dict[str, Any]) -> str:
    """Name of the node that a build ran on, from its log; the label where the log doesn't say."""
    label = str(build.get("nodeset") or "no node")
    found = re.search(r"^\S+ node: (\S+)$", log(site, build, "tests.txt"), re.MULTILINE)
    return f"{found[1]} ({label})" if found else label


def log(site: Site, build: dict[str, Any], name: str) -> str:
    """Text of the log file of this name, wherever it lies in the build's logs; empty where there is none."""
    if not build.get("log_url"):
        return ""
    manifest = site.get(f"{build['log_url']}zuul-manifest.json").json()
    path = next((path for path in paths(manifest["tree"]) if path.rsplit("/", 1)[-1] == name), "")
    return site.get(build["log_url"] + path).text if path else ""


def paths(entries: list[dict[str, Any]], above: str = "") -> list[str]:
    """Every file that Zuul's manifest names."""
    found = []
    for entry in entries:
        name = f"{above}{entry['name']}"
        found += paths(entry["children"], f"{name}/") if "children" in entry else [name]
    return found


def _event_time(builds: list[dict[str, Any]]) -> float:
    stamps = [build.get("event_timestamp") for build in builds]
    return next((moment(stamp) for stamp in stamps if stamp), 0.0)


def iso(when: float) -> str:
    """Seconds since the epoch as ISO time with milliseconds, UTC."""
    moment_ = datetime.datetime.fromtimestamp(when, tz=datetime.UTC)
    return moment_.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def save(lab: Lab, report: dict[str, Any]) -> None:
    """Write the report where `.lab/<lab>/demo.json` says the last run's story."""
    write(lab.report, json.dumps(report, indent=2) + "\n")


def show(report: dict[str, Any], phases: Phases, screen: Screen) -> None:
    """Print the report."""
    for change in report["changes"]:
        screen.line()
        where = f"{change['name']} change {change['number']} in {change['project']}"
        title = f"{where}: Verified {change['vote']:+d}"
        screen.line(title, style="bold green" if change["vote"] == change["expected"] else "bold red")
        began = moment(change["timeline"][0]["time"])
        for step in change["timeline"]:
            after = duration(max(0.0, moment(step["time"]) - began))
            screen.line(f"  {step['time'][11:23]}  +{after:<8} {step['step']:<10} {step['what']}")
        screen.line("  what carol reads:")
        for line in change["comment"].splitlines():
            screen.line(f"  | {line}")
        for build in change["builds"]:
            screen.line(f"  logs  {build['log_url']}")
    screen.line()
    urls = report["urls"]
    for name, text in (("review", "review server"), ("zuul", "Zuul's status"), ("logs", "logs")):
        screen.line(f"{text:<14} {urls[name]}")
    screen.line(f"{'authority':<14} {urls['authority']} (import it, or accept the browser's warning)")
    phases.show()


def voted(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Every change of a report, that on a Xen host which joined later among them."""
    return [*report["changes"], *(voted(report["xen"]) if "xen" in report else [])]


def wrong(report: dict[str, Any]) -> list[str]:
    """Changes whose vote is not the one that they must get."""
    return [
        f"{change['name']} {change['url']} got Verified {change['vote']:+d}, not {change['expected']:+d}"
        for change in voted(report)
        if change["vote"] != change["expected"]
    ]
