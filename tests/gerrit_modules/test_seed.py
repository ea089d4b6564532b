"""First commits, pushed with git to the server and read back with git."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from tests.gerrit_contract.replay import Server
from tests.gerrit_modules.conftest import Run

PUSH = {"ref": "refs/heads/*", "permission": "push", "group": "Administrators"}


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A git work tree with things that belong into a commit and things that do not."""
    tree = tmp_path / "content"
    (tree / "sub dir").mkdir(parents=True)
    (tree / "README.md").write_text("text\n")
    (tree / "sub dir" / "ümlaut").write_text("text\r\n")
    (tree / "run").write_text("#!/bin/sh\n")
    (tree / "run").chmod(0o755)
    (tree / "link").symlink_to("README.md")
    (tree / ".gitignore").write_text("built\n")
    (tree / "built").write_text("not to be committed")
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    return tree


@pytest.fixture
def pushing(run: Run) -> None:
    """Administrators may push, which they may not on a fresh Gerrit."""
    run("access", {"rules": [PUSH]})


def git(server: Server, directory: Path, *arguments: str) -> str:
    login = base64.b64encode(f"{server.admin}:{server.admin_password}".encode()).decode()
    options = ["-c", "core.quotePath=false", "-c", f"http.extraHeader=Authorization: Basic {login}"]
    if server.ca:
        options += ["-c", f"http.sslCAInfo={server.ca}"]
    done = subprocess.run(
        ["git", "-C", str(directory), *options, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout


def clone(server: Server, project: str, directory: Path) -> Path:
    git(server, directory, "clone", "-q", f"{server.url.rstrip('/')}/a/{project}", "clone")
    return directory / "clone"


def test_without_the_right_to_push(run: Run, content: Path) -> None:
    run("access", {"state": "absent", "rules": [PUSH]})
    run("project", {"name": "denied"})
    result = run("seed", {"project": "denied", "directory": str(content)})
    assert "needs the permission push" in result["msg"], result


@pytest.mark.usefixtures("pushing")
def test_first_commit(run: Run, server: Server, content: Path, tmp_path: Path) -> None:
    run("project", {"name": "group/seeded"})
    params = {"project": "group/seeded", "directory": str(content)}
    assert run("seed", params, check=True)["changed"]
    done = run("seed", params)
    assert done.get("changed"), done
    again = run("seed", params)
    assert not again["changed"]
    assert again["seed"]["revision"] == done["seed"]["revision"]

    copy = clone(server, "group/seeded", tmp_path)
    files = git(server, copy, "ls-tree", "-r", "-z", "--format=%(objectmode) %(path)", "HEAD").split("\0")
    assert sorted(filter(None, files)) == [
        "100644 .gitignore",
        "100644 README.md",
        "100644 sub dir/ümlaut",
        "100755 run",
        "120000 link",
    ]
    assert (copy / "sub dir" / "ümlaut").read_bytes() == b"text\r\n"
    log = git(server, copy, "log", "-1", "--format=%an <%ae>, %cI%n%B")
    assert log.startswith(
        "Administrator <admin@example.com>, 2024-01-01T00:00:00+00:00\nInitial import\n\nChange-Id: I"
    )


@pytest.mark.usefixtures("pushing")
def test_same_content_has_the_same_tree_and_change_id(
    run: Run, server: Server, content: Path, tmp_path: Path
) -> None:
    seen = set()
    for name in ("one", "two"):
        run("project", {"name": name})
        assert run("seed", {"project": name, "directory": str(content)})["changed"]
        (tmp_path / name).mkdir()
        copy = clone(server, name, tmp_path / name)
        seen.add(git(server, copy, "log", "-1", "--format=%T %B"))
    assert len(seen) == 1


@pytest.mark.usefixtures("pushing")
def test_project_without_any_commit(run: Run, content: Path) -> None:
    run("project", {"name": "bare", "create_empty_commit": False})
    params = {"project": "bare", "directory": str(content), "branch": "main", "commit_message": "Begin"}
    assert run("seed", params)["changed"]
    assert not run("seed", params)["changed"]


@pytest.mark.usefixtures("pushing")
def test_content_is_left_alone(run: Run, content: Path) -> None:
    run("project", {"name": "full"})
    assert run("seed", {"project": "full", "directory": str(content)})["changed"]
    (content / "README.md").write_text("changed\n")
    assert not run("seed", {"project": "full", "directory": str(content)})["changed"]


@pytest.mark.parametrize("check", [True, False])
def test_what_is_missing(run: Run, tmp_path: Path, check: bool) -> None:
    run("project", {"name": "waiting"})
    for params in (
        {"project": "nowhere", "directory": str(tmp_path)},
        {"project": "waiting", "directory": str(tmp_path / "nowhere")},
    ):
        result = run("seed", params, check=check)
        assert "nowhere" in str(result["warnings"] if check else result["msg"])
        assert bool(result.get("failed")) is not check


def test_empty_directory(run: Run, tmp_path: Path) -> None:
    run("project", {"name": "nothing"})
    assert "no files" in run("seed", {"project": "nothing", "directory": str(tmp_path)})["msg"]


@pytest.mark.usefixtures("pushing")
def test_no_secret_in_what_git_says(run: Run, server: Server, content: Path) -> None:
    run("project", {"name": "secretless"})
    params = {"project": "secretless", "directory": str(content), "date": "no date"}
    assert server.admin_password not in str(run("seed", params))
