"""Apply: bring live hosts to what the inventory says, as far as it was agreed to."""

from __future__ import annotations

from collections.abc import Sequence

from xenci.apply.render import failure_lines, last_line
from xenci.apply.screen import Screen
from xenci.plan import compare, model, text
from xenci.plan.model import Plan
from xenci.runs import look
from xenci.runs.plan import Outcome, merged
from xenci.runs.site import Site, who
from xenci.runs.store import APPLIED, FAILED, REFUSED, Run, Store, Writer


def apply(
    site: Site,
    screen: Screen,
    *,
    limit: str = "",
    agreed: Sequence[Run] | None = None,
    break_glass: str = "",
    name: str = "apply",
) -> Outcome:
    """Apply, and keep what was done. The lock must be held.

    :param agreed: plans that somebody has agreed to: hosts are looked at again before any is touched, and
        nothing is done where something would change that the plans don't show. Without, all is applied.
    :param break_glass: why it is applied without review; it stands in the record and in the next report.
    """
    with merged(site, ()) as (there, facts):
        mask = there.mask()
        changes = tuple(dict.fromkeys(one.change for one in agreed or () if one.change))
        known = {"limit": limit, "changes": changes, "break_glass": mask.text(break_glass), **facts}
        scope = look.Scope(limit, (site.playbook,))
        if agreed is not None:
            scope = common(agreed, site, limit)
        with site.store.run(
            "apply", who(), inventories=tuple(map(str, site.inventories)), playbooks=scope.playbooks, **known
        ) as writer:
            before: Plan | None = None
            if not scope.playbooks:
                return finish(writer, APPLIED, "nothing that reaches a host", Plan(), Plan(), [])
            if agreed is not None:
                seen = look.run(there, scope, writer, screen, mask, name="look again", check=True)
                before = seen.plan
                writer.file("plan.json", before.json())
                if refusal := refused(site.store, agreed, seen):
                    return refuse(writer, refusal, before)
                if not before.changes and not before.unknowns:
                    return finish(writer, APPLIED, "nothing left to do", before, Plan(), [])
            seen = look.run(there, scope, writer, screen, mask, name=name, check=False)
            failures = seen.result.progress.final_failures()
            lines = [mask.text(line) for one in failures for line in failure_lines(one, [])]
            message = mask.text(
                last_line(seen.result.progress, name, seen.result.status, seen.result.seconds)
            )
            return finish(writer, APPLIED if seen.result.ok else FAILED, message, before, seen.plan, lines)


def common(agreed: Sequence[Run], site: Site, limit: str) -> look.Scope:
    """What several plans looked at, all of it."""
    wanted = {path for one in agreed for path in one.playbooks}
    if site.playbook in wanted:
        return look.Scope(limit, (site.playbook,))
    every = list(look.playbooks(site.root))
    left = look.services([path for path in every if path not in wanted])
    return look.Scope(limit, tuple(path for path in every if path in wanted), left)


def refused(store: Store, agreed: Sequence[Run], seen: look.Seen) -> list[str]:
    """Why the plans don't hold any more; empty where they do."""
    if seen.broken:
        return [seen.broken]
    lost = [f"{host}: not reached, so nobody knows what would change there" for host in seen.plan.unreachable]
    lost += [f"{host}: a task fails in check mode already" for host in seen.plan.failed]
    return lost or compare.surprises([model.loads(store.read(one, "plan.json")) for one in agreed], seen.plan)


def refuse(writer: Writer, reasons: Sequence[str], before: Plan) -> Outcome:
    """Note that nothing was done, and why."""
    message = f"refused, nothing was changed: {text.number(len(reasons), 'difference')} from what was planned"
    run = writer.end(REFUSED, message)
    body = [
        f"apply {run.id} of commit {run.commit[:12]}: {message}",
        *(f"  {one}" for one in reasons),
        "",
        "A host was changed by hand, or something else was merged meanwhile: plan it again, and read that.",
        "`xenci drift` shows what was changed by hand.",
    ]
    writer.file("report.txt", "\n".join(body) + "\n")
    return Outcome(run, before)


def finish(
    writer: Writer, result: str, message: str, before: Plan | None, done: Plan, failures: Sequence[str]
) -> Outcome:
    """Note what was done and what was not."""
    writer.file("applied.json", done.json())
    run = writer.end(result, message)
    head = f"apply {run.id} of commit {run.commit[:12] or 'none'}: {message}"
    lines = [head]
    if run.break_glass:
        lines.append(f"Without review, by {run.who}: {run.break_glass}")
    lines += failures
    lines += listed("done", [compare.about(one) for one in done.changes])
    if before is not None:
        made = {one.key for one in done.changes}
        missing = [compare.about(one) for one in before.changes if one.key not in made]
        if result == FAILED:
            lines += listed("not done", missing)
        else:
            lines += listed("planned, and found to be so already", missing)
        planned = {one.key for one in before.changes}
        more = [compare.about(one) for one in done.changes if one.key not in planned]
        lines += listed("done beyond what check mode could tell", more)
    if result == FAILED:
        lines += [
            "",
            "Nothing after the failure was touched. Mend the reason and apply again: it goes on from there.",
        ]
    writer.file("report.txt", "\n".join(lines) + "\n")
    return Outcome(run, done)


def listed(what: str, entries: Sequence[str]) -> list[str]:
    """A heading and its lines, if there are any."""
    return ["", what, *(f"  {one}" for one in dict.fromkeys(entries))] if entries else []


def broken_glass(store: Store, since: str) -> list[Run]:
    """What was applied without review since a moment, ISO 8601."""
    return [one for one in store.all() if one.kind == "apply" and one.break_glass and one.started > since]
