"""Real git as a subprocess: all that the server does to a repository."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

ZERO = "0" * 40
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

_ENV = {
    "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "LC_ALL": "C.UTF-8",
    "HOME": "/nonexistent",
}


class GitError(Exception):
    """git ended with an error; `stdout` and `stderr` are what it said."""

    def __init__(self, args: Sequence[str], code: int, stdout: bytes, stderr: bytes) -> None:
        super().__init__(f"git {' '.join(args)}: {code}: {stderr.decode(errors='replace').strip()}")
        self.code = code
        self.stdout = stdout.decode(errors="replace")
        self.stderr = stderr.decode(errors="replace")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment for git: nothing of the user's or the system's configuration."""
    return {**_ENV, **(extra or {})}


class Repository:
    """One bare repository."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def git_bytes(
        self,
        *args: str,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> bytes:
        """Run git here; its output. GitError on any exit but 0."""
        process = await asyncio.create_subprocess_exec(
            "git",
            *args,
            cwd=cwd or self.path,
            env=environment({"GIT_DIR": str(self.path), **(env or {})}),
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        stdout, stderr = await process.communicate(stdin)
        if process.returncode:
            raise GitError(args, process.returncode, stdout, stderr)
        return stdout

    async def git(self, *args: str, stdin: str | None = None, env: Mapping[str, str] | None = None) -> str:
        """Like `git_bytes`, as text with the last newline taken off."""
        output = await self.git_bytes(*args, stdin=None if stdin is None else stdin.encode(), env=env)
        return output.decode(errors="replace").removesuffix("\n")

    async def refs(self, prefix: str = "") -> dict[str, str]:
        """Refs below a prefix, name to object id, sorted by name."""
        args = ["for-each-ref", "--format=%(refname) %(objectname)"] + ([prefix] if prefix else [])
        lines = (await self.git(*args)).splitlines()
        return dict(line.split(" ", 1) for line in lines)

    async def resolve(self, name: str) -> str | None:
        """Commit id of a name or revision; None if there is none."""
        try:
            return await self.git(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
            )
        except GitError:
            return None

    async def is_ancestor(self, old: str, new: str) -> bool:
        """Whether one commit is reached from another."""
        try:
            await self.git("merge-base", "--is-ancestor", old, new)
        except GitError as error:
            if error.code == 1:
                return False
            raise
        return True

    async def head(self) -> str:
        """The ref that HEAD names."""
        return await self.git("symbolic-ref", "HEAD")

    async def update_refs(self, updates: Sequence[tuple[str, str, str]]) -> None:
        """All of (ref, old, new) or none; new = ZERO deletes. GitError when an old value is not as said."""
        lines = []
        for ref, old, new in updates:
            if new == ZERO:
                lines.append(f"delete {ref} {old}")
            else:
                lines.append(f"update {ref} {new} {old}")
        await self.git("update-ref", "--no-deref", "--stdin", stdin="\n".join(lines) + "\n")

    async def commit_tree(
        self, tree: str, parents: Sequence[str], message: str, author: str, committer: str | None = None
    ) -> str:
        """Write a commit object; author and committer are git's `Name <email> seconds zone`."""
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {author}"]
        text = "\n".join([*lines, f"committer {committer or author}", "", message])
        return await self.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=text)


async def create(path: Path, head: str) -> Repository:
    """Make a bare repository whose HEAD names the branch `head` (full ref)."""
    repository = Repository(path)
    path.mkdir(parents=True)
    await repository.git("init", "--quiet", "--bare", "--template=", str(path))
    await repository.git("symbolic-ref", "HEAD", head)
    await repository.git("hash-object", "-t", "tree", "-w", "--stdin", stdin="")
    return repository
