"""kill -9: what was accepted is there after a restart, in git and in the database alike."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.lab_gerrit.lab import Lab


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    made.init()
    made.start()
    made.fill()
    try:
        yield made
    finally:
        made.stop()


def refs(lab: Lab) -> dict[str, str]:
    lines = lab.run("git", "ls-remote", lab.remote("admin")).out.splitlines()
    return {name: sha for sha, name in (line.split("\t") for line in lines)}


def test_killed_while_pushes_and_votes_come(own: Lab) -> None:
    path = own.work("dev", "storm")
    pushed: list[tuple[int, str]] = []
    voted: list[int] = []

    def storm() -> None:
        while True:
            own.run("git", "checkout", "-q", "--detach", "origin/master", cwd=path)
            sha = own.commit(path, "storm")
            done = own.run("git", "push", own.remote("dev"), "HEAD:refs/for/master", cwd=path)
            match = re.search(r"/\+/(\d+) ", done.err)
            if done.exit or not match:
                return
            pushed.append((int(match[1]), sha))
            body = {"labels": {"Verified": 1}}
            try:
                answer = own.rest("ci", "POST", f"/changes/{match[1]}/revisions/current/review", body)
            except OSError:
                return
            if answer.status == 200:
                voted.append(int(match[1]))

    worker = threading.Thread(target=storm)
    worker.start()
    worker.join(1.5)
    own.kill()
    worker.join(30)
    assert pushed
    own.start()
    there = refs(own)
    for number, sha in pushed:
        assert there[f"refs/changes/{number % 100:02}/{number}/1"] == sha
        detail = own.must("dev", "GET", f"/changes/{number}/detail")
        votes = [entry.get("value") for entry in detail["labels"]["Verified"].get("all", [])]
        assert votes == [1] or number not in voted
    # Whatever the server got as far as writing down, git and database agree on it.
    known = own.must("admin", "GET", "/changes/?q=status:open&o=ALL_REVISIONS&n=0")
    said = {info["ref"]: sha for change in known for sha, info in change["revisions"].items()}
    in_git = {ref: sha for ref, sha in there.items() if re.fullmatch(r"refs/changes/../\d+/\d+", ref)}
    assert said == in_git
    assert own.change("dev", "after") > max(number for number, _ in pushed)


def test_refs_that_a_crash_left_owing_are_written(own: Lab) -> None:
    number = own.change("dev", "owed")
    ref = f"refs/changes/{number % 100:02}/{number}/1"
    sha = refs(own)[ref]
    own.kill()
    repository = own.site / "git" / "demo.git"
    # As it is when the transaction was committed and git was not reached any more.
    subprocess.run(["git", "--git-dir", str(repository), "update-ref", "-d", ref], check=True)
    with sqlite3.connect(own.site / "db" / "lab_gerrit.sqlite") as database:
        database.execute(
            "INSERT INTO pending_refs (project, ref, old, new) VALUES ('demo', ?, ?, ?)", (ref, "0" * 40, sha)
        )
    database.close()
    own.start()
    assert refs(own)[ref] == sha


def test_a_change_whose_branch_was_pushed_before_the_crash_is_merged(own: Lab) -> None:
    number = own.change("dev", "half-way")
    sha = refs(own)[f"refs/changes/{number % 100:02}/{number}/1"]
    own.kill()
    # As it is when the branch has moved and the change has not been told yet.
    repository = own.site / "git" / "demo.git"
    subprocess.run(["git", "--git-dir", str(repository), "update-ref", "refs/heads/master", sha], check=True)
    own.start()
    assert own.must("dev", "GET", f"/changes/{number}")["status"] == "MERGED"


def test_a_second_init_changes_nothing_and_a_new_password_ends_the_old(own: Lab) -> None:
    words = [*own.command("init"), "--admin-password-file", "-"]

    def init(password: str) -> str:
        done = subprocess.run(
            words, input=password, capture_output=True, text=True, env=own.environment, check=True
        )
        return done.stdout.strip()

    assert init("password-of-admin") == "unchanged"
    assert init("another-password") == "changed"
    assert own.rest("admin", "GET", "/accounts/self").status == 401


def test_stops_when_told(own: Lab) -> None:
    assert own.stop() == 0
