"""What `xenci demo` and `xenci lab` do, phase by phase."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from xenci.apply import processes
from xenci.apply import run as applying
from xenci.apply.screen import Screen, duration
from xenci.check import first
from xenci.demo import changes, gerrit, hosts, machine, propose, report, secrets, seed, state, story, watch
from xenci.demo import xen as xen_host
from xenci.demo.desk import Desk, GitError
from xenci.demo.gerrit import War
from xenci.demo.lab import Lab
from xenci.demo.phases import Phases
from xenci.demo.site import Site, SiteError
from xenci.demo.watch import NoVoteError
from xenci.render import RenderError

SUBNET = "10.201.0.0/24"


class StuckError(Exception):
    """A phase failed; the message says which, and what was printed before says why."""


def up(lab: Lab, screen: Screen, subnet: str | None, war: War | None = None, with_xen: bool = False) -> int:
    """The whole demo, on a real Gerrit where there is a war.

    :param with_xen: a Xen host joins after both votes, and a third change is tested in a guest of it.
    """
    phases = Phases(screen)
    if xen_host.joined(lab):
        xen_host.join(lab)
    prepare(lab, screen, phases, subnet, war, with_xen)
    told = tested(lab, screen, phases, changes.CHANGES)
    keep(lab, told)
    if with_xen and not xen_host.joined(lab):
        screen.line()
        screen.line(f"both votes are in after {duration(phases.total)}; a Xen host joins")
        screen.line("on two cores that emulate it, this takes some twenty minutes")
        xen_host.join(lab)
        told["xen"] = tested(lab, screen, Phases(screen), changes.XEN)
        keep(lab, told)
    screen.line()
    if not xen_host.joined(lab):
        screen.line("Xen was left out: no test ran in a guest of a Xen host")
        screen.line()
    good = ", ".join(f"{change['name']} {change['vote']:+d}" for change in report.voted(told))
    screen.line(f"demo: done in {duration(phases.total)}: {good}", style="bold green")
    return 0


def tested(lab: Lab, screen: Screen, phases: Phases, wanted: Sequence[changes.Change]) -> dict[str, Any]:
    """Bring the lab to what the checkout says, have changes tested there, and tell what happened."""
    site = Site(lab)
    deploy(site, screen, phases)
    told = vote(site, screen, phases, wanted)
    report.show(told, phases, screen)
    return told


def keep(lab: Lab, told: dict[str, Any]) -> None:
    """Write a report down, whatever it says.

    :raises StuckError: where a change has another vote than it must get.
    """
    report.save(lab, told)
    if bad := report.wrong(told):
        raise StuckError("; ".join(bad))


def change(lab: Lab, screen: Screen, subnet: str | None) -> int:
    """A change to the demo's own site, through review to live hosts; the demo is made if it isn't there."""
    phases = Phases(screen)
    prepare(lab, screen, phases, subnet)
    site = Site(lab)
    deploy(site, screen, phases)
    try:
        told = story.tell(desk(site, "alice"), desk(site, "bob"), phases)
    except (GitError, SiteError, story.StoryError) as error:
        raise StuckError(str(error)) from error
    story.save(site, told)
    phases.show()
    screen.line()
    screen.line(
        f"demo change: done in {duration(phases.total)}: {told.url} planned, approved, merged, applied;"
        " no drift; an edit by hand was found and repaired",
        style="bold green",
    )
    return 0


def deploy(site: Site, screen: Screen, phases: Phases) -> None:
    """Bring hosts and services to what the checkout says, unless they are already."""
    lab = site.lab
    with phases("look", "do hosts and services answer, and is what was applied what is to be?"):
        found = state.fingerprint(lab)
        instances = hosts.running(lab)
        reason = state.stale(lab, found, instances, [])
        reason = reason or state.stale(lab, found, instances, site.missing())
        screen.line(
            f"  everything is as it was applied: {site.review}" if not reason else f"  apply: {reason}"
        )
    if not reason:
        return
    lab.applied.unlink(missing_ok=True)
    make_hosts(lab, screen, phases)
    with phases("wheel and projects", "the package is built, Ansible renders infra"):
        wheel(lab)
        try:
            seed.stage(site)
        except RenderError as error:
            raise StuckError(f"the inventory could not be rendered: {error}") from error
    with phases("site.yml"):
        play(lab, screen, "playbooks/site.yml", "site.yml")
    with phases("lab's files on its bastion"):
        play(lab, screen, "playbooks/operate_lab_bastion.yml", "lab's files on its bastion")
    with phases("projects", "git compares the review server's branches with the checkout"):
        try:
            if changed := seed.follow(desk(site, "admin")):
                screen.line(f"  pushed what is new to {', '.join(changed)}")
                play(lab, screen, "playbooks/operate_full_reconfigure.yml", "full reconfiguration")
        except (GitError, SiteError) as error:
            raise StuckError(f"the projects could not be brought up to date: {error}") from error
    state.note(lab, found, hosts.running(lab))


def play(lab: Lab, screen: Screen, path: str, name: str) -> None:
    """Run a playbook on the lab.

    :raises StuckError: when it fails.
    """
    playbook = applying.Playbook(
        checkout=lab.root,
        state=lab.runner,
        path=path,
        inventories=lab.inventories,
        environment=lab.environment,
    )
    if not applying.run(playbook, screen, name).ok:
        raise StuckError(f"{name} failed")


def wheel(lab: Lab) -> None:
    """Build the package that hosts get; a no-op while its sources are the same."""
    answer = subprocess.run([str(lab.root / "tools" / "wheel")], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise StuckError(f"the wheel could not be built:\n{answer.stderr.strip()}")


def desk(site: Site, account: str) -> Desk:
    """The prepared desk of an account."""
    made = Desk(site, account)
    made.prepare(secrets.settings(site.lab)["local_gerrit_host_public_key"])
    return made


def vote(site: Site, screen: Screen, phases: Phases, wanted: Sequence[changes.Change]) -> dict[str, Any]:
    """Propose changes, wait for their votes, and tell the story.

    :raises StuckError: when one can't be proposed, or gets no vote.
    """
    try:
        with contextlib.ExitStack() as stack:
            with phases("propose", "git-review pushes as alice"):
                alice = desk(site, "alice")
                # Listening begins before anything is proposed.
                stream = stack.enter_context(watch.Stream(desk(site, "admin")).open())
                proposed = []
                for change in wanted:
                    proposed.append(propose.propose(alice, change))
                    screen.line(f"  {change.name}: {proposed[-1].url}")
            with phases("votes"):
                watched = watch.wait(stream, site, proposed, screen)
        return report.gather(site, watched, phases)
    except (GitError, SiteError, NoVoteError) as error:
        raise StuckError(str(error)) from error


def hosts_up(lab: Lab, screen: Screen, subnet: str | None) -> int:
    """Only the hosts and their inventory."""
    phases = Phases(screen)
    prepare(lab, screen, phases, subnet)
    make_hosts(lab, screen, phases)
    screen.line(f"hosts of lab {lab.name} are up; use them with -i inventories/demo -i {lab.inventory}")
    screen.line(f"and ANSIBLE_VAULT_PASSWORD_FILE={lab.vault_password}")
    return 0


def prepare(
    lab: Lab,
    screen: Screen,
    phases: Phases,
    subnet: str | None,
    war: War | None = None,
    with_xen: bool = False,
) -> None:
    """Check the machine, end what a killed run left, and make the lab's own files."""
    with phases("machine", "podman says what is there; what a killed run left is ended"):
        own = secrets.settings(lab)["lab_hosts_subnet"] if lab.inventory.exists() else None
        if own and subnet and own != subnet:
            raise machine.UnfitError(
                [f"lab {lab.name} has subnet {own}: leave SUBNET out, or remove the lab first"]
            )
        wanted = own or subnet or SUBNET
        machine.check(lab, wanted, xen_host.MEMORY_MIB if with_xen else 0)
        if ended := processes.end(lab.runner):
            screen.line(f"  ended {ended} processes that a killed run had left")
    with phases("lab files"):
        os.environ.update(
            lab.environment
        )  # every Ansible that is called from here reads the lab's vault file
        if secrets.ensure(lab, wanted):
            screen.line(f"  made names, secrets and keys in {lab.directory.relative_to(lab.root)}")
        if war and gerrit.use(lab, war):
            screen.line(f"  the review server is Gerrit {war.version}, from {war.path}")
    with phases("inventory", "xenci check reads it as Ansible does"):
        if reasons := first.mistakes(lab.inventories, lab.root, lab.environment, seed.infra(lab.root)):
            raise machine.UnfitError(reasons)


