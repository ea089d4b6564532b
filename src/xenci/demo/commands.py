"""What `xenci demo` and `xenci lab` do, phase by phase."""

from __future__ import annotations

import shutil

from xenci.apply import processes
from xenci.apply.screen import Screen
from xenci.demo import hosts, machine, secrets
from xenci.demo.lab import Lab
from xenci.demo.phases import Phases

SUBNET = "10.201.0.0/24"


class StuckError(Exception):
    """A phase failed; the message says which, and what was printed before says why."""


def up(lab: Lab, screen: Screen, subnet: str | None) -> int:
    """The whole demo."""
    phases = Phases(screen)
    prepare(lab, screen, phases, subnet)
    make_hosts(lab, screen, phases)
    return 0


def hosts_up(lab: Lab, screen: Screen, subnet: str | None) -> int:
    """Only the hosts and their inventory."""
    phases = Phases(screen)
    prepare(lab, screen, phases, subnet)
    make_hosts(lab, screen, phases)
    screen.line(f"hosts of lab {lab.name} are up; use them with -i inventories/demo -i {lab.inventory}")
    screen.line(f"and ANSIBLE_VAULT_PASSWORD_FILE={lab.vault_password}")
    return 0


def prepare(lab: Lab, screen: Screen, phases: Phases, subnet: str | None) -> None:
    """Check the machine, end what a killed run left, and make the lab's own files."""
    with phases("machine"):
        own = secrets.settings(lab)["lab_hosts_subnet"] if lab.inventory.exists() else None
        if own and subnet and own != subnet:
            raise machine.UnfitError(
                [f"lab {lab.name} has subnet {own}: leave SUBNET out, or remove the lab first"]
            )
        wanted = own or subnet or SUBNET
        machine.check(lab, wanted)
        if ended := processes.end(lab.runner):
            screen.line(f"  ended {ended} processes that a killed run had left")
    with phases("lab files"):
        if secrets.ensure(lab, wanted):
            screen.line(f"  made names, secrets and keys in {lab.directory.relative_to(lab.root)}")


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
        processes.end(lab.runner, connections=True)
        state = lab.root / ".cache" / f"down-{lab.name}"
        if not hosts.operate(lab, screen, "absent"):
            raise StuckError(f"lab {lab.name} could not be removed whole")
        for directory in (lab.directory, state):
            if directory.exists():
                shutil.rmtree(directory)
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
