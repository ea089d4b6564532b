"""Administrators' commands: accounts, groups, projects, caches."""

from __future__ import annotations

from xenci.lab_gerrit import projects
from xenci.lab_gerrit.accounts import Account
from xenci.lab_gerrit.git import ZERO
from xenci.lab_gerrit.groups import Group, Groups
from xenci.lab_gerrit.rest.accounts import create_account
from xenci.lab_gerrit.rest.call import RestError
from xenci.lab_gerrit.server import full_ref
from xenci.lab_gerrit.ssh.session import CommandError, Session, fatal, parse
from xenci.lab_gerrit.store import loads


def _one(words: list[str], name: str) -> str:
    if not words:
        raise fatal(f'Argument "{name}" is required')
    return words[0]


def _account(session: Session, text: str) -> Account:
    found = session.server.accounts.find(text, inactive=True)
    if len(found) != 1:
        raise fatal(f'user "{text}" not found')
    return found[0]


def _group(session: Session, text: str) -> Group:
    group = Groups(session.server).find(text)
    if group is None or group.row is None:
        raise fatal(f"Group Not Found: {text}")
    return group


def _project(session: Session, name: str) -> str:
    name = name.removesuffix(".git")
    if session.server.project(name) is None:
        raise fatal(f"Project {name} not found")
    return name


def _owned(session: Session, name: str) -> str:
    project = _project(session, name)
    if not session.server.access.is_owner(session.account.id, project):
        raise fatal(f"not permitted: write refs/meta/config on {project}")
    return project


async def add_account(session: Session, words: list[str]) -> None:
    """`gerrit create-account`."""
    session.require("createAccount", "create account")
    given = parse(words, values=["full-name", "email", "ssh-key", "http-password", "group|g"])
    username = _one(given.words, "USERNAME")
    key = given.value("ssh-key")
    try:
        await create_account(
            session.server,
            session.account,
            username,
            {
                "name": given.value("full-name"),
                "email": given.value("email"),
                "http_password": given.value("http-password"),
                "groups": given.values("group"),
                "ssh_key": await session.stdin() if key == "-" else key,
            },
        )
    except RestError as error:
        taken = error.status == 409
        raise fatal(f"username '{username}' already exists" if taken else error.text) from None


async def set_account(session: Session, words: list[str]) -> None:
    """`gerrit set-account`."""
    session.require("modifyAccount", "modify account")
    given = parse(
        words,
        flags=["active", "inactive", "clear-http-password"],
        values=[
            "full-name",
            "add-ssh-key",
            "delete-ssh-key",
            "http-password",
            "add-email",
            "preferred-email",
        ],
    )
    account = _account(session, _one(given.words, "USER"))
    accounts = session.server.accounts
    if given.flag("full-name"):
        accounts.update(account.id, name=given.value("full-name") or None)
    if given.flag("active") or given.flag("inactive"):
        accounts.update(account.id, active=int(given.flag("active")))
    for key in given.values("add-ssh-key"):
        try:
            accounts.add_key(account.id, await session.stdin() if key == "-" else key)
        except ValueError:
            raise fatal("invalid SSH public key") from None


async def create_group(session: Session, words: list[str]) -> None:
    """`gerrit create-group`."""
    session.require("createGroup", "create group")
    given = parse(words, flags=["visible-to-all"], values=["description|d", "owner", "member|m", "group"])
    name = _one(given.words, "GROUP")
    groups = Groups(session.server)
    if groups.find(name):
        raise fatal(f"group {name} already exists")
    owner = given.value("owner")
    members = [_account(session, text) for text in given.values("member")]
    parts = [_group(session, text) for text in given.values("group")]
    group = await groups.create(
        session.account,
        name,
        description=given.value("description") or "",
        owner=_group(session, owner) if owner else None,
        visible=given.flag("visible-to-all"),
    )
    await groups.add_members(session.account, group, members)
    await groups.include(session.account, group, parts)


async def set_members(session: Session, words: list[str]) -> None:
    """`gerrit set-members`: first those who leave, then those who come."""
    given = parse(words, values=["add|a", "remove|r", "include|i", "exclude|e"])
    groups = Groups(session.server)
    for name in given.words:
        group = _group(session, name)
        if not groups.owns(session.account.id, group):
            raise fatal(f"Group Not Found: {name}")
        removed = [_account(session, text) for text in given.values("remove")]
        added = [_account(session, text) for text in given.values("add")]
        if removed:
            await groups.remove_members(session.account, group, removed)
            session.write(f"Members removed from group {name}: {_names(removed)}\n")
        await groups.exclude(
            session.account, group, [_group(session, text) for text in given.values("exclude")]
        )
        if added:
            await groups.add_members(session.account, group, added)
            session.write(f"Members added to group {name}: {_names(added)}\n")
        await groups.include(
            session.account, group, [_group(session, text) for text in given.values("include")]
        )


def _names(accounts: list[Account]) -> str:
    return ", ".join(account.email or account.username or str(account.id) for account in accounts)


async def rename_group(session: Session, words: list[str]) -> None:
    """`gerrit rename-group`."""
    given = parse(words)
    group = _group(session, _one(given.words, "GROUP"))
    name = _one(given.words[1:], "NEWNAME")
    groups = Groups(session.server)
    if not groups.owns(session.account.id, group):
        raise fatal(f"Not allowed to rename group {group.name}")
    if groups.find(name):
        raise fatal(f"group with name {name} already exists")
    await groups.update(session.account, group, name=name)


