"""Thirty changes to a lab's inventory: does an apply do what the plan of the change had shown?

    .venv/bin/python -m bench.plans --lab demo

Each is planned as the bastion does it, as far as it reaches; merged; and applied in agreement with the plan.
The lab ends as it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from xenci.apply.lock import BusyError
from xenci.apply.screen import Screen, duration
from xenci.demo.lab import Lab
from xenci.files import write
from xenci.plan.compare import about
from xenci.plan.model import Plan, loads
from xenci.runs import apply, plan, store
from xenci.runs.repository import Repository
from xenci.runs.site import Site

CHANGES: tuple[tuple[str, str, Any], ...] = (
    ("log_server", "log_server_days", 33),
    ("log_server", "log_server_max_mib", 900),
    ("log_server", "log_server_max_files", 9000),
    ("log_server", "log_server_reserve_mib", 80),
    ("log_server", "log_server_timeout", 280),
    ("log_server", "base_packages", ["jq"]),
    ("log_server", "base_packages", ["jq", "tree"]),
    ("log_server", "log_server_days", None),
    ("zookeeper", "zookeeper_tick_time", 2500),
    ("zookeeper", "zookeeper_max_client_connections", 130),
    ("zookeeper", "zookeeper_snapshots", 4),
    ("zookeeper", "zookeeper_purge_hours", 8),
    ("zookeeper", "zookeeper_heap", "144m"),
    ("postgresql", "postgresql_max_connections", 70),
    ("postgresql", "postgresql_shared_buffers", "48MB"),
    ("zuul_executor", "zuul_executor_load_multiplier", 90),
    ("zuul_executor", "zuul_executor_disk_limit_per_job", 2100),
    ("zuul_executor", "zuul_executor_git_name", "Zuul CI"),
    ("zuul_executor", "zuul_executor_sigterm_method", "graceful"),
    ("zuul_executor", "zuul_executor_load_multiplier", None),
    ("zuul_scheduler", "zuul_scheduler_sections", {"scheduler": {"relative_priority": "true"}}),
    ("zuul_launcher", "zuul_launcher_sections", {"statsd": {"prefix": "xenci"}}),
    ("zuul_web", "zuul_web_hold_hours", 5),
    ("zuul_web", "zuul_web_token_seconds", 14400),
    ("zuul_web", "zuul_web_token_user", "ops"),
    ("job_nodes", "job_node_packages", ["build-essential", "jq"]),
    ("job_nodes", "job_node_console_port", 19886),
    ("bastion", "bastion_days", 60),
    ("bastion", "bastion_public_directory", "/var/lib/xenci-shown"),
    ("all", "base_firewall_ssh_sources", ["10.0.0.0/8"]),
)
"""Group, variable, and its value; none takes it out again."""


@dataclasses.dataclass
class Compared:
    """What one change was to do, and did: tasks on hosts, by their keys."""

    name: str
    planned: int = 0
    same: int = 0
    unknown: int = 0
    not_done: list[str] = dataclasses.field(default_factory=list)
    not_planned: list[str] = dataclasses.field(default_factory=list)
    seconds: list[float] = dataclasses.field(default_factory=list)
    message: str = ""


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.plans", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--lab", default="demo", metavar="NAME", help="a lab that is up (default: %(default)s)"
    )
    lab, screen = Lab(parser.parse_args().lab), Screen()
    if not lab.applied.exists():
        screen.line(f"lab {lab.name} is not up: run make demo LAB={lab.name} first")
        return 1
    try:
        with lab.lock(), tempfile.TemporaryDirectory() as folder:
            every = measure(lab, screen, Path(folder))
    except BusyError as error:
        screen.line(f"bench: {error}", style="bold red")
        return 1
    write(
        lab.directory / "plans.json", json.dumps([dataclasses.asdict(one) for one in every], indent=1) + "\n"
    )
    return tell(every, screen)


def measure(lab: Lab, screen: Screen, folder: Path) -> list[Compared]:
    """Plan, merge and apply each change; then all of it back."""
    infra = Repository(folder / "infra")
    sources = [infra.folder / "demo", infra.folder / "lab"]
    for source, target in zip(lab.inventories, sources, strict=True):
        shutil.copytree(source, target)
    infra.git("init", "--quiet", "--initial-branch", "master")
    commit(infra, "as it is")
    site = Site(lab.root, sources, store.Store(folder / "runs"), folder / "state", lab.vault_password)
    site.state.mkdir(mode=0o700)
    every = []
    try:
        for number, (group, variable, value) in enumerate(CHANGES, start=1):
            name = f"{group}: {variable}: {'taken out' if value is None else json.dumps(value)}"
            screen.line(f"{number}/{len(CHANGES)} {name}")
            every.append(one(site, infra, screen, name, (group, variable, value)))
    finally:
        screen.line("all of it back")
        back = Site(lab.root, lab.inventories, site.store, site.state, lab.vault_password)
        apply.apply(back, screen, break_glass="bench: the lab as it was")
    return every


def one(site: Site, infra: Repository, screen: Screen, name: str, change: tuple[str, str, Any]) -> Compared:
    """One change, from proposal to apply."""
    found = Compared(name)
    infra.git("checkout", "--quiet", "-B", "change")
    edit(infra.folder / "demo/group_vars" / change[0], change[1], change[2])
    commit(infra, name)
    infra.git("checkout", "--quiet", "master")
    planned = plan.plan(site, screen, commits=["change"])
    infra.git("merge", "--quiet", "--ff-only", "change")
    done = apply.apply(site, screen, agreed=[planned.run])
    found.seconds = [seconds(each) for each in (planned.run, done.run)]
    found.message = done.run.message
    shown = {each.key: about(each) for each in planned.plan.changes}
    made = {each.key: about(each) for each in applied(site, done.run).changes}
    found.planned, found.same = len(shown), len(shown.keys() & made.keys())
    found.unknown = len(set(planned.plan.unknowns))
    found.not_done = [shown[key] for key in shown if key not in made]
    found.not_planned = [made[key] for key in made if key not in shown]
    screen.line(f"  planned {found.planned}, the same {found.same}; {found.message}")
    return found


def applied(site: Site, run: store.Run) -> Plan:
    """What an apply changed; nothing where it was refused."""
    if run.result == store.REFUSED:
        return Plan()
    return loads(site.store.read(run, "applied.json"))


def seconds(run: store.Run) -> float:
    """How long a run took."""
    begun, ended = (datetime.datetime.fromisoformat(each) for each in (run.started, run.ended))
    return round((ended - begun).total_seconds(), 1)


def edit(folder: Path, variable: str, value: Any) -> None:
    """Give a variable of a group another value, in a file that outranks the group's others."""
    path = folder / "zz_bench.yml"
    folder.mkdir(exist_ok=True)
    known = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    known = {key: each for key, each in {**known, variable: value}.items() if each is not None}
    path.write_text(yaml.safe_dump(known), encoding="utf-8")


def commit(infra: Repository, message: str) -> None:
    """Commit what is there."""
    infra.git("add", "--all")
    infra.git("commit", "--quiet", "--message", message)


def tell(every: list[Compared], screen: Screen) -> int:
    """Show the figures; 0 where at least 98 % are the same."""
    union = sum(one.same + len(one.not_done) + len(one.not_planned) for one in every)
    same = sum(one.same for one in every)
    share = 100 * same / union if union else 0.0
    for each in every:
        for what, names in (("planned, not done", each.not_done), ("done, not planned", each.not_planned)):
            for name in names:
                screen.line(f"  {each.name}: {what}: {name}")
    took = [sum(each.seconds[part] for each in every) / len(every) for part in (0, 1)]
    screen.line(
        f"{len(every)} changes: {same} of {union} the same ({share:.1f} %), plan {duration(took[0])},"
        f" apply {duration(took[1])} on average",
        style="bold green" if share >= 98 else "bold red",
    )
    return 0 if share >= 98 else 1


if __name__ == "__main__":
    sys.exit(main())
