"""Commits: what is in one, what it changes, and how two of them differ."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any

from xenci.lab_gerrit.git import EMPTY_TREE, GitError, Repository

EMPTY_SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
_IDENT = re.compile(r"^(?P<name>.*?) ?<(?P<email>[^>]*)> (?P<when>-?\d+) (?P<zone>[+-]\d{4})$")
_FOOTER = re.compile(r"^([A-Za-z0-9-]+):\s*(.*)$")


@dataclass(frozen=True)
class Ident:
    """Author or committer. `when`: seconds since 1970, `zone`: minutes east of UTC."""

    name: str
    email: str
    when: int
    zone: int

    @property
    def line(self) -> str:
        """As git writes it."""
        sign = "-" if self.zone < 0 else "+"
        return (
            f"{self.name} <{self.email}> {self.when} {sign}{abs(self.zone) // 60:02}{abs(self.zone) % 60:02}"
        )


@dataclass(frozen=True)
class Commit:
    """A commit object."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Ident
    committer: Ident
    message: str

    @property
    def subject(self) -> str:
        """First paragraph in one line."""
        return " ".join(self.message.strip("\n").split("\n\n", 1)[0].split("\n"))

    @property
    def footers(self) -> list[tuple[str, str]]:
        """`Key: value` lines of the last paragraph; none if the subject is the last paragraph."""
        paragraphs = self.message.rstrip("\n").split("\n\n")
        if len(paragraphs) < 2:
            return []
        lines = paragraphs[-1].split("\n")
        return [(match[1], match[2].strip()) for line in lines if (match := _FOOTER.match(line))]

    @property
    def change_ids(self) -> list[str]:
        """Values of the Change-Id footers."""
        return [value for key, value in self.footers if key.lower() == "change-id"]

    def as_json(self) -> dict[str, Any]:
        """What a patch set keeps of it."""
        return {
            "tree": self.tree,
            "parents": list(self.parents),
            "author": [self.author.name, self.author.email, self.author.when, self.author.zone],
            "committer": [
                self.committer.name,
                self.committer.email,
                self.committer.when,
                self.committer.zone,
            ],
            "message": self.message,
        }


def from_json(sha: str, info: dict[str, Any]) -> Commit:
    """Commit from what a patch set kept."""
    return Commit(
        sha,
        info["tree"],
        tuple(info["parents"]),
        Ident(*info["author"]),
        Ident(*info["committer"]),
        info["message"],
    )


def _ident(text: str) -> Ident:
    match = _IDENT.match(text)
    if match is None:
        return Ident(text, "", 0, 0)
    zone = match["zone"]
    minutes = int(zone[1:3]) * 60 + int(zone[3:])
    return Ident(match["name"], match["email"], int(match["when"]), -minutes if zone[0] == "-" else minutes)


def parse(sha: str, raw: bytes) -> Commit:
    """Commit from the bytes of its object."""
    head, _, message = raw.decode("utf-8", errors="replace").partition("\n\n")
    tree, parents, author, committer = "", [], "", ""
    for line in head.split("\n"):
        key, _, value = line.partition(" ")
        if key == "tree":
            tree = value
        elif key == "parent":
            parents.append(value)
        elif key == "author":
            author = value
        elif key == "committer":
            committer = value
    return Commit(sha, tree, tuple(parents), _ident(author), _ident(committer), message)


async def read(repository: Repository, *shas: str) -> list[Commit]:
    """Commits by id, in one call."""
    if not shas:
        return []
    raw = await repository.git_bytes("cat-file", "--batch", stdin="\n".join(shas).encode() + b"\n")
    commits, at = [], 0
    for sha in shas:
        end = raw.index(b"\n", at)
        fields = raw[at:end].split(b" ")
        if len(fields) != 3 or fields[1] != b"commit":
            raise GitError(["cat-file", sha], 128, b"", raw[at:end])
        size = int(fields[2])
        commits.append(parse(fields[0].decode(), raw[end + 1 : end + 1 + size]))
        at = end + 1 + size + 1
    return commits


async def one(repository: Repository, sha: str) -> Commit:
    """One commit by id."""
    return (await read(repository, sha))[0]


async def merge_trees(repository: Repository, ours: str, theirs: str) -> tuple[str, list[str]]:
    """Tree of merging two commits, and the paths in conflict (then the tree has conflict markers)."""
    try:
        return await repository.git(
            "merge-tree", "--write-tree", "--name-only", "--no-messages", ours, theirs
        ), []
    except GitError as error:
        if error.code != 1:
            raise
        tree, *paths = error.stdout.rstrip("\n").split("\n")
        return tree, [path for path in paths if path]


async def replay(repository: Repository, commit: Commit, onto: str) -> tuple[str, list[str]]:
    """Tree of a commit's change applied onto another commit, and the paths in conflict.

    git 2.39 has no `merge-tree --merge-base`, so the target's tree is given the commit's own parent.
    """
    target = await one(repository, onto)
    stand_in = await repository.commit_tree(target.tree, commit.parents[:1], "stand-in\n", commit.author.line)
    return await merge_trees(repository, stand_in, commit.sha)


