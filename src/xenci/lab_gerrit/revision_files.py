"""Files of a revision against something other than its default base."""

from __future__ import annotations

import difflib
import hashlib
from typing import Any

from xenci.lab_gerrit import attributes, commits
from xenci.lab_gerrit.change_info import file_infos
from xenci.lab_gerrit.rest.call import RestError
from xenci.lab_gerrit.server import Server
from xenci.lab_gerrit.store import Row, loads


async def against_parent(server: Server, change: Row, row: Row, parent: int) -> dict[str, Any]:
    """Files against one parent, counted from 1."""
    commit = attributes.commit_of(row)
    if not 1 <= parent <= len(commit.parents):
        raise RestError(400, f"invalid parent number: {parent}")
    magic = {
        path: info for path, info in loads(row["files"]).items() if path in ("/COMMIT_MSG", "/MERGE_LIST")
    }
    if len(commit.parents) == 1:
        return file_infos(row, magic=True)
    found = await commits.diff(server.repository(change["project"]), commit.parents[parent - 1], commit.sha)
    return magic | found


async def between(server: Server, change: Row, old: Row, new: Row) -> dict[str, Any]:
    """Files that differ between two patch sets."""
    repository = server.repository(change["project"])
    texts = []
    for row in (old, new):
        commit = attributes.commit_of(row)
        texts.append(commits.commit_message_text(commit, await commits.read(repository, *commit.parents)))
    found = await commits.diff(repository, old["revision"], new["revision"])
    if texts[0] == texts[1]:
        return found
    return {"/COMMIT_MSG": _text_diff(*texts)} | found


def _text_diff(old: str, new: str) -> dict[str, Any]:
    lines = list(difflib.ndiff(old.split("\n"), new.split("\n")))
    info: dict[str, Any] = {"old_sha": _sha(old), "new_sha": _sha(new)}
    for key, sign in (("lines_inserted", "+ "), ("lines_deleted", "- ")):
        count = sum(line.startswith(sign) for line in lines)
        if count:
            info[key] = count
    size = len(new.encode())
    return info | {"size_delta": size - len(old.encode()), "size": size}


def _sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
