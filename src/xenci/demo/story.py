"""A change to the site itself, from proposal to live hosts, and what comes of an edit by hand after it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import queue
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from xenci.apply import processes
from xenci.apply.screen import Screen, duration
from xenci.demo import propose, watch
from xenci.demo.desk import Desk
from xenci.demo.phases import Phases
from xenci.demo.site import BASTION_ACCOUNT, CI_ACCOUNT, Site
from xenci.files import write
from xenci.lint import INVENTORY

PROJECT = "infra"
PATIENCE = 1200.0
"""Seconds for any step."""
INFRA = "/var/lib/xenci-bastion/infra/inventory"
"""The bastion's own checkout of the inventory."""
EDITED = ("logs", "/etc/systemd/system/xenci-log-expire.timer")
"""What somebody edits by hand: the host and the file."""
KNOBS = {
    "group_vars/log_server/log_server.yml": ("log_server_days", 32, 1),
    "group_vars/zuul_executor/zuul_executor.yml": ("zuul_executor_disk_limit_per_job", 2048, 64),
}
"""What is changed: file of the inventory, variable, value where it has none yet, step."""


class StoryError(Exception):
    """A step ended otherwise than it must; the message says what was seen."""


@dataclasses.dataclass
class Told:
    """What happened: the change, what the bastion said of it, and of the hosts. `seconds` by step."""

    number: int = 0
    url: str = ""
    plan: str = ""
    report: str = ""
    drift: str = ""
    by_hand: str = ""
    repair: str = ""
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)


def edit(inventory: Path) -> None:
    """Change what `KNOBS` name, each by a step, so that every run proposes something new."""
    for name, (variable, default, step) in KNOBS.items():
        path = inventory / name
        text = path.read_text(encoding="utf-8") if path.exists() else "---\n"
        line = re.compile(rf"^{variable}: (\d+)$", re.MULTILINE)
        found = line.search(text)
        value = (int(found[1]) if found else default) + step
        new = f"{variable}: {value}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(line.sub(new, text) if found else f"{text}{new}\n", encoding="utf-8")


def tell(alice: Desk, bob: Desk, phases: Phases) -> Told:
    """Propose, have it planned, approve, see it applied; then compare, edit by hand, compare, repair.

    :raises StoryError: when a step ends otherwise.
    """
    site, screen, told = alice.site, phases.screen, Told()
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(watch.Stream(alice).open())
        with phases("propose", "git-review pushes the change as alice"):
            clone = alice.clone(PROJECT)
            edit(clone / INVENTORY)
            title = "Keep logs a day longer, and let jobs use more disk\n"
            told.number = propose.edited(alice, clone, title)
            told.url = f"{site.review}c/{PROJECT}/+/{told.number}"
            screen.line(f"  {told.url}")
        change = Waiting(site, stream, told.number, screen)
        with phases("check", "infra-lint reads the inventory"):
            change.until("the vote of infra-lint", watch.ci_vote, wrong=(-1,))
        with phases("plan", "the bastion tries it in check mode on live hosts"):
            bob.vote(told.number, {"Allow-Plan": 1})
            screen.line("  bob: Allow-Plan +1")
            change.until("the plan", planned, wrong=(-1,))
            told.plan = said(change.now(), BASTION_ACCOUNT)[-1]
            show(screen, "what the bastion says", told.plan)
        with phases("gate", "approved changes are tested once more, then merged"):
            bob.vote(told.number, {"Code-Review": 2, "Workflow": 1})
            screen.line("  bob: Code-Review +2, Workflow +1")
            change.until("the merge", lambda now: now["status"] == "MERGED")
        with phases("apply", "the bastion applies what was merged"):
            change.until("the report", lambda now: len(said(now, BASTION_ACCOUNT)) > 1)
            told.report = said(change.now(), BASTION_ACCOUNT)[-1]
            show(screen, "what the bastion reports", told.report)
    with phases("drift", "every live host is compared with what was merged"):
        told.drift = bastion(site, screen, 0, "drift", "-i", INFRA)
    host, path = EDITED
    with phases("drift after an edit by hand", f"{path} on {host}"):
        run(site, host, screen, 0, "sed", "-i", "s/^OnCalendar=.*/OnCalendar=yearly/", path)
        told.by_hand = bastion(site, screen, 2, "drift", "-i", INFRA, "--limit", host)
        if path not in told.by_hand or "OnCalendar=yearly" not in told.by_hand:
            raise StoryError(f"drift does not name {path} and what was changed in it:\n{told.by_hand}")
        show(screen, f"somebody edits {path} on {host}, and drift says", told.by_hand)
    with phases("repair", "drift once more, and what it shows is applied"):
        told.repair = bastion(site, screen, 0, "drift", "-i", INFRA, "--limit", host, "--repair")
        bastion(site, screen, 0, "drift", "-i", INFRA, "--limit", host)
    told.seconds = dict(phases.seconds)
    return told


