"""Answer requests one by one, with the keys to the hosts: plan, apply, drift."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from xenci.apply.lock import BusyError
from xenci.apply.screen import Screen
from xenci.bastion.requests import Answer, Request, RequestError, Spool
from xenci.bastion.review import REVISION, Review, Server
from xenci.bastion.settings import Settings
from xenci.cli import errors
from xenci.files import write
from xenci.plan import text, touch
from xenci.review.approval import RefusedError
from xenci.review.gerrit import GerritError
from xenci.runs import apply, drift, plan, store
from xenci.runs.plan import Outcome
from xenci.runs.repository import Repository, RepositoryError
from xenci.runs.site import Site, who
from xenci.runs.status import lines, status
from xenci.secrets import SecretsError

PIN = "bastion_xenci_commit"
"""The inventory's variable that says which commit of xenci is applied."""
PATIENCE = 3600.0
"""Seconds that a request waits for an operator's run."""
WHY = "journalctl -u xenci-bastion on it says why"


class Worker:
    """One at a time."""

    def __init__(self, settings: Settings, server: Review) -> None:
        self.settings = settings
        self.review = server
        self.store = store.Store(settings.runs)
        self.spool = Spool(settings.spool)
        self.infra = Repository(settings.infra, settings.environment)

    def work(self) -> None:
        """Answer all requests that wait, and those that come meanwhile."""
        while names := self.spool.waiting():
            for name in names:
                with self.spool.log(name).open("a", encoding="utf-8") as log:
                    try:
                        answer = self.one(name, Screen(log))
                    except Exception:
                        # Answered all the same, or it would be met again and again; systemd notes the reason.
                        self.spool.answer(name, Answer(errors.FAILED, f"the bastion failed: {WHY}\n"))
                        raise
                    self.spool.answer(name, answer)
        self.spool.expire()
        self.store.expire(self.settings.days)

    def one(self, name: str, screen: Screen) -> Answer:
        """Answer one request; what can go wrong is an answer too."""
        try:
            request = self.spool.get(name)
            if request.kind == "status":
                return Answer(0, "\n".join(lines(status(self.store))) + "\n")
            self.settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            # An operator who applies by hand is waited for: no merged change may be forgotten.
            with self.site(self.settings.code).lock(PATIENCE):
                return self.does(request)(request, screen)
        except RequestError as error:
            return Answer(errors.USAGE, f"{error}\n")
        except RefusedError as error:
            return Answer(errors.REFUSED, f"refused: {error}\n")
        except GerritError as error:
            return Answer(errors.FAILED, f"the review server can't be asked, ask again: {error}\n")
        except BusyError as error:
            return Answer(errors.BUSY, f"{error}\n")
        except (RepositoryError, SecretsError) as error:
            return Answer(errors.UNFIT, f"{error}\n")

    def does(self, request: Request) -> Callable[[Request, Screen], Answer]:
        """What answers a kind of request."""
        return {"plan": self.plan, "apply": self.apply, "drift": self.drift}[request.kind]

    def plan(self, request: Request, screen: Screen) -> Answer:
        """Plan a change that somebody approved for it."""
        approved = self.review.check(request.change, request.patchset)
        mine = [one for one in approved if one.project == self.settings.infra_project]
        if not mine:
            raise RefusedError(f"change {request.change} is none of {self.settings.infra_project}")
        base = self.fetch([one.ref for one in mine])
        commits = [self.infra.commit(one.revision) for one in mine]
        with self.infra.at(base, commits) as merged:
            pins = [self.pin(self.settings.infra), self.pin(merged)]
        site = self.site(self.code(pins[1]))
        outcome = plan.plan(
            site,
            screen,
            commits=commits,
            change=f"{request.change},{request.patchset}",
            # Another commit of xenci may do anything anywhere.
            everything=pins[0] != pins[1],
        )
        shown = self.shown(outcome)
        self.review.post(outcome.run, shown, [outcome.run.change])
        code = {store.NOTHING: 0, store.CHANGES: errors.CHANGES}.get(outcome.run.result, errors.FAILED)
        return Answer(code, shown, outcome.run.id)

    def apply(self, _request: Request, screen: Screen) -> Answer:
        """Apply what is merged, as far as it was planned; what is live already is not applied again."""
        tip = self.fetch([])
        if live := self.store.last("apply", commit=tip, result=store.APPLIED, limit=""):
            # Once more, for a worker that was killed before it came to that; the server has it but once.
            self.review.post(live, self.store.read(live, "report.txt"), live.changes)
            return Answer(0, f"already live with commit {tip[:12]}, run {live.id}\n", live.id)
        try:
            agreed = self.agreed(tip)
        except RefusedError as error:
            with self.store.run("apply", who(), commit=tip) as writer:
                writer.end(store.REFUSED, str(error))
            raise
        outcome = apply.apply(self.site(self.code(self.pin(self.settings.infra))), screen, agreed=agreed)
        shown = self.store.read(outcome.run, "report.txt") + self.by_hand(outcome.run)
        self.review.post(outcome.run, shown, outcome.run.changes)
        code = {store.APPLIED: 0, store.REFUSED: errors.REFUSED}.get(outcome.run.result, errors.FAILED)
        return Answer(code, shown, outcome.run.id)

    def drift(self, _request: Request, screen: Screen) -> Answer:
        """Compare what is merged with what is live."""
        self.fetch([])
        outcome = plan.plan(self.site(self.code(self.pin(self.settings.infra))), screen, kind="drift")
        write(self.settings.page, drift.page(outcome), 0o644)
        write(self.settings.metrics, drift.metrics(outcome), 0o644)
        code = {store.NOTHING: 0, store.CHANGES: errors.CHANGES}.get(outcome.run.result, errors.FAILED)
        return Answer(code, self.shown(outcome) + self.by_hand(outcome.run), outcome.run.id)

    def agreed(self, tip: str) -> list[store.Run]:
        """The plans of all that was merged since what is live.

        :raises RefusedError: when something was merged that nobody planned.
        """
        good = (store.NOTHING, store.CHANGES)
        plans = [one for one in self.store.all() if one.kind == "plan" and one.result in good]
        live = self.store.last("apply", result=store.APPLIED)
        if live is None or not live.commit:
            if same := [one for one in plans if one.tree == self.infra.tree(tip)]:
                return same[:1]
            raise RefusedError(
                "nothing was applied from here yet, so nobody knows what is new: look at `xenci drift`, then"
                " apply once by hand with `xenci apply --break-glass`"
            )
        found: dict[str, store.Run] = {}
        for patch in self.infra.patches(live.commit, tip):
            one = next((one for one in plans if patch in one.patches), None)
            if one is None:
                raise RefusedError(
                    f"a change between {live.commit[:12]}, which is live, and {tip[:12]}, which is merged,"
                    " was never planned: propose it again, or look at `xenci drift` and apply it by hand with"
                    " `xenci apply --break-glass`"
                )
            found[one.id] = one
        return list(found.values())

    def fetch(self, refs: Sequence[str]) -> str:
        """Get what is merged, check it out, and get some changes; return the commit that is merged."""
        settings = self.settings
        if not (settings.infra / ".git").exists():
            settings.infra.mkdir(parents=True, exist_ok=True)
            self.infra.git("init", "--quiet")
        branch = f"+refs/heads/{settings.branch}:refs/remotes/origin/{settings.branch}"
        self.infra.git("fetch", "--quiet", "--no-tags", "--", settings.infra_url, branch, *refs)
        tip = self.infra.commit(f"refs/remotes/origin/{settings.branch}")
        self.infra.git("checkout", "--quiet", "--force", "--detach", tip)
        self.infra.git("clean", "--quiet", "-ffdx")
        return tip

    def pin(self, infra: Path) -> str:
        """The commit of xenci that an inventory wants.

        :raises RepositoryError: when it names none.
        """
        files = touch.contents([infra / path for path in self.settings.inventories])
        variables = (each for content in files.values() for each in touch.variables(content))
        found = {str(value) for name, value in variables if name == PIN}
        if len(found) != 1 or not REVISION.fullmatch(commit := found.pop()):
            raise RepositoryError(f"{PIN} must be one whole commit in the inventory")
        return commit

    def code(self, commit: str) -> Path:
        """A checkout of xenci at a commit that is merged.

        :raises RepositoryError: when it is not.
        """
        settings = self.settings
        here = Repository(settings.code, settings.environment)
        if not (settings.code / ".git").exists():
            settings.code.mkdir(parents=True, exist_ok=True)
            here.git("init", "--quiet")
        branch = f"refs/remotes/origin/{settings.branch}"
        here.git(
            "fetch",
            "--quiet",
            "--no-tags",
            "--",
            settings.code_url,
            f"+refs/heads/{settings.branch}:{branch}",
        )
        here.git("merge-base", "--is-ancestor", commit, branch)
        here.git("checkout", "--quiet", "--force", "--detach", commit)
        collection = settings.code / ".cache/ansible_collections/xenci/stack"
        for link, target in ((settings.code / ".venv", settings.venv), (collection, Path("../../.."))):
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(target)
        done = subprocess.run([settings.code / "tools/wheel"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RepositoryError(
                f"tools/wheel of {commit[:12]}: {(done.stderr or done.stdout).strip()[-300:]}"
            )
        return settings.code

    def site(self, root: Path) -> Site:
        """What is merged, as runs see it."""
        settings = self.settings
        return Site(
            root=root,
            inventories=[settings.infra / path for path in settings.inventories],
            store=self.store,
            state=settings.state,
            password_file=settings.vault_password_file,
            secret_files=[settings.hosts_key, settings.git_key, settings.review_password_file],
        )

    def shown(self, outcome: Outcome) -> str:
        """A plan as a comment holds it."""
        where = f"xenci log {outcome.run.id} on {os.uname().nodename}"
        return text.whole(outcome.plan, plan.heading(outcome.run), text.REVIEW, where)

    def by_hand(self, run: store.Run) -> str:
        """What was applied without review since the last report of this kind."""
        before = [one for one in self.store.all() if one.kind == run.kind and one.started < run.started]
        since = before[0].started if before else ""
        found = apply.broken_glass(self.store, since)
        return "".join(
            f"\nWithout review, {one.started}, by {one.who}: {one.break_glass} (run {one.id}: {one.result})\n"
            for one in found
            if one.id != run.id
        )


def worker(settings: Settings) -> Worker:
    """A worker on this bastion."""
    return Worker(settings, Server(settings))
