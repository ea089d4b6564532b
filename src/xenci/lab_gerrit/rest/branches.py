"""/projects/{name}/branches, tags and commits."""

from __future__ import annotations

import base64
import re
from typing import Any

from xenci.lab_gerrit.git import ZERO, GitError, Repository
from xenci.lab_gerrit.projects import head_of
from xenci.lab_gerrit.rest.call import NO_CONTENT, Call, Reply, RestError, Route, not_found, timestamp
from xenci.lab_gerrit.rest.project_of import project_of
from xenci.lab_gerrit.server import full_ref, short_ref

_INTERNAL = (
    "refs/changes/",
    "refs/cache-automerge/",
    "refs/tags/",
    "refs/for/",
    "refs/groups/",
    "refs/users/",
)
_PERSON = re.compile(r"(.*) <(.*)> (\d+) ([+-]\d{4})")


def _repository(call: Call) -> Repository:
    return call.server.repository(project_of(call)["name"])


def _may_delete(call: Call, ref: str) -> bool:
    access, project = call.server.access, call.path["project"]
    return (
        access.is_owner(call.account_id, project)
        or access.can(call.account_id, project, ref, "delete")
        or access.can_force(call.account_id, project, ref, "push")
    )


def _page(call: Call, found: list[Any]) -> list[Any]:
    start = next((call.number(name) for name in ("s", "S", "start") if call.option(name)), 0) or 0
    limit = call.number("n") or call.number("limit") or len(found)
    return found[start : start + limit]


def _select(call: Call, refs: list[str], prefix: str) -> list[str]:
    match = call.option("m") or call.option("match")
    if match:
        refs = [ref for ref in refs if match.lower() in ref.removeprefix(prefix).lower()]
    pattern = call.option("r") or call.option("regex")
    if pattern:
        refs = [ref for ref in refs if re.fullmatch(pattern, ref.removeprefix(prefix))]
    return refs


def _branch_info(call: Call, ref: str, revision: str, *, head: str = "") -> dict[str, Any]:
    info: dict[str, Any] = {"ref": ref, "revision": revision}
    if ref not in (head, "HEAD", "refs/meta/config") and _may_delete(call, ref):
        info["can_delete"] = True
    return info


async def list_branches(call: Call) -> Any:
    """GET /projects/{name}/branches/: HEAD and refs/meta/config first."""
    project = project_of(call)["name"]
    present = await _repository(call).refs()
    names = [ref for ref in present if ref == "refs/meta/config" or ref.startswith("refs/heads/")]
    names = [ref for ref in names if call.server.access.can_read(call.account_id, project, ref)]
    head = head_of(call.server, project)
    order = [
        "HEAD",
        *(ref for ref in names if ref == "refs/meta/config"),
        *(r for r in names if r != "refs/meta/config"),
    ]
    if head == "refs/meta/config":
        order = [ref for ref in order if ref != "HEAD" or head in names]
    revisions = present | {"HEAD": short_ref(head)}
    selected = _select(call, order, "refs/heads/")
    if "r" in dict(call.query) and "HEAD" in order and _select(call, [head], "refs/heads/"):
        selected.insert(0, "HEAD")  # a regular expression is also tried on the branch that HEAD names
    chosen = _page(call, selected)
    return [_branch_info(call, ref, revisions[ref], head=head) for ref in chosen]


async def _branch(call: Call) -> tuple[str, str]:
    """Ref and revision of the branch in the URL; 404 if it is not there to be read."""
    project = project_of(call)["name"]
    name = call.path["branch"]
    ref = head_of(call.server, project) if name == "HEAD" else full_ref(name)
    revision = (await _repository(call).refs(ref)).get(ref)
    if revision is None or not call.server.access.can_read(call.account_id, project, ref):
        raise not_found(name)
    return ref, revision


async def get_branch(call: Call) -> Any:
    """GET /projects/{name}/branches/{branch}."""
    ref, revision = await _branch(call)
    return _branch_info(call, ref, revision)


async def create_branch(call: Call) -> Any:
    """PUT /projects/{name}/branches/{branch}."""
    project = project_of(call)["name"]
    ref = full_ref(call.path["branch"])
    if call.json.get("ref") not in (None, ref, call.path["branch"]):
        raise RestError(400, "ref must match URL")
    if ref.startswith(_INTERNAL):
        raise RestError(
            400,
            f'Cannot create a branch with name "{ref}". Not allowed to create branches under Gerrit '
            f"internal or "
            "tags refs.",
        )
    revision = await make_branch(call, project, ref, call.json.get("revision"))
    return Reply(_branch_info(call, ref, revision), 201)


