"""Where one account of the review server works: clones, and an SSH with its key and the server's."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xenci.apply import processes
from xenci.demo.site import Site
from xenci.files import write

SSH_PORT = 29418


class GitError(Exception):
    """A command failed; the message holds what it printed."""


@dataclasses.dataclass(frozen=True)
class Desk:
    """The work place of one account in the lab's `work` directory.

    git-review calls `ssh` and `scp` by their names and takes no options for them. So the desk has both in a
    directory of its own, as one-line programs that read the desk's configuration and nobody else's.
    """

    site: Site
    account: str

    @property
    def directory(self) -> Path:
        """All of it; also HOME for git, so that nobody's own settings matter."""
        return self.site.lab.work / self.account

    @property
    def environment(self) -> dict[str, str]:
        """Environment for git and git-review."""
        binaries = self.site.lab.root / ".venv" / "bin"
        return {
            "PATH": f"{self.directory / 'bin'}{os.pathsep}{binaries}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.directory),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }

    def prepare(self, host_key: str) -> None:
        """Write the desk's files.

        :param host_key: the review server's own SSH key, type and base64.
        """
        (self.directory / "bin").mkdir(mode=0o700, parents=True, exist_ok=True)
        address = self.site.addresses["review"]
        write(self.directory / "known_hosts", f"[{address}]:{SSH_PORT} {host_key}\n")
        key = self.site.lab.keys / f"gerrit_{self.account.replace('-', '_')}"
        write(
            self.directory / "ssh_config",
            f"Host {address}\n"
            f"    Port {SSH_PORT}\n"
            f"    User {self.account}\n"
            f'    IdentityFile "{key}"\n'
            "    IdentitiesOnly yes\n"
            "    BatchMode yes\n"
            "    StrictHostKeyChecking yes\n"
            f'    UserKnownHostsFile "{self.directory / "known_hosts"}"\n'
            "    ConnectTimeout 15\n"
            "    ServerAliveInterval 15\n",
        )
        for name in ("ssh", "scp"):
            program = shutil.which(name)
            text = f'#!/bin/sh\nexec {program} -F "{self.directory / "ssh_config"}" "$@"\n'
            write(self.directory / "bin" / name, text, 0o700)

    def url(self, project: str) -> str:
        """Where a project is cloned from and pushed to."""
        return f"ssh://{self.account}@{self.site.addresses['review']}:{SSH_PORT}/{project}"

    def clone(self, project: str) -> Path:
        """A clone of a project at the tip of its branch, whatever an earlier run left there."""
        path = self.directory / project
        if not (path / ".git").is_dir():
            shutil.rmtree(path, ignore_errors=True)
            new = self.directory / f".{project}.new"
            shutil.rmtree(new, ignore_errors=True)
            self.run(self.directory, "git", "clone", "--quiet", self.url(project), str(new))
            for name, value in self._settings().items():
                self.run(new, "git", "config", name, value)
            new.rename(path)
        for lock in (path / ".git").rglob("*.lock"):  # of a git that was killed
            lock.unlink()
        self.run(path, "git", "fetch", "--quiet", "--prune", "origin")
        self.run(path, "git", "checkout", "--quiet", "--force", "-B", "master", "origin/master")
        self.run(path, "git", "clean", "--quiet", "-ffdx")
        return path

    def tip(self, project: str) -> str:
        """The commit that a project's branch is at."""
        return self.run(self.clone(project), "git", "rev-parse", "HEAD").strip()

    def _settings(self) -> dict[str, str]:
        person = self.gerrit("accounts/self")
        return {
            "user.name": person.get("name") or self.account,
            "user.email": person["email"],
            "commit.gpgsign": "false",
            "gitreview.username": self.account,
        }

    def run(self, directory: Path, *command: str, stdin: str = "") -> str:
        """Run a command at the desk and return what it printed.

        :raises GitError: when it fails.
        """
        answer = subprocess.run(
            processes.tied(command),
            input=stdin,
            cwd=directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if answer.returncode:
            said = (answer.stderr + answer.stdout).strip()
            raise GitError(f"{' '.join(command)} in {directory} failed ({answer.returncode}):\n{said}")
        return answer.stdout + answer.stderr

    def stream(self) -> subprocess.Popen[str]:
        """A running `gerrit stream-events`; one JSON object a line on its standard output."""
        ssh = str(self.directory / "bin" / "ssh")
        return subprocess.Popen(
            processes.tied([ssh, self.site.addresses["review"], "gerrit", "stream-events"]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
        )

    def vote(self, number: int, labels: Mapping[str, int]) -> None:
        """Vote on the current patch set of a change."""
        self.site.post(f"changes/{number}/revisions/current/review", {"labels": labels}, self.account)

    def gerrit(self, path: str) -> Any:
        """The review server's REST API, as this account."""
        return self.site.gerrit(path, self.account)
