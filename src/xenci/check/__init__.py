"""`xenci check`: every mistake in an inventory, with no host up.

Which role runs where, and with what, is what Ansible itself makes of `playbooks/`; what a role takes is in
its argument specs and in the assertions of its `tasks/preflight.yml`. Nothing of that is written a second
time here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from xenci.check.mistake import MADE, Mistake


@dataclasses.dataclass(frozen=True)
class Result:
    """What was found.

    `unreadable`: some of it could not be read, so that the rest may hide more.
    `left`: values and rules that need facts of a host, and are left to it.
    `jobs`: checkouts whose jobs were compared with those that the inventory runs.
    """

    mistakes: list[Mistake]
    unreadable: bool
    left: int
    jobs: tuple[Path, ...] = ()


def check(
    sources: Sequence[Path],
    root: Path,
    vault_password: Path | None = None,
    infra: Sequence[Path] = (),
    stubs: bool = False,
) -> Result:
    """Check an inventory.

    :param sources: inventory files and directories, the later outranking the earlier, as for `-i`.
    :param root: checkout of xenci.
    :param vault_password: file with the password of the vault files.
    :param infra: checkouts that define Zuul's jobs; without one, the repository that the inventory lies in.
    :param stubs: something random stands in the place of each secret, so that no pair of keys fits.
    """
    # Here, since each of them loads Ansible, which takes half a second and reads its settings once.
    from xenci.check import (
        apart,
        compiled,
        jobs,
        keys,
        network,
        plays,
        preflight,
        secrets,
        topology,
        values,
        world,
    )
    from xenci.check.inventory import Inventory, warnings
    from xenci.check.specs import Specs

    specs = Specs(root)
    inventory = Inventory(sources, root, vault_password, specs.secret, plays.facts(root))
    mistakes = [*inventory.unreadable, *inventory.odd, *inventory.undecided]
    left = 0
    checkouts: list[Path] = []
    if inventory.hosts:
        with warnings(), compiled.once():
            uses = plays.uses(inventory, root)
            mistakes += world.check(inventory, specs, uses)
            typed = values.check(inventory, specs, uses)
            ruled = preflight.check(inventory, specs, uses, typed.broken)
            mistakes += [*typed.mistakes, *ruled.mistakes]
            mistakes += secrets.check(inventory, specs)
            mistakes += keys.check(inventory, typed.known, stubs)
            mistakes += network.check(inventory, root)
            mistakes += apart.check(inventory, typed.known)
            mistakes += topology.check(inventory, root)
            checkouts = [path.resolve() for path in infra] or jobs.near(sources)
            mistakes += jobs.check(inventory, checkouts)
        left = typed.left + ruled.left
    return Result(once(merge(mistakes)), bool(inventory.unreadable), left, tuple(checkouts))


def merge(mistakes: Sequence[Mistake]) -> list[Mistake]:
    """Each mistake once, with all hosts that it concerns, in the order of files and lines."""
    found: dict[Mistake, tuple[str, ...]] = {}
    for mistake in mistakes:
        alone = dataclasses.replace(mistake, hosts=())
        found[alone] = (*found.get(alone, ()), *mistake.hosts)
    every = [dataclasses.replace(one, hosts=tuple(dict.fromkeys(hosts))) for one, hosts in found.items()]
    return sorted(every, key=lambda one: (one.place, one.variable, one.what))


def once(mistakes: Sequence[Mistake]) -> list[Mistake]:
    """What `xenci secrets init` makes is missing at the first line that reads it; one mistake is enough."""
    found: dict[object, Mistake] = {}
    for one in mistakes:
        found.setdefault(one.what if MADE.match(one.what) else one, one)
    return list(found.values())
