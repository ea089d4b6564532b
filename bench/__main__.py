"""`make bench`: the phases of the last demo, idle memory, votes against plain Zuul, a second site.yml."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import functools
import itertools
import json
import os
import signal
import sys
from typing import Any

from bench import memory, plain_zuul, votes
from xenci.apply import run as applying
from xenci.apply.lock import BusyError
from xenci.apply.screen import Screen, duration
from xenci.demo import commands, watch
from xenci.demo.desk import GitError
from xenci.demo.lab import Lab
from xenci.demo.site import Site, SiteError
from xenci.files import write

EMPTY, CACHED = 15 * 60, 5 * 60
MEMORY_MIB = 2.5 * 1024
OVERHEAD = 10.0, 20.0


def main() -> int:
    """Measure a lab that is up."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--lab", default="demo", metavar="NAME", help="a lab that is up (default: %(default)s)"
    )
    parser.add_argument(
        "--changes", type=int, default=20, metavar="N", help="changes for each side (default: %(default)s)"
    )
    options = parser.parse_args()
    lab, screen = Lab(options.lab), Screen()
    if not lab.applied.exists():
        screen.line(f"lab {lab.name} is not up: run make demo LAB={lab.name} first")
        return 1
    os.environ.update(lab.environment)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was added is taken back then, too
    try:
        with lab.lock():
            run(lab, screen, options.changes)
    except (
        BusyError,
        GitError,
        SiteError,
        commands.StuckError,
        votes.MeasureError,
        watch.NoVoteError,
    ) as error:
        screen.line(f"bench: {error}", style="bold red")
        return 1
    except KeyboardInterrupt:
        screen.line("bench: stopped", style="bold red")
        return 130
    return 0


def run(lab: Lab, screen: Screen, count: int) -> None:
    """Measure everything, and write it to `.lab/<lab>/bench.json` too."""
    site = Site(lab)
    plain_zuul.take_back(lab, screen)
    result: dict[str, Any] = {"lab": lab.name, "machine": machine()}
    result["demo"] = demo(lab, screen)
    screen.line(f"== memory of the idle stack (PSS), {load()}", style="bold cyan")
    result["idle_mib"] = round(memory.measure(lab, screen))
    within(
        screen, "all", f"{result['idle_mib']} MiB", result["idle_mib"] <= MEMORY_MIB, f"{MEMORY_MIB:.0f} MiB"
    )
    screen.line(f"== event to vote, {count} changes each", style="bold cyan")
    with plain_zuul.tenant(site, screen) as plain:
        ours, theirs = race(site, plain, screen, count)
    result["votes"] = compare(screen, ours, theirs)
    screen.line(f"== second site.yml, {load()}", style="bold cyan")
    result["second_site"] = second_site(lab, screen)
    path = lab.directory / "bench.json"
    write(path, json.dumps(result, indent=2) + "\n")
    screen.line(f"bench: done; the same as JSON in {path.relative_to(lab.root)}", style="bold green")


def machine() -> dict[str, Any]:
    """When and where."""
    return {
        "date": datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kvm": os.path.exists("/dev/kvm"),
        "load": os.getloadavg(),
    }


