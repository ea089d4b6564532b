"""The first content of the review server's projects; a later run brings them up to date with the checkout."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from xenci import render
from xenci.demo.desk import SSH_PORT, Desk

UNDER_TEST = ("hypervisor-tools", "sandbox")


def seed(desk: Desk) -> list[str]:
    """Push what is new to infra, xenci, sandbox and hypervisor-tools; return the projects that changed."""
    changed = []
    for project in (*UNDER_TEST, "xenci", "infra"):
        clone = desk.clone(project)
        with tempfile.TemporaryDirectory(dir=desk.directory) as made:
            tree = Path(made)
            _content(desk, project, tree)
            (tree / ".gitreview").write_text(gitreview(desk, project), encoding="utf-8")
            if _push(desk, clone, tree):
                changed.append(project)
    return changed


def _content(desk: Desk, project: str, tree: Path) -> None:
    root = desk.site.lab.root
    if project == "infra":
        render.infra_tree(desk.site.lab.inventories, tree, root=root)
    elif project == "xenci":
        # What is checked out, with changes that are not committed yet, as everywhere else in the demo.
        listed = desk.run(
            root,
            "git",
            "-c",
            f"safe.directory={root}",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        )
        for name in filter(None, listed.split("\0")):
            source, target = root / name, tree / name
            if source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)
    else:
        shutil.copytree(root / "demo" / "projects" / project, tree, dirs_exist_ok=True)


def gitreview(desk: Desk, project: str) -> str:
    """Content of `.gitreview`: where `git review` proposes changes."""
    return f"[gerrit]\nhost={desk.site.addresses['review']}\nport={SSH_PORT}\nproject={project}\ndefaultbranch=master\n"


def _push(desk: Desk, clone: Path, tree: Path) -> bool:
    desk.run(clone, "git", f"--work-tree={tree}", "add", "--all", "--force", ".")
    if not desk.run(clone, "git", "diff", "--cached", "--name-only").strip():
        return False
    first = not desk.run(clone, "git", "ls-tree", "--name-only", "HEAD").strip()
    message = "First content" if first else "Follow the checkout that the demo runs from"
    desk.run(clone, "git", "commit", "--quiet", "--message", message)
    desk.run(clone, "git", "push", "--quiet", "origin", "HEAD:refs/heads/master")
    return True
