"""What anybody with an account can read: the CI's comments, files of a log, what git makes of a change."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import requests

from xenci.demo.report import paths
from xenci.demo.site import Site


def ci_messages(site: Site, number: int) -> list[dict[str, Any]]:
    """The CI's messages on a change, as Gerrit's REST gives them."""
    messages = site.change(number, "carol")["messages"]
    return [message for message in messages if message["author"].get("username") == "xen-ci"]


def log(site: Site, build: dict[str, Any], name: str) -> requests.Response:
    """The answer to a request for the one file of that name in the log of a build."""
    manifest = site.get(f"{build['log_url']}zuul-manifest.json").json()
    (path,) = [path for path in paths(manifest["tree"]) if Path(path).name == name]
    return site.get(build["log_url"] + path)


def merged_tree(site: Site, project: str, number: int, patchset: int, directory: Path) -> str:
    """Tree of the target branch with the change merged into it, fetched over HTTPS as carol."""
    directory.mkdir()
    credentials = directory / "credentials"
    secret = site.passwords["carol"]
    credentials.write_text(f"#!/bin/sh\ncase $1 in User*) echo carol;; *) echo {secret};; esac\n")
    credentials.chmod(0o700)

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(directory), *arguments],
            env={"PATH": "/usr/bin:/bin", "GIT_ASKPASS": str(credentials), "GIT_SSL_CAINFO": site.authority},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    git("init", "--quiet")
    ref = f"refs/changes/{number % 100:02}/{number}/{patchset}"
    git(
        "fetch",
        "--quiet",
        f"{site.review}a/{project}",
        "master:refs/heads/target",
        f"{ref}:refs/heads/change",
    )
    return git("merge-tree", "--write-tree", "target", "change").splitlines()[0]