def load() -> str:
    """The machine's load over the last minute, in words."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def within(screen: Screen, what: str, value: str, good: bool, budget: str) -> None:
    """Print a figure beside its budget."""
    verdict = "within" if good else "OVER"
    screen.line(
        f"  {what:<30} {value:>16}   {verdict} the budget of {budget}", style="" if good else "yellow"
    )


def demo(lab: Lab, screen: Screen) -> dict[str, Any]:
    """Print the phases of the last demo against the budgets."""
    last = json.loads(lab.report.read_text(encoding="utf-8"))
    screen.line(f"== phases of the last demo, finished {last['finished']}", style="bold cyan")
    for name, seconds in last["phases"].items():
        screen.line(f"  {name:<30} {duration(seconds):>16}")
    whole = "site.yml" in last["phases"]
    if whole:
        for what, budget in (("all, caches empty before", EMPTY), ("all, caches filled before", CACHED)):
            within(screen, what, duration(last["seconds"]), last["seconds"] <= budget, duration(budget))
    else:
        screen.line("  nothing had to be deployed: the budgets are about a demo on a new lab")
    return {"whole": whole, "seconds": last["seconds"], "phases": last["phases"]}


def race(
    site: Site, plain: Site, screen: Screen, count: int
) -> tuple[list[votes.Measured], list[votes.Measured]]:
    """Measure both sides in turn, so that the machine's noise hits both; the first of each only warms up."""
    alice = commands.desk(site, "alice")
    stream = watch.Stream(commands.desk(site, "admin"))
    sides = {"ours": (site, "hypervisor-tools"), "plain": (plain, plain_zuul.TESTED)}
    found: dict[str, list[votes.Measured]] = {name: [] for name in sides}
    with stream.open(), open(os.devnull, "w", encoding="utf-8") as nowhere:
        quiet = Screen(nowhere)
        for turn, name in itertools.product(range(count + 1), sides):
            where, project = sides[name]
            with screen.now(
                functools.partial(list, [f"{name}, change {turn} of {count}: waiting for its vote"])
            ):
                one = votes.measure(where, alice, stream, project, quiet)
            if turn:
                found[name].append(one)
            screen.line(
                f"  {f'{turn}/{count}' if turn else 'warm-up':<8} {name:<6} change {one.number:<4}"
                f" {one.between('event', 'vote'):6.1f} s, outside the build {one.overhead:5.1f} s,"
                f" outside the tests {one.around:5.1f} s, load {one.load:.1f}"
            )
    return found["ours"], found["plain"]


def compare(screen: Screen, ours: list[votes.Measured], theirs: list[votes.Measured]) -> dict[str, Any]:
    """Print where the time went, then the figures and their ratios."""
    result: dict[str, Any] = {}
    screen.line(f"  {'median seconds':<30} {'ours':>8} {'plain':>8}")
    for name in ours[0].segments:
        both = [votes.percentiles([one.segments[name] for one in side])[0] for side in (ours, theirs)]
        result[name.strip()] = {"ours": round(both[0], 2), "plain": round(both[1], 2)}
        screen.line(f"  {name:<30} {both[0]:>8.2f} {both[1]:>8.2f}")
    screen.line(f"  {'':<30} {'ours':>15}   {'plain':>15}   {'ratio':>11}")
    screen.line(f"  {'':<30} {'p50':>8}{'p95':>7}   {'p50':>8}{'p95':>7}   {'p50':>6}{'p95':>5}")
    for name, title in (("overhead", "vote - event - build"), ("around", "vote - event - tests")):
        mine = votes.percentiles([getattr(one, name) for one in ours])
        plain = votes.percentiles([getattr(one, name) for one in theirs])
        ratio = mine[0] / plain[0], mine[1] / plain[1]
        result[name] = {
            key: {"p50": round(p50, 2), "p95": round(p95, 2)}
            for key, (p50, p95) in (("ours", mine), ("plain", plain), ("ratio", ratio))
        }
        screen.line(
            f"  {title:<30} {mine[0]:>8.2f}{mine[1]:>7.2f}   {plain[0]:>8.2f}{plain[1]:>7.2f}"
            f"   {ratio[0]:>6.2f}{ratio[1]:>5.2f}"
        )
    for (name, value), budget in zip(result["overhead"]["ours"].items(), OVERHEAD, strict=True):
        within(screen, f"vote - event - build, {name}", f"{value:.2f} s", value <= budget, f"{budget:.0f} s")
    loads = [one.load for one in ours + theirs]
    result["load"] = {"median": votes.percentiles(loads)[0], "most": max(loads)}
    screen.line(
        f"  load while this was measured: median {result['load']['median']:.1f}, most {max(loads):.1f}"
    )
    result["changes"] = {
        side: [{"number": one.number, "load": one.load, **one.times} for one in changes]
        for side, changes in (("ours", ours), ("plain", theirs))
    }
    return result


def second_site(lab: Lab, screen: Screen) -> dict[str, Any]:
    """Apply site.yml once more: nothing may change."""
    playbook = applying.Playbook(
        lab.root, lab.runner, "playbooks/site.yml", lab.inventories, environment=lab.environment
    )
    done = applying.run(playbook, screen, "second site.yml")
    if not done.ok:
        raise commands.StuckError("the second site.yml failed")
    changed = done.progress.total("changed")
    within(screen, "second site.yml, changed", str(changed), changed == 0, "0")
    return {"seconds": round(done.seconds, 1), "changed": changed}


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
