"""The git repository that an inventory lies in: which commit, what came since, what a merge would be."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

AUTHOR = ("-c", "user.name=xenci", "-c", "user.email=xenci@localhost", "-c", "core.hooksPath=/dev/null")


class RepositoryError(Exception):
    """Git can't do it; the message is its own, or says what to do."""


class Repository:
    """A checkout or a bare repository."""

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        """Name it.

        :param environment: more for git's environment, as GIT_SSH_COMMAND.
        """
        self.folder = folder
        self._environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", **(environment or {})}

    def git(self, *arguments: str, text: str = "") -> str:
        """Run git, and return what it prints.

        :raises RepositoryError: when it fails.
        """
        done = subprocess.run(
            ["git", *AUTHOR, *arguments],
            cwd=self.folder,
            env=self._environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise RepositoryError(f"git {arguments[0]}: {said[-1] if said else 'failed without a word'}")
        return done.stdout.strip()

    def commit(self, revision: str = "HEAD") -> str:
        """The commit that a revision names."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except RepositoryError:
            raise RepositoryError(f"no commit {revision!r} in {self.folder}") from None

    def tree(self, commit: str) -> str:
        """The content of a commit."""
        return self.git("rev-parse", f"{commit}^{{tree}}")

    def clean(self) -> bool:
        """Whether the checkout is what its commit says."""
        return not self.git("status", "--porcelain")

    def patches(self, since: str, commit: str) -> tuple[str, ...]:
        """Stable patch-ids of what came to a commit since another: they survive a rebase, commits don't.

        A merge that changes nothing by itself has none.
        """
        log = self.git("log", "--patch", "--full-index", "--binary", f"{since}..{commit}")
        return tuple(
            line.split()[0] for line in self.git("patch-id", "--stable", text=log + "\n").splitlines()
        )

    @contextlib.contextmanager
    def at(self, commit: str, merge: Sequence[str] = ()) -> Iterator[Path]:
        """A checkout of its own of a commit, with others merged into it; gone afterwards.

        :raises RepositoryError: when they can't be merged.
        """
        self.git("worktree", "prune")
        with tempfile.TemporaryDirectory(prefix="xenci-") as folder:
            path = Path(folder) / "checkout"
            self.git("worktree", "add", "--quiet", "--detach", str(path), commit)
            try:
                here = Repository(path, self._environment)
                for one in merge:
                    try:
                        here.git("merge", "--quiet", "--no-edit", "--no-gpg-sign", one)
                    except RepositoryError as error:
                        raise RepositoryError(
                            f"{one[:12]} can't be merged into {commit[:12]}: rebase it ({error})"
                        ) from error
                yield path
            finally:
                self.git("worktree", "remove", "--force", str(path))


def of(path: Path) -> Repository | None:
    """The repository that a path lies in, if any."""
    folder = path if path.is_dir() else path.parent
    try:
        return Repository(Path(Repository(folder).git("rev-parse", "--show-toplevel")))
    except RepositoryError:
        return None