async def make_branch(call: Call, project: str, ref: str, base: str | None) -> str:
    """Create a branch; RestError says why not. Returns its revision."""
    server = call.server
    repository = server.repository(project)
    revision = await repository.resolve(base or head_of(server, project))
    if revision is None:
        raise RestError(422, f'base revision "{base}" not found')
    if ref in await repository.refs(ref):
        raise RestError(409, f'Branch "{ref}" already exists')
    if not server.access.can(call.account_id, project, ref, "create"):
        raise RestError(403, f"not permitted: create on {ref}")
    try:
        await repository.update_refs([(ref, ZERO, revision)])
    except GitError:
        raise RestError(400, f'Branch "{ref}" is not a valid name.') from None
    server.emit_ref_updated(call.user, project, ref, ZERO, revision)
    return revision


async def _remove(call: Call, ref: str, revision: str) -> None:
    await _repository(call).update_refs([(ref, revision, ZERO)])
    call.server.emit_ref_updated(call.user, call.path["project"], ref, revision, ZERO)


async def delete_branch(call: Call) -> Any:
    """DELETE /projects/{name}/branches/{branch}."""
    ref, revision = await _branch(call)
    if not _may_delete(call, ref):
        raise RestError(403, f"not permitted: delete on {ref}")
    await _remove(call, ref, revision)
    return NO_CONTENT


async def delete_refs(call: Call) -> Any:
    """POST /projects/{name}/branches:delete and tags:delete: what is there goes, the rest is told."""
    names = call.json.get("branches") or call.json.get("tags") or []
    prefix = "refs/tags/" if "tags" in call.json else "refs/heads/"
    present = await _repository(call).refs()
    refused = []
    for name in names:
        ref = name if name.startswith("refs/") else prefix + name
        if ref in present and _may_delete(call, ref):
            await _remove(call, ref, present[ref])
        else:
            refused.append(
                f"Cannot delete {ref}: it doesn't exist or you do not have permission to delete it"
            )
    if refused:
        raise RestError(409, "\n".join(refused))
    return NO_CONTENT


async def branch_file(call: Call) -> Any:
    """GET /projects/{name}/branches/{branch}/files/{file}/content."""
    _, revision = await _branch(call)
    return await content(call, _repository(call), revision, call.path["file"])


async def content(call: Call, repository: Repository, revision: str, path: str) -> Reply:
    """A file of a commit in base64, as Gerrit sends contents; 404 if it is not there."""
    try:
        data = await repository.git_bytes("cat-file", "blob", f"{revision}:{path}")
    except GitError:
        raise not_found(path) from None
    return Reply(
        text=base64.b64encode(data),
        content_type="text/plain; charset=iso-8859-1",
        headers={"X-FYI-Content-Encoding": "base64", "X-FYI-Content-Type": "text/plain"},
    )


def person(line: str) -> dict[str, Any]:
    """GitPerson of an author, committer or tagger line."""
    match = _PERSON.fullmatch(line)
    if match is None:
        return {}
    zone = int(match[4][:3]) * 60 + int(match[4][0] + match[4][3:])
    return {"name": match[1], "email": match[2], "date": timestamp(int(match[3])), "tz": zone}


def headers(text: str) -> tuple[dict[str, list[str]], str]:
    """Header lines and message of a commit or tag object."""
    head, _, message = text.partition("\n\n")
    found: dict[str, list[str]] = {}
    for line in head.split("\n"):
        key, _, value = line.partition(" ")
        if key:
            found.setdefault(key, []).append(value)
    return found, message


async def _tag_info(call: Call, ref: str, revision: str) -> dict[str, Any]:
    repository = _repository(call)
    kind = await repository.git("cat-file", "-t", revision)
    fields, message = headers(
        (await repository.git_bytes("cat-file", kind, revision)).decode(errors="replace")
    )
    info: dict[str, Any] = {"ref": ref, "revision": revision}
    if kind == "tag":
        tagger = person(fields["tagger"][0])
        info |= {"object": fields["object"][0], "message": message.rstrip("\n"), "tagger": tagger}
        info["created"] = tagger["date"]
    elif kind == "commit":
        info["created"] = person(fields["committer"][0])["date"]
    if _may_delete(call, ref):
        info["can_delete"] = True
    return info


async def list_tags(call: Call) -> Any:
    """GET /projects/{name}/tags/."""
    project_of(call)
    present = await _repository(call).refs("refs/tags")
    chosen = _page(call, _select(call, list(present), "refs/tags/"))
    return [await _tag_info(call, ref, present[ref]) for ref in chosen]


def _tag_ref(call: Call) -> str:
    return "refs/tags/" + call.path["tag"].removeprefix("refs/tags/")


async def get_tag(call: Call) -> Any:
    """GET /projects/{name}/tags/{tag}."""
    ref = _tag_ref(call)
    revision = (await _repository(call).refs(ref)).get(ref)
    if revision is None:
        raise not_found(call.path["tag"])
    return await _tag_info(call, ref, revision)