async def base_tree(repository: Repository, commit: Commit) -> str:
    """What a commit is compared with: its parent, the clean merge of its parents, or nothing."""
    if not commit.parents:
        return EMPTY_TREE
    if len(commit.parents) == 1:
        return commit.parents[0]
    tree, _ = await merge_trees(repository, commit.parents[0], commit.parents[1])
    return tree


async def diff(repository: Repository, old: str, new: str) -> dict[str, dict[str, Any]]:
    """FileInfo by path between two trees or commits, without Gerrit's magic files."""
    raw = await repository.git_bytes(
        "diff-tree", "-r", "-z", "-M", "--raw", "--numstat", "--no-abbrev", old, new
    )
    fields = raw.split(b"\0")
    files: dict[str, dict[str, Any]] = {}
    old_blobs: dict[str, str] = {}
    at = 0
    while at < len(fields) and fields[at].startswith(b":"):
        old_mode, new_mode, old_sha, new_sha, status = fields[at][1:].decode().split(" ")
        path, at = fields[at + 1].decode(errors="replace"), at + 2
        info: dict[str, Any] = {}
        if status[0] in "RC":
            info["old_path"] = path
            path, at = fields[at].decode(errors="replace"), at + 1
        if status[0] != "M":
            info["status"] = "W" if status[0] == "T" else status[0]
        if status[0] != "A":
            info |= {"old_mode": int(old_mode, 8), "old_sha": old_sha}
            old_blobs[path] = old_sha
        if status[0] != "D":
            info |= {"new_mode": int(new_mode, 8), "new_sha": new_sha}
        files[path] = info
    while at < len(fields) and fields[at]:
        inserted, deleted, name = fields[at].decode(errors="replace").split("\t")
        at += 1
        if not name:
            name, at = fields[at + 1].decode(errors="replace"), at + 2
        info = files[name]
        if inserted == "-":
            info["binary"] = True
        else:
            if int(inserted):
                info["lines_inserted"] = int(inserted)
            if int(deleted):
                info["lines_deleted"] = int(deleted)
    await _sizes(repository, files, old_blobs)
    return files


async def _sizes(repository: Repository, files: dict[str, dict[str, Any]], old_blobs: dict[str, str]) -> None:
    blobs = {sha for info in files.values() for sha in (info.get("new_sha"), info.get("old_sha")) if sha}
    if not blobs:
        return
    lines = (await repository.git("cat-file", "--batch-check", stdin="\n".join(blobs) + "\n")).split("\n")
    sizes = {fields[0]: int(fields[2]) for line in lines if len(fields := line.split(" ")) == 3}
    for path, info in files.items():
        size = sizes.get(info.get("new_sha", ""), 0)
        info["size_delta"] = size - sizes.get(old_blobs.get(path, ""), 0)
        info["size"] = size


def commit_message_text(commit: Commit, parents: list[Commit]) -> str:
    """Gerrit's magic file /COMMIT_MSG."""
    lines = []
    for index, parent in enumerate(parents):
        label = ("Merge Of:" if index == 0 else "") if len(parents) > 1 else "Parent:"
        lines.append(f"{label:<12}{parent.sha[:8]} ({parent.subject})")
    for who, ident in (("Author", commit.author), ("Commit", commit.committer)):
        lines.append(f"{who + ':':<12}{ident.name} <{ident.email}>")
        lines.append(f"{who + 'Date:':<12}{_date(ident)}")
    return "\n".join([*lines, "", commit.message])


def merge_list_text(commits: list[Commit]) -> str:
    """Gerrit's magic file /MERGE_LIST: what a merge brings in."""
    return "\n".join(["Merge List:", "", *(f"* {commit.sha[:8]} {commit.subject}" for commit in commits), ""])


def _date(ident: Ident) -> str:
    zone = datetime.timezone(datetime.timedelta(minutes=ident.zone))
    return datetime.datetime.fromtimestamp(ident.when, zone).strftime("%Y-%m-%d %H:%M:%S %z")


async def change_kind(repository: Repository, prior: Commit, new: Commit) -> str:
    """How a patch set differs from the one before it (Gerrit's ChangeKind)."""
    same_message = prior.message == new.message
    same_parents = prior.parents == new.parents
    if prior.tree == new.tree and same_parents:
        return "NO_CHANGE" if same_message else "NO_CODE_CHANGE"
    if len(prior.parents) != len(new.parents) or not new.parents:
        return "REWORK"
    if len(new.parents) > 1:
        if prior.parents[1:] == new.parents[1:] and prior.parents != new.parents and same_message:
            before = await merge_trees(repository, *prior.parents[:2])
            after = await merge_trees(repository, *new.parents[:2])
            if before == (prior.tree, []) and after == (new.tree, []):
                return "MERGE_FIRST_PARENT_UPDATE"
        return "REWORK"
    if same_parents:
        return "REWORK"
    tree, conflicts = await replay(repository, prior, new.parents[0])
    if conflicts or tree != new.tree:
        return "REWORK"
    return "TRIVIAL_REBASE" if same_message else "TRIVIAL_REBASE_WITH_MESSAGE_UPDATE"
