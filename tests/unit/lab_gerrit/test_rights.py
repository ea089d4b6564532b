"""A table of account, operation, answer: who may do what, and what those hear who may not."""

from __future__ import annotations

import pytest

from tests.unit.lab_gerrit.lab import Answer, Lab

USERS = (None, "other", "dev", "core", "ci", "admin")
"""None is anonymous; dev owns the changes; core reviews and submits; ci votes on Verified."""


@pytest.fixture(scope="module")
def changes(lab: Lab) -> dict[str, int]:
    return {
        name: lab.change("dev", name, "%private" if name == "private" else "") for name in ("open", "private")
    }


def vote(lab: Lab, user: str | None, change: int, **labels: int) -> Answer:
    body = {"labels": {key.replace("_", "-"): value for key, value in labels.items()}}
    return lab.rest(user, "POST", f"/changes/{change}/revisions/current/review", body)


VOTES = {
    ("Code_Review", 1): (403, 200, 200, 200, 200, 200),
    ("Code_Review", 2): (403, 403, 403, 200, 403, 200),
    ("Code_Review", -2): (403, 403, 403, 200, 403, 200),
    ("Verified", 1): (403, 403, 403, 403, 200, 403),
    ("Verified", -1): (403, 403, 403, 403, 200, 403),
    ("Code_Review", 0): (403, 200, 200, 200, 200, 200),
}


@pytest.mark.parametrize("label", VOTES, ids=lambda label: f"{label[0]}{label[1]:+d}")
def test_votes(lab: Lab, changes: dict[str, int], label: tuple[str, int]) -> None:
    answers = [vote(lab, user, changes["open"], **{label[0]: label[1]}) for user in USERS]
    assert tuple(answer.status for answer in answers) == VOTES[label]
    for user, answer in zip(USERS, answers, strict=True):
        if answer.status == 403:
            name = label[0].replace("_", "-")
            refused = f'Applying label "{name}": {label[1]} is restricted'
            assert answer.body == (refused if user else "Authentication required")


READS = {
    "/projects/demo": (200, 200, 200, 200, 200, 200),
    "/changes/{open}": (200, 200, 200, 200, 200, 200),
    # The administrator reads it only by pushing himself in: private is private.
    "/changes/{private}": (404, 404, 200, 404, 404, 404),
    "/changes/{private}/revisions/current/files": (404, 404, 200, 404, 404, 404),
    "/changes/?q=is:open+{private}": (200, 200, 200, 200, 200, 200),
    "/plugins/": (403, 403, 403, 403, 403, 200),
    "/config/server/version": (200, 200, 200, 200, 200, 200),
}


@pytest.mark.parametrize("path", READS)
def test_reads(lab: Lab, changes: dict[str, int], path: str) -> None:
    url = path.format(**changes)
    assert tuple(lab.rest(user, "GET", url).status for user in USERS) == READS[path]


def test_private_change_is_in_nobody_elses_list(lab: Lab, changes: dict[str, int]) -> None:
    seen = [user for user in USERS if lab.rest(user, "GET", f"/changes/?q=change:{changes['private']}").body]
    assert seen == ["dev"]


WRITES = {
    ("PUT", "/projects/mine", "create project not permitted"): (403, 403, 403, 403, 403, None),
    ("PUT", "/accounts/mine", "create account not permitted"): (403, 403, 403, 403, 403, None),
    ("POST", "/changes/{open}/submit", "submit not permitted"): (403, 403, 403, None, 403, None),
    ("POST", "/changes/{open}/rebase", "rebase not permitted"): (403, 403, None, None, 403, None),
    ("PUT", "/changes/{open}/topic", "edit topic name not permitted"): (403, 403, None, 403, 403, None),
    ("POST", "/changes/{open}/wip", "toggle work in progress state not permitted"): (
        (403, 403, None, 403, 403, None)
    ),
    ("DELETE", "/changes/{open}", "delete not permitted"): (403, 403, 403, 403, 403, None),
    ("POST", "/changes/{open}/abandon", "abandon not permitted"): (403, 403, None, 403, 403, None),
}


@pytest.mark.parametrize("operation", WRITES, ids=lambda operation: f"{operation[0]} {operation[1]}")
def test_denied_writes(lab: Lab, changes: dict[str, int], operation: tuple[str, str, str]) -> None:
    method, path, words = operation
    for user, expected in zip(USERS, WRITES[operation], strict=True):
        if expected is None:
            continue
        answer = lab.rest(user, method, path.format(**changes), {} if method != "DELETE" else None)
        assert answer.status == expected, (user, answer)
        assert answer.body.startswith(words if user else "Authentication required"), (user, answer)