async def create_tag(call: Call) -> Any:
    """PUT /projects/{name}/tags/{tag}: annotated if there is a message."""
    project, server, ref = project_of(call)["name"], call.server, _tag_ref(call)
    repository = _repository(call)
    base = call.json.get("revision")
    target = await repository.resolve(base or head_of(server, project))
    if target is None:
        raise RestError(422, f'base revision "{base}" not found')
    message = call.json.get("message")
    permission = "createTag" if message else "create"
    if not server.access.can(call.account_id, project, ref, permission):
        raise RestError(403, f'Cannot create {"annotated " if message else ""}tag "{ref}"')
    if ref in await repository.refs(ref):
        raise RestError(409, f'tag "{ref}" already exists')
    revision = target
    if message:
        lines = [f"object {target}", "type commit", f"tag {ref.removeprefix('refs/tags/')}"]
        text = "\n".join([*lines, f"tagger {server.ident(call.user)}", "", f"{message}\n"])
        revision = await repository.git("hash-object", "-t", "tag", "-w", "--stdin", stdin=text)
    await repository.update_refs([(ref, ZERO, revision)])
    server.emit_ref_updated(call.user, project, ref, ZERO, revision)
    return Reply(await _tag_info(call, ref, revision), 201)


async def delete_tag(call: Call) -> Any:
    """DELETE /projects/{name}/tags/{tag}."""
    ref = _tag_ref(call)
    revision = (await _repository(call).refs(ref)).get(ref)
    if revision is None:
        raise not_found(call.path["tag"])
    if not _may_delete(call, ref):
        raise RestError(403, f"not permitted: delete on {ref}")
    await _remove(call, ref, revision)
    return NO_CONTENT


async def _commit(call: Call) -> str:
    name = call.path["commit"]
    revision = await _repository(call).resolve(name) if re.fullmatch(r"[0-9a-f]{40}", name) else None
    if revision is None or not await _containing(
        call, revision, "refs/heads", "refs/tags", "refs/meta/config"
    ):
        raise not_found(name)
    return revision


async def _containing(call: Call, revision: str, *prefixes: str) -> list[str]:
    """Refs that the caller reads and from which a commit is reached."""
    output = await _repository(call).git(
        "for-each-ref", "--contains", revision, "--format=%(refname)", *prefixes
    )
    access, project = call.server.access, call.path["project"]
    return [ref for ref in output.splitlines() if access.can_read(call.account_id, project, ref)]


async def get_commit(call: Call) -> Any:
    """GET /projects/{name}/commits/{commit}."""
    project_of(call)
    revision = await _commit(call)
    repository = _repository(call)
    raw = (await repository.git_bytes("cat-file", "commit", revision)).decode(errors="replace")
    fields, message = headers(raw)
    parents = []
    for parent in fields.get("parent", []):
        subject = await repository.git("log", "-1", "--format=%s", parent)
        parents.append({"commit": parent, "subject": subject})
    return {
        "commit": revision,
        "parents": parents,
        "author": person(fields["author"][0]),
        "committer": person(fields["committer"][0]),
        "subject": message.split("\n", 1)[0],
        "message": message,
    }


async def commit_in(call: Call) -> Any:
    """GET /projects/{name}/commits/{commit}/in."""
    project_of(call)
    revision = await _commit(call)
    branches = await _containing(call, revision, "refs/heads")
    tags = await _containing(call, revision, "refs/tags")
    return {
        "branches": [short_ref(ref) for ref in branches],
        "tags": [ref.removeprefix("refs/tags/") for ref in tags],
    }


_ONE = "/projects/{project}"
routes = [
    Route("GET", f"{_ONE}/branches", list_branches),
    Route("GET", f"{_ONE}/branches/{{branch}}", get_branch),
    Route("PUT", f"{_ONE}/branches/{{branch}}", create_branch),
    Route("DELETE", f"{_ONE}/branches/{{branch}}", delete_branch),
    Route("POST", f"{_ONE}/branches:delete", delete_refs),
    Route("GET", f"{_ONE}/branches/{{branch}}/files/{{file}}/content", branch_file),
    Route("GET", f"{_ONE}/tags", list_tags),
    Route("GET", f"{_ONE}/tags/{{tag}}", get_tag),
    Route("PUT", f"{_ONE}/tags/{{tag}}", create_tag),
    Route("DELETE", f"{_ONE}/tags/{{tag}}", delete_tag),
    Route("POST", f"{_ONE}/tags:delete", delete_refs),
    Route("GET", f"{_ONE}/commits/{{commit}}", get_commit),
    Route("GET", f"{_ONE}/commits/{{commit}}/in", commit_in),
]