async def list_groups(session: Session, words: list[str]) -> None:
    """`gerrit ls-groups`."""
    given = parse(words, flags=["verbose|v", "owned"], values=["user|u", "project|p", "q"])
    groups = Groups(session.server)
    for group in groups.all():
        if not groups.sees(session.account.id, group) or group.row is None:
            continue
        if not given.flag("verbose"):
            session.write(f"{group.name}\n")
            continue
        owner = groups.find(group.row["owner_uuid"])
        visible = "true" if group.row["visible_to_all"] else "false"
        fields = (group.name, group.uuid, group.row["description"], owner.name if owner else "n/a")
        session.write("\t".join((*fields, group.row["owner_uuid"], visible)) + "\n")


async def list_members(session: Session, words: list[str]) -> None:
    """`gerrit ls-members`."""
    given = parse(words, flags=["recursive"])
    group = _group(session, _one(given.words, "GROUP"))
    session.write("id\tusername\tfull name\temail\n")
    for account in Groups(session.server).members(group, recursive=given.flag("recursive")):
        fields = (str(account.id), account.username or "n/a", account.name or "n/a", account.email or "n/a")
        session.write("\t".join(fields) + "\n")


async def create_project(session: Session, words: list[str]) -> None:
    """`gerrit create-project`."""
    session.require("createProject", "create project")
    given = parse(
        words,
        flags=["permissions-only", "empty-commit"],
        values=["parent|p", "description|d", "branch|b", "owner|o", "submit-type|t"],
    )
    name = _one(given.words, "NAME").removesuffix(".git")
    if session.server.project(name):
        raise fatal("Project already exists")
    parent = given.value("parent")
    submit_type = given.value("submit-type")
    await projects.create_project(
        session.server,
        session.account,
        name,
        parent=_project(session, parent) if parent else None,
        description=given.value("description") or "",
        branches=[full_ref(branch) for branch in given.values("branch")] or None,
        empty_commit=given.flag("empty-commit"),
        permissions_only=given.flag("permissions-only"),
        owners=[_group(session, text).uuid for text in given.values("owner")],
        config={"submit_type": submit_type.upper()} if submit_type else {},
    )


async def create_branch(session: Session, words: list[str]) -> None:
    """`gerrit create-branch`."""
    given = parse(words)
    project = _project(session, _one(given.words, "PROJECT"))
    ref = full_ref(_one(given.words[1:], "NAME"))
    base = _one(given.words[2:], "REVISION")
    server = session.server
    if not server.access.can(session.account.id, project, ref, "create"):
        raise fatal(f"not permitted: create on {ref}")
    repository = server.repository(project)
    revision = await repository.resolve(base)
    if revision is None:
        raise fatal(f"invalid revision {base}")
    if ref in await repository.refs(ref):
        raise fatal(f'Branch "{ref}" already exists')
    await repository.update_refs([(ref, ZERO, revision)])
    server.emit_ref_updated(session.account, project, ref, ZERO, revision)


async def set_head(session: Session, words: list[str]) -> None:
    """`gerrit set-head`."""
    given = parse(words, values=["new-head"])
    project = _owned(session, _one(given.words, "NAME"))
    ref = full_ref(given.value("new-head") or "")
    if await session.server.repository(project).resolve(ref) is None:
        raise fatal(f"Ref Not Found: {ref}")
    await projects.set_head(session.server, project, ref)


async def set_project(session: Session, words: list[str]) -> None:
    """`gerrit set-project`."""
    given = parse(words, values=["project-state|ps", "description|d", "submit-type|t"])
    project = _owned(session, _one(given.words, "NAME"))
    row = session.server.project(project)
    if row is None:
        raise fatal(f"Project {project} not found")
    state = given.value("project-state") or row["state"]
    if state not in projects.STATES:
        raise fatal(f'"{state}" is not a valid value for "--project-state"')
    config = loads(row["config"])
    if given.flag("submit-type"):
        config["submit_type"] = (given.value("submit-type") or "").upper()
    await projects.write(
        session.server,
        session.account,
        project,
        "Modified project settings",
        config=config,
        state=state,
        description=given.value("description") or row["description"],
    )


async def set_project_parent(session: Session, words: list[str]) -> None:
    """`gerrit set-project-parent`."""
    session.require("administrateServer", "administrate server")
    given = parse(words, values=["parent|p"])
    parent = _project(session, given.value("parent") or "All-Projects")
    for name in given.words:
        project = _project(session, name)
        if project in session.server.access.chain(parent):
            raise CommandError(f"error: cycle exists between {project} and {parent}\n")
        await projects.write(session.server, session.account, project, "Changed parent", parent=parent)


async def list_user_refs(session: Session, words: list[str]) -> None:
    """`gerrit ls-user-refs`: what another account may read."""
    session.require("accessDatabase", "access database")
    given = parse(words, flags=["only-refs-heads"], values=["project|p", "user|u"])
    project = _project(session, given.value("project") or "")
    account = _account(session, given.value("user") or "")
    prefix = "refs/heads" if given.flag("only-refs-heads") else ""
    for ref, revision in (await session.server.repository(project).refs(prefix)).items():
        if session.server.access.can_read(account.id, project, ref):
            session.write(f"Ref[{ref}={revision}(-1)]\n")


async def list_plugins(session: Session, words: list[str]) -> None:
    """`gerrit plugin ls`: this server has none."""
    session.require("viewPlugins", "view plugins")
    if words[:1] != ["ls"]:
        raise fatal(f"gerrit plugin: {words[0] if words else ''}: not found")
    parse(words[1:], flags=["all|a"], values=["format"])
    session.write(f"{'Name':<30} {'Version':<10} {'Api-Version':<16} {'Status':<8} File\n{'-' * 79}\n")


async def flush_caches(session: Session, words: list[str]) -> None:
    """`gerrit flush-caches`: everything is read from the store anyway, except rights."""
    session.require("flushCaches", "flush caches")
    parse(words, flags=["all", "list"], values=["cache"])
    session.server.access.forget()
