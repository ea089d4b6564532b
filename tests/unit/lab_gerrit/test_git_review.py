"""git-review, unchanged, against the lab Gerrit."""

from __future__ import annotations

from tests.unit.lab_gerrit.lab import Lab


def test_propose_amend_and_download(lab: Lab) -> None:
    path = lab.work("dev", "git-review")
    (path / ".git" / "hooks" / "commit-msg").unlink()
    (path / ".gitreview").write_text(
        f"[gerrit]\nhost=127.0.0.1\nport={lab.ssh_port}\nproject=demo\ndefaultbranch=master\n"
    )
    lab.run("git", "config", "gitreview.username", "dev", cwd=path)
    setup = lab.run("git", "review", "-s", cwd=path)
    assert setup.exit == 0, setup
    # The hook came from the server, over scp.
    assert (path / ".git" / "hooks" / "commit-msg").exists()
    lab.commit(path, "with git-review")
    pushed = lab.run("git", "review", "-t", "with-topic", cwd=path)
    assert pushed.exit == 0, pushed
    number = int((pushed.out + pushed.err).split("/+/")[1].split()[0])
    found = lab.must("dev", "GET", f"/changes/{number}?o=CURRENT_REVISION")
    assert (found["topic"], found["current_revision_number"]) == ("with-topic", 1)
    lab.commit(path, "", amend=True)
    amended = lab.run("git", "review", cwd=path)
    assert amended.exit == 0, amended
    assert lab.must("dev", "GET", f"/changes/{number}")["current_revision_number"] == 2
    got = lab.run("git", "review", "-d", str(number), cwd=path)
    assert got.exit == 0, got
    listed = lab.run("git", "review", "-l", cwd=path)
    assert str(number) in listed.out


def test_without_a_change_id_the_server_says_how_to_get_the_hook(lab: Lab) -> None:
    path = lab.work("dev", "no-hook")
    (path / ".git" / "hooks" / "commit-msg").unlink()
    lab.commit(path, "no footer")
    done = lab.run("git", "push", lab.remote("dev"), "HEAD:refs/for/master", cwd=path)
    assert done.exit == 1
    assert "missing Change-Id in message footer" in done.err
    assert "/tools/hooks/commit-msg" in done.err
