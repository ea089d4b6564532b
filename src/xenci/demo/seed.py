"""The content of the review server's projects.

`stage` puts it together in `.lab/<lab>/seeds/<project>`, whence role gerrit_config makes first commits;
`follow` pushes what a newer checkout or inventory has changed since, and what is only known then: the commit
that the bastion applies, and the key with which jobs ask it, as only this Zuul can read it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from xenci import render
from xenci.demo import inventory, job_key
from xenci.demo.desk import SSH_PORT, Desk
from xenci.demo.lab import Lab
from xenci.demo.site import Site
from xenci.lint import INVENTORY

PROJECTS = ("hypervisor-tools", "sandbox", "xenci", "infra")


def stage(site: Site) -> None:
    """Put the content of every project together, as it is to be now."""
    for project in PROJECTS:
        tree = site.lab.seeds / project
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
        if project == "infra":
            skeleton(tree, site.lab.root)
            render.render(site.lab.inventories, tree, root=site.lab.root)
            inventory.copy(site.lab, tree / INVENTORY)
        elif project == "xenci":
            _checkout(site.lab, tree)
        else:
            shutil.copytree(site.lab.root / "demo" / "projects" / project, tree, dirs_exist_ok=True)
        (tree / ".gitreview").write_text(gitreview(site, project), encoding="utf-8")


def infra(root: Path) -> list[Path]:
    """What the demo's infra is made of: the skeleton that an operator copies, and the demo's own jobs."""
    return [root / "infra", root / "demo" / "infra"]


def skeleton(tree: Path, root: Path) -> None:
    """Put the demo's infra together, but for what is rendered."""
    for part in infra(root):
        shutil.copytree(part, tree, dirs_exist_ok=True)


def _checkout(lab: Lab, tree: Path) -> None:
    """Copy this checkout with changes that are not committed yet, as everywhere else in the demo."""
    command = ["git", "-c", f"safe.directory={lab.root}", "ls-files", "-z", "--cached", "--others"]
    listed = subprocess.run(
        [*command, "--exclude-standard"], cwd=lab.root, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        source, target = lab.root / name, tree / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)


def gitreview(site: Site, project: str) -> str:
    """Content of `.gitreview`: where `git review` proposes changes."""
    host = site.addresses["review"]
    return f"[gerrit]\nhost={host}\nport={SSH_PORT}\nproject={project}\ndefaultbranch=master\n"


def follow(desk: Desk, projects: Sequence[str] = PROJECTS) -> list[str]:
    """Push what differs from the review server's branches; return the projects that changed."""
    changed = []
    for project in projects:
        clone = desk.clone(project)
        if project == "infra":
            tree = desk.site.lab.seeds / project
            inventory.pin(tree / INVENTORY, desk.tip("xenci"))
            job_key.encrypt(desk.site, tree / job_key.FILE)
        desk.run(clone, "git", f"--work-tree={desk.site.lab.seeds / project}", "add", "--all", ".")
        if desk.run(clone, "git", "diff", "--cached", "--name-only").strip():
            message = "Follow the checkout that the demo runs from"
            desk.run(clone, "git", "commit", "--quiet", "--message", message)
            desk.run(clone, "git", "push", "--quiet", "origin", "HEAD:refs/heads/master")
            changed.append(project)
    return changed
