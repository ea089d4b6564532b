"""/changes/{id}/revisions/{rev}: contents of files, patches and differences."""

from __future__ import annotations

import base64
import difflib
from typing import Any

from xenci.lab_gerrit import attributes, commits
from xenci.lab_gerrit.git import GitError
from xenci.lab_gerrit.rest.call import Call, Reply, RestError, Route, not_found
from xenci.lab_gerrit.rest.changes import revision_of
from xenci.lab_gerrit.store import loads

_FORMATS = {"tar": "tar", "tgz": "tar.gz"}


def _base64(data: bytes, kind: str) -> Reply:
    headers = {"X-FYI-Content-Encoding": "base64", "X-FYI-Content-Type": kind}
    return Reply(text=base64.b64encode(data), content_type="text/plain; charset=iso-8859-1", headers=headers)


async def content(call: Call) -> Any:
    """GET .../files/{path}/content."""
    change, row = revision_of(call)
    path, repository = call.path["path"], call.server.repository(change["project"])
    if path == "/COMMIT_MSG":
        commit = attributes.commit_of(row)
        text = commits.commit_message_text(commit, await commits.read(repository, *commit.parents))
        return _base64(text.encode(), "text/x-gerrit-commit-message")
    try:
        data = await repository.git_bytes("cat-file", "blob", f"{row['revision']}:{path}")
    except GitError:
        raise not_found(path) from None
    return _base64(data, "text/plain")


async def patch(call: Call) -> Any:
    """GET .../patch."""
    change, row = revision_of(call)
    repository = call.server.repository(change["project"])
    data = await repository.git_bytes(
        "format-patch", "--stdout", "-1", "--no-stat", "--no-signature", row["revision"]
    )
    return _base64(data, "application/mbox")


async def archive(call: Call) -> Any:
    """GET .../archive."""
    change, row = revision_of(call)
    wanted = _FORMATS.get(call.option("format") or "")
    if wanted is None:
        raise RestError(400, "unknown archive format")
    data = await call.server.repository(change["project"]).git_bytes(
        "archive", f"--format={wanted}", row["revision"]
    )
    return Reply(text=data, content_type="application/octet-stream")


async def diff(call: Call) -> Any:
    """GET .../files/{path}/diff."""
    change, row = revision_of(call)
    path, repository = call.path["path"], call.server.repository(change["project"])
    info = loads(row["files"]).get(path)
    if info is None:
        raise not_found(path)
    base = await commits.base_tree(repository, attributes.commit_of(row))
    header = await repository.git("diff-tree", "-r", "-p", "-M", base, row["revision"], "--", path)
    lines = header.split("\n")
    kinds = {"A": "ADDED", "D": "DELETED", "R": "RENAMED", "C": "COPIED", "W": "REWRITE"}
    old = (
        []
        if info.get("status") == "A"
        else await _lines(call, change["project"], base, info.get("old_path", path))
    )
    new = [] if info.get("status") == "D" else await _lines(call, change["project"], row["revision"], path)
    answer: dict[str, Any] = {}
    if old:
        answer["meta_a"] = {
            "name": info.get("old_path", path),
            "content_type": "text/plain",
            "lines": len(old),
        }
    if new:
        answer["meta_b"] = {"name": path, "content_type": "text/plain", "lines": len(new)}
    answer["change_type"] = kinds.get(info.get("status", ""), "MODIFIED")
    answer["diff_header"] = [line for line in lines[: _hunk(lines)] if line]
    answer["content"] = _content(old, new)
    return answer


def _hunk(lines: list[str]) -> int:
    return next((index for index, line in enumerate(lines) if line.startswith("@@")), len(lines))


async def _lines(call: Call, project: str, commit: str, path: str) -> list[str]:
    data = await call.server.repository(project).git_bytes("cat-file", "blob", f"{commit}:{path}")
    return data.decode(errors="replace").split("\n")


def _content(old: list[str], new: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for tag, a1, a2, b1, b2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append({"ab": old[a1:a2]})
        else:
            found.append({key: part for key, part in (("a", old[a1:a2]), ("b", new[b1:b2])) if part})
    return found


async def fixes(call: Call) -> Any:
    """GET .../fixes/{fix}/preview: there are no fixes."""
    revision_of(call)
    raise not_found(call.path["fix"])


_R = "/changes/{change}/revisions/{revision}"
routes = [
    Route("GET", f"{_R}/files/{{path}}/content", content),
    Route("GET", f"{_R}/files/{{path}}/diff", diff),
    Route("GET", f"{_R}/patch", patch),
    Route("GET", f"{_R}/archive", archive),
    Route("GET", f"{_R}/fixes/{{fix}}/preview", fixes),
]