SSH = {
    "gerrit stream-events -s nonsense": ("stream events not permitted", ("ci", "admin")),
    "gerrit show-connections": ("view connections not permitted", ("admin",)),
    "gerrit close-connection deadbeef": ("administrate server not permitted", ("admin",)),
    "gerrit create-project mine2": ("create project not permitted", ()),
}


@pytest.mark.parametrize("command", SSH)
def test_denied_commands(lab: Lab, command: str) -> None:
    words, allowed = SSH[command]
    for user in ("other", "dev", "core", "ci"):
        if user not in allowed:
            done = lab.ssh(user, command)
            assert (done.exit, done.err.strip()) == (1, words), (user, done)


PUSHES = {
    "refs/heads/master": ("not permitted: update", ()),
    "refs/heads/new": ("not permitted: create", ("admin",)),
    "refs/tags/v9": ("not permitted: create", ("admin",)),
    "refs/changes/01/1/9": ("not permitted: create", ()),
    "refs/for/master": ("", ("dev", "other", "core", "ci")),
    "refs/for/master%l=Code-Review+2": ('applying label "Code-Review": 2 is restricted', ("core",)),
}


@pytest.mark.parametrize("ref", PUSHES)
@pytest.mark.parametrize("user", ["dev", "other", "core", "ci"])
def test_pushes(lab: Lab, ref: str, user: str) -> None:
    words, allowed = PUSHES[ref]
    path = lab.work(user, f"push-{user}-{abs(hash(ref))}")
    lab.commit(path, "a push")
    done = lab.run("git", "push", lab.remote(user), f"HEAD:{ref}", cwd=path)
    if user in allowed:
        assert done.exit == 0, done
    else:
        assert done.exit == 1
        assert words in done.err


def test_others_cannot_fetch_a_private_change(lab: Lab, changes: dict[str, int]) -> None:
    number = changes["private"]
    ref = f"refs/changes/{number % 100:02}/{number}/1"
    answers = {
        user: lab.run("git", "ls-remote", lab.remote(user), ref).out for user in ("dev", "other", "ci")
    }
    assert [user for user, out in answers.items() if out] == ["dev"]
    assert lab.run("git", "ls-remote", f"{lab.url}/demo", ref).out == ""


def test_wrong_key_and_wrong_password_open_nothing(lab: Lab) -> None:
    strange = [
        f"-o{key}"
        for key in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes")
    ]
    words = [
        "/usr/bin/ssh",
        "-F/dev/null",
        *strange,
        f"-i{lab.folder}/other",
        f"-p{lab.ssh_port}",
        "dev@127.0.0.1",
    ]
    done = lab.run(*words, "gerrit version")
    assert done.exit == 255
    assert "Permission denied (publickey)" in done.err
    assert lab.rest("nobody", "GET", "/accounts/self").status == 401


@pytest.mark.parametrize(("section", "status"), [("refs/heads/*", 200), ("refs/*", 403)])
def test_a_block_beside_an_allow(lab: Lab, section: str, status: int) -> None:
    """As in Gerrit an ALLOW of the same section outweighs the BLOCK, one of another section does not."""
    project = f"blocked-{status}"
    assert lab.rest("admin", "PUT", f"/projects/{project}", {"create_empty_commit": True}).status == 201
    uuid = lab.rest("admin", "GET", "/groups/Core").body["id"]
    whole = {"min": -2, "max": 2}
    allow = {uuid: {"action": "ALLOW", **whole}}
    block = {"global:Change-Owner": {"action": "BLOCK", **whole}}
    rules = {"refs/heads/*": allow, section: allow | block if section == "refs/heads/*" else block}
    name = "label-Code-Review"
    body = {
        "add": {
            ref: {"permissions": {name: {"label": "Code-Review", "rules": each}}}
            for ref, each in rules.items()
        }
    }
    assert lab.rest("admin", "POST", f"/projects/{project}/access", body).status == 200
    new = {"project": project, "branch": "master", "subject": "A change"}
    change = lab.rest("core", "POST", "/changes/", new).body["_number"]
    assert vote(lab, "core", change, Code_Review=2).status == status