def save(site: Site, told: Told) -> None:
    """Write it where `.lab/<lab>/change.json` says what the last change went through."""
    write(site.lab.directory / "change.json", json.dumps(dataclasses.asdict(told), indent=2) + "\n")


@dataclasses.dataclass(frozen=True)
class Waiting:
    """One change that things happen to."""

    site: Site
    stream: watch.Stream
    number: int
    screen: Screen

    def now(self) -> dict[str, Any]:
        """How it is, as carol reads it."""
        return self.site.change(self.number)

    def until(self, what: str, look: Callable[[dict[str, Any]], Any], wrong: tuple[object, ...] = ()) -> None:
        """Wait until `look` finds something; asked again at every event of the change.

        :param wrong: what it must not find.
        :raises StoryError: then, when the CI says that something failed, or after `PATIENCE`.
        """
        began = time.monotonic()
        with self.screen.now(lambda: [f"waiting for {what} ({duration(time.monotonic() - began)})"]):
            for change in self._looks(began):
                found = look(change)
                if found in wrong or (bad := failed(change)):
                    raise StoryError(f"{what}: {bad or said(change)[-1]}")
                if found:
                    return
        raise StoryError(
            f"{what} did not come within {duration(PATIENCE)}: {self.site.review}c/{self.number}"
        )

    def _looks(self, began: float) -> Iterator[dict[str, Any]]:
        yield self.now()
        while time.monotonic() - began < PATIENCE:
            try:
                _, line = self.stream.lines.get(timeout=1.0)
            except queue.Empty:
                continue
            # An empty line is a new connection: something may have been missed.
            if not line or f'"number":{self.number},' in line.replace(" ", ""):
                yield self.now()


def planned(change: dict[str, Any]) -> int:
    """The bastion's vote."""
    return watch.vote(change, "Planned", BASTION_ACCOUNT) or 0


def said(change: dict[str, Any], account: str = "") -> list[str]:
    """The comments on a change, of one account or of all."""
    return [
        str(one["message"])
        for one in change["messages"]
        if account in ("", (one.get("author") or {}).get("username"))
    ]


def failed(change: dict[str, Any]) -> str:
    """The CI's word that something on the way failed."""
    words = ("failed", "There is no plan", "is not live")
    return next((text for text in said(change, CI_ACCOUNT) if any(word in text for word in words)), "")


def show(screen: Screen, title: str, text: str) -> None:
    """Print what somebody wrote."""
    screen.line(f"  {title}:")
    for line in text.splitlines():
        screen.line(f"  | {line}")


def bastion(site: Site, screen: Screen, status: int, *command: str) -> str:
    """Run `xenci` on the bastion and return what it printed."""
    return run(site, "bastion1", screen, status, "xenci", *command)


def run(site: Site, host: str, screen: Screen, status: int, *command: str) -> str:
    """Run a command on a host, its output shown as what goes on.

    :raises StoryError: when it ends with another status than it must.
    """
    lines: list[str] = []
    ssh = ["ssh", "-F", str(site.lab.directory / "ssh_config"), host, shlex.join(command)]
    with screen.now(lambda: [f"{host}: {' '.join(command[:2])}", *(line.strip() for line in lines[-2:])]):
        process = subprocess.Popen(
            processes.tied(ssh),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for line in process.stdout or ():
            lines.append(line.rstrip("\n"))
    if process.wait() != status:
        text = "\n".join(lines[-40:])
        raise StoryError(
            f"{' '.join(command)} on {host} ended with {process.returncode}, not {status}:\n{text}"
        )
    return "\n".join(lines)
