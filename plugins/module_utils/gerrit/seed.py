"""What gerrit_seed does: the first commit of a project, made from a directory and pushed with git.

git is run with an environment of its own: no configuration of the user or the machine, the password neither
on the command line nor in a file or URL.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from typing import Any

from ansible_collections.xenci.stack.plugins.module_utils.gerrit.client import Gerrit, GerritError, quote
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.result import Plan

# The tree without files: the same in every repository of SHA-1 objects.
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

# AnsibleModule.run_command: arguments and keywords to exit code, stdout, stderr.
RunCommand = Callable[..., tuple[int, str, str]]


def plan_seed(gerrit: Gerrit, params: dict[str, Any], check_mode: bool, run_command: RunCommand) -> Plan:
    """Compare the branch with the parameters of gerrit_seed."""
    return _SeedPlan(gerrit, params, check_mode, run_command).plan


def change_id(tree: str, message: str) -> str:
    """A Change-Id that depends only on what is committed: the same seed has the same one everywhere."""
    return "I" + hashlib.sha1(f"{tree}\n{message}".encode()).hexdigest()  # noqa: S324 - an id as git has


def commit_message(tree: str, message: str) -> str:
    """The message with its Change-Id."""
    return f"{message.strip()}\n\nChange-Id: {change_id(tree, message)}\n"


class _SeedPlan:
    """Builds the plan."""

    def __init__(
        self, gerrit: Gerrit, params: dict[str, Any], check_mode: bool, run_command: RunCommand
    ) -> None:
        self.gerrit = gerrit
        self.params = params
        self.run_command = run_command
        self.project: str = params["project"]
        self.branch: str = params["branch"]
        self.directory: str = params["directory"]
        self.ref = f"refs/heads/{self.branch}"
        self.plan = Plan({}, {})
        answer = gerrit.get(f"/projects/{quote(self.project)}", accept=(404,))
        if answer.status == 404:
            self.plan.missing(
                check_mode, f"There is no project '{self.project}'. Make it with gerrit_project first."
            )
        revision = self._revision() if answer.status == 200 else ""
        self.plan.before = {"project": self.project, "branch": self.branch, "revision": revision}
        self.plan.after = dict(self.plan.before)
        if revision and not self._is_empty(revision):
            return
        if not os.path.isdir(self.directory):
            self.plan.missing(
                check_mode, f"There is no directory {self.directory} to seed {self.project} from."
            )
        self.plan.step(
            f"seed {self.project} {self.branch} from {self.directory}", lambda: self._seed(revision)
        )
        self.plan.after["revision"] = f"(first commit from {self.directory})"

    # -- what is there ---------------------------------------------------------------------------------------

    def _revision(self) -> str:
        answer = self.gerrit.get(
            f"/projects/{quote(self.project)}/branches/{quote(self.branch)}", accept=(404,)
        )
        return str(answer.data["revision"]) if answer.status == 200 else ""

    def _is_empty(self, revision: str) -> bool:
        """Whether the branch holds nothing but a first commit without files."""
        commit = self.gerrit.get(f"/projects/{quote(self.project)}/commits/{revision}").data
        if commit["parents"]:
            return False
        with _Repository(self) as repository:
            repository.fetch(revision)
            return repository.git("rev-parse", f"{revision}^{{tree}}") == EMPTY_TREE

    # -- the commit ------------------------------------------------------------------------------------------

    def _seed(self, revision: str) -> None:
        with _Repository(self) as repository:
            if revision:
                repository.fetch(revision)
            tree = repository.tree(self.directory)
            if tree == EMPTY_TREE:
                raise GerritError(f"{self.directory} has no files to seed {self.project} with.")
            commit = repository.commit(tree, revision, commit_message(tree, self.params["commit_message"]))
            repository.push(commit, self.ref)
        self.plan.after["revision"] = commit


class _Repository:
    """A bare repository for the length of one task."""

    def __init__(self, owner: _SeedPlan) -> None:
        gerrit = owner.gerrit
        self.owner = owner
        self.url = f"{gerrit.url}/a/{quote_path(owner.project)}"
        self.directory = ""
        login = base64.b64encode(f"{gerrit.username}:{gerrit.password}".encode()).decode()
        settings = {
            f"http.{gerrit.url}/.extraHeader": f"Authorization: Basic {login}",
            "http.followRedirects": "false",
            "credential.helper": "",
            "core.autocrlf": "false",
            "core.excludesFile": "/dev/null",
            "gc.auto": "0",
        }
        if not gerrit.options["validate_certs"]:
            settings["http.sslVerify"] = "false"
        if not gerrit.options["use_proxy"]:
            settings["http.proxy"] = ""
        self.environment = {
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_COUNT": str(len(settings)),
            "LC_ALL": "C.UTF-8",
        }
        if gerrit.options["ca_path"]:
            # The variable, since one in the caller's environment outranks every setting.
            self.environment["GIT_SSL_CAINFO"] = str(gerrit.options["ca_path"])
        for number, (key, value) in enumerate(settings.items()):
            self.environment[f"GIT_CONFIG_KEY_{number}"] = key
            self.environment[f"GIT_CONFIG_VALUE_{number}"] = value

    def __enter__(self) -> _Repository:
        self.directory = tempfile.mkdtemp(prefix="gerrit_seed.")
        self.git("init", "--quiet", "--bare", self.directory)
        return self

    def __exit__(self, *_exception: object) -> None:
        shutil.rmtree(self.directory)

    def git(self, *arguments: str, explain: str = "", data: str | None = None, **environment: str) -> str:
        """Run git here and return what it prints. Raises GerritError."""
        code, out, err = self.run_command(arguments, data, environment)
        if code:
            raise GerritError(f"git {arguments[0]} fails: {err.strip() or out.strip()}{explain}")
        return out.strip()

    def run_command(
        self, arguments: tuple[str, ...], data: str | None, environment: dict[str, str]
    ) -> tuple[int, str, str]:
        """Run git here and return code, stdout and stderr."""
        return self.owner.run_command(
            ["git", f"--git-dir={self.directory}", *arguments],
            data=data,
            environ_update={**self.environment, **environment},
        )

    def fetch(self, revision: str) -> None:
        """Get the branch's only commit."""
        self.git(
            "fetch", "--quiet", self.url, self.owner.ref,
            explain=f". The commit {revision} of {self.owner.project} is needed.",
        )  # fmt: skip

    def tree(self, directory: str) -> str:
        """The tree of all files there that its .gitignore does not name; a .git in it does not count."""
        # The index is the bare repository's own: the directory is only read.
        code, out, err = self.owner.run_command(
            ["git", f"--git-dir={self.directory}", f"--work-tree={directory}", "add", "--all", "."],
            cwd=directory,
            environ_update=self.environment,
        )
        if code:
            raise GerritError(f"git cannot read {directory}: {err.strip() or out.strip()}")
        return self.git("write-tree")

    def commit(self, tree: str, parent: str, message: str) -> str:
        """Make the commit, dated and signed as the parameters say."""
        name, email = self._identity()
        who = {
            f"GIT_{role}_{field}": value
            for role in ("AUTHOR", "COMMITTER")
            for field, value in (("NAME", name), ("EMAIL", email), ("DATE", self.owner.params["date"]))
        }
        parents = ["-p", parent] if parent else []
        return self.git("commit-tree", tree, *parents, "-F", "-", data=message, **who)

    def _identity(self) -> tuple[str, str]:
        account = self.owner.gerrit.find_account(self.owner.gerrit.username)
        name = self.owner.params["author_name"] or (account.name if account else "")
        email = self.owner.params["author_email"] or (account.email if account else "")
        if not name or not email:
            raise GerritError(
                f"The account '{self.owner.gerrit.username}' has no name or no e-mail address to commit "
                "with: give author_name and author_email."
            )
        return name, email

    def push(self, commit: str, ref: str) -> None:
        """Push straight to the branch."""
        code, out, err = self.run_command(("push", "--quiet", self.url, f"{commit}:{ref}"), None, {})
        if code == 0:
            return
        said = err.strip() or out.strip()
        message = f"{self.owner.project} does not take its first commit: {said}"
        if "not permitted" in said or "prohibited by Gerrit" in said:
            message += (
                f". '{self.owner.gerrit.username}' needs the permission push (and forgeCommitter, unless "
                f"the e-mail address is its own) on {ref}: give it with gerrit_access, for example to "
                "Administrators."
            )
        raise GerritError(message)


def quote_path(project: str) -> str:
    """A project's name in a git URL, where slashes stay."""
    return "/".join(quote(part) for part in project.split("/"))
