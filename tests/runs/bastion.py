"""A bastion on this machine: real repositories, a real spool, and a review server in a few lines."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.runs.conftest import Bench, git
from xenci.bastion.settings import Settings, load
from xenci.bastion.worker import PIN, Worker
from xenci.review.approval import Commit, RefusedError
from xenci.runs.store import Run


class Review:
    """Approves what it is told to, and keeps what is posted."""

    def __init__(self) -> None:
        self.approved: dict[tuple[int, int], list[Commit]] = {}
        self.posted: list[tuple[str, str, str, str]] = []
        self._said: set[tuple[str, str]] = set()

    def check(self, change: int, patchset: int) -> Sequence[Commit]:
        """See `xenci.bastion.review.Review`."""
        try:
            return self.approved[change, patchset]
        except KeyError:
            raise RefusedError("nobody allowed it") from None

    def post(self, run: Run, text: str, changes: Sequence[str]) -> None:
        """See `xenci.bastion.review.Review`."""
        for change in changes:
            if (run.id, change) not in self._said:
                self._said.add((run.id, change))
                self.posted.append((run.kind, run.result, text, change))

    def flush(self) -> list[str]:
        """See `xenci.bastion.review.Review`."""
        return []


@dataclasses.dataclass
class Bastion:
    """The bastion, the bench whose site it works on, and the server's repositories."""

    bench: Bench
    settings: Settings
    review: Review
    worker: Worker

    def ask(self, line: str) -> str:
        """Put a request into the spool, as a job does."""
        from xenci.bastion.requests import parse

        return self.worker.spool.put(parse(line))

    def answer(self, line: str) -> tuple[int, str]:
        """Ask, let the worker work, and read the answer."""
        name = self.ask(line)
        self.worker.work()
        answer = self.worker.spool.answered(name)
        assert answer
        return answer.code, answer.text

    def propose(self, number: int, files: dict[str, str], onto: str = "master") -> str:
        """A change on the server, on a branch of its own name; return its commit."""
        infra = self.bench.infra
        git(infra, "checkout", "--quiet", "-B", f"change-{number}", onto)
        for name, text in files.items():
            self.bench.set(name, text)
        commit = self.bench.commit(f"change {number}")
        git(infra, "update-ref", self.ref(number), commit)
        git(infra, "checkout", "--quiet", "master")
        return commit

    def approve(self, *numbers: int) -> None:
        """Allow the last change to be planned, with those it stands on."""
        revisions = [git(self.bench.infra, "rev-parse", self.ref(one)) for one in numbers]
        commits = [
            Commit("infra", revision, self.ref(one)) for one, revision in zip(numbers, revisions, strict=True)
        ]
        self.review.approved[numbers[-1], 1] = commits

    def merge(self, number: int) -> str:
        """Submit a change; return what is merged then."""
        git(self.bench.infra, "merge", "--quiet", "--no-edit", self.ref(number))
        return git(self.bench.infra, "rev-parse", "HEAD")

    @staticmethod
    def ref(number: int) -> str:
        return f"refs/changes/{number % 100:02}/{number}/1"


@pytest.fixture
def bastion(bench: Bench, tmp_path: Path) -> Bastion:
    """A bastion whose hosts are what the first commit of infra says; that commit was applied."""
    code = bench.site.root
    (code / "tools").mkdir()
    (code / "tools/wheel").write_text("#!/bin/sh\nexit 0\n")
    (code / "tools/wheel").chmod(0o755)
    (code / ".gitignore").write_text(".cache\n.venv\n")
    # What a checkout of its own can hold: no links into this one.
    for name in ("ansible.cfg", "roles"):
        (code / name).unlink()
    root = Path(__file__).parents[2]
    (code / "ansible.cfg").write_text(f"[defaults]\ncollections_path = {root}/.cache\n")
    git(code, "init", "--quiet")
    git(code, "add", "--all")
    git(code, "commit", "--quiet", "--message", "code")
    bench.set("group_vars/all/code.yml", f"{PIN}: {git(code, 'rev-parse', 'HEAD')}\n")
    bench.commit("pin")
    home = tmp_path / "bastion"
    keys = home / "keys"
    for folder in (home / "spool/requests", home / "spool/answers", home / "runs", keys):
        folder.mkdir(parents=True)
    for name in ("git_key", "hosts_key", "review_password"):
        (keys / name).write_text(f"the-{name}-of-the-bastion\n")
    values = {
        "spool": f"{home}/spool",
        "runs": f"{home}/runs",
        "infra": f"{home}/infra",
        "infra_url": str(bench.infra),
        "infra_project": "infra",
        "branch": "master",
        "inventories": ["inventory"],
        "code": f"{home}/xenci",
        "code_url": str(code),
        "venv": f"{root}/.venv",
        "git_key": f"{keys}/git_key",
        "git_known_hosts": f"{keys}/known_hosts",
        "hosts_key": f"{keys}/hosts_key",
        "vault_password_file": str(bench.site.password_file),
        "review_url": "https://review.example.org/",
        "review_user": "bastion",
        "review_password_file": f"{keys}/review_password",
        "review_group": "xenci-core",
        "days": 90,
        "page": f"{home}/drift.html",
        "metrics": f"{home}/drift.prom",
    }
    (home / "bastion.json").write_text(json.dumps(values))
    settings, review = load(home / "bastion.json"), Review()
    bench.be_applied()
    worker = Worker(settings, review)
    with worker.store.run("apply", "root", commit=git(bench.infra, "rev-parse", "HEAD")) as writer:
        writer.end("applied")
    return Bastion(bench, settings, review, worker)
