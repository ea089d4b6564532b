"""Plan: what an inventory, or a change to it, would do to live hosts."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from xenci.apply.screen import Screen
from xenci.plan import text, touch
from xenci.plan.model import Plan
from xenci.runs import history, look, repository
from xenci.runs.site import Site, who
from xenci.runs.store import CHANGES, FAILED, NOTHING, Run, Writer


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A run with what it found; `plan` is empty where it did not get as far."""

    run: Run
    plan: Plan


def plan(
    site: Site,
    screen: Screen,
    *,
    limit: str = "",
    commits: Sequence[str] = (),
    change: str = "",
    everything: bool = False,
    kind: str = "plan",
) -> Outcome:
    """Look at live hosts in check mode, and keep what would change. The lock must be held.

    :param commits: of the inventory's repository: the merge of them is planned, as far as they can reach.
    :param change: how the review server calls it, for the record.
    :param everything: look at the whole site, also with commits.
    :raises RepositoryError: when there is no repository, or the commits can't be merged.
    :raises SecretsError: when a secret can't be read, and so not masked.
    """
    with merged(site, commits) as (there, facts):
        scope = look.Scope(limit, (site.playbook,))
        if commits and not everything:
            scope = reach(site, there, limit)
        mask = there.mask(site.inventories)
        begin = {"limit": limit, "change": change, "playbooks": scope.playbooks, **facts}
        with site.store.run(kind, who(), inventories=tuple(map(str, site.inventories)), **begin) as writer:
            if not scope.playbooks:
                return keep(site, writer, Plan(left=scope.left), "")
            seen = look.run(there, scope, writer, screen, mask, name=kind, check=True)
            found = seen.plan
            if kind == "drift":
                with screen.now(lambda: ["asking the hosts who changed what differs"]):
                    found = history.told(there, found, mask)
            return keep(site, writer, found, seen.broken)


def keep(site: Site, writer: Writer, found: Plan, message: str) -> Outcome:
    """Write down what was found and how it ended."""
    bad = message or not found.complete
    result = FAILED if bad else CHANGES if found.changes else NOTHING
    writer.file("plan.json", found.json())
    run = writer.end(result, message or text.count(found))
    writer.file("report.txt", text.whole(found, heading(run), text.Limits(), f"xenci log {run.id}"))
    return Outcome(run, found)


def heading(run: Run) -> str:
    """The first line of a report."""
    of = f" of commit {run.commit[:12]}" if run.commit else ""
    asked = f" (change {run.change})" if run.change else ""
    only = f" on {run.limit} only" if run.limit else ""
    return f"{run.kind} {run.id}{of}{asked}{only}: {run.message}"


@contextlib.contextmanager
def merged(site: Site, commits: Sequence[str]) -> Iterator[tuple[Site, dict[str, object]]]:
    """The site as it would be with commits merged, and what identifies that content."""
    code = repository.of(site.root)
    known: dict[str, object] = {"code": code.commit() if code else ""}
    home = repository.of(Path(site.inventories[0]))
    if home is None:
        if commits:
            raise repository.RepositoryError(
                f"{site.inventories[0]} lies in no git repository: there is nothing to merge into"
            )
        yield site, known
        return
    base = home.commit()
    if not commits:
        # What nobody has committed has no name; a plan of it is for whoever is at work on it.
        named = {"commit": base, "base": base, "tree": home.tree(base)} if home.clean() else {}
        yield site, known | named
        return
    top = home.folder
    outside = [str(path) for path in site.inventories if not Path(path).resolve().is_relative_to(top)]
    if outside:
        raise repository.RepositoryError(
            f"{', '.join(outside)} lies outside {top}: its change can't be planned"
        )
    commits = [home.commit(one) for one in commits]
    with home.at(base, commits) as folder:
        here = repository.Repository(folder)
        commit = here.commit()
        there = [folder / Path(path).resolve().relative_to(top) for path in site.inventories]
        facts = {
            "commit": commits[-1],
            "base": base,
            "tree": here.tree(commit),
            "patches": here.patches(base, commit),
        }
        yield dataclasses.replace(site, inventories=there), known | facts


def reach(site: Site, there: Site, limit: str) -> look.Scope:
    """What a change can reach."""
    every = list(look.playbooks(site.root))
    found = touch.reached(list(site.inventories), list(there.inventories), site.root, every)
    left = [path for path in every if path not in found]
    return look.Scope(limit, tuple(found), look.services(left))