def make_hosts(lab: Lab, screen: Screen, phases: Phases) -> None:
    """Make the test hosts, once a killed run's work inside them has ended."""
    with phases("test hosts"):
        hosts.wait_for_orphans(lab, screen)
        if not hosts.operate(lab, screen, "present"):
            raise StuckError("the test hosts could not be made")


def down(lab: Lab, screen: Screen) -> int:
    """Remove the lab; what doesn't carry its label stays."""
    phases = Phases(screen)
    with phases("remove"):
        if reasons := list(machine.elsewhere(lab)):
            raise machine.UnfitError(reasons)
        processes.end(lab.runner, connections=True)
        state = lab.root / ".cache" / f"down-{lab.name}"
        if not hosts.operate(lab, screen, "absent"):
            raise StuckError(f"lab {lab.name} could not be removed whole")
        for directory in (lab.directory, state):
            if directory.exists():
                shutil.rmtree(directory)
        lab.lock_file.unlink()
    screen.line(f"lab {lab.name} is gone", style="bold green")
    return 0


def status(lab: Lab, screen: Screen) -> int:
    """Say what is there; 0 when every host runs, 1 otherwise."""
    if not lab.inventory.exists():
        screen.line(f"lab {lab.name}: not there")
        return 1
    there = hosts.running(lab)
    complete = True
    for name, address in hosts.addresses(lab).items():
        complete = complete and name in there
        screen.line(f"  {name:<10} {address:<15} {'runs' if name in there else 'is not running'}")
    screen.line(f"  applied: {'yes' if lab.applied.exists() else 'not yet'}")
    return 0 if complete else 1
