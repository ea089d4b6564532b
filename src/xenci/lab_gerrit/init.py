"""Make a site: what Gerrit's `init --dev` leaves behind, with real secrets in place of `secret`."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import asyncssh

from xenci.lab_gerrit.access import ALL_PROJECTS, ALL_USERS, ANONYMOUS, CAPABILITIES, OWNERS, REGISTERED
from xenci.lab_gerrit.config import Config
from xenci.lab_gerrit.groups import Groups
from xenci.lab_gerrit.server import Server
from xenci.lab_gerrit.store import dumps, now

ADMINISTRATORS = "Administrators"
SERVICE_USERS = "Service Users"
BLOCKED_USERS = "Blocked Users"

CODE_REVIEW = {
    "description": "",
    "function": "NoBlock",
    "values": {
        " 0": "No score",
        "-1": "I would prefer this is not submitted as is",
        "-2": "This shall not be submitted",
        "+1": "Looks good to me, but someone else must approve",
        "+2": "Looks good to me, approved",
    },
    "default_value": 0,
    "can_override": True,
    "copy_condition": "changekind:NO_CHANGE OR changekind:TRIVIAL_REBASE OR is:MIN",
    "allow_post_submit": True,
}
REQUIREMENTS: dict[str, dict[str, Any]] = {
    "Code-Review": {
        "description": "Changes must have at least one MAX Code-Review vote and no MIN to be submittable.",
        "submittability_expression": "label:Code-Review=MAX AND -label:Code-Review=MIN",
        "allow_override_in_child_projects": True,
    },
    "No-Unresolved-Comments": {
        "description": "Changes that have unresolved comments are not submittable.",
        "applicability_expression": "has:unresolved",
        "submittability_expression": "-has:unresolved",
        "allow_override_in_child_projects": False,
    },
}


async def init(config: Config, *, admin_password: str | None, admin_key: str | None) -> bool:
    """Fill an empty site, and give the administrator this password and key; says whether anything changed.

    Of a site that is there nothing else is touched. Without a password a new site's administrator has
    Gerrit's well-known one of `init --dev`, and an old one's keeps his.
    """
    for directory in (config.database.parent, config.git_dir, config.path.parent, config.hook_socket.parent):
        directory.mkdir(parents=True, exist_ok=True)
    changed = _host_key(config.host_key)
    server = Server(config)
    try:
        if not server.setting_done():
            await _make(server, admin_password or "secret", admin_key)
            return True
        with server.store.transaction():
            return _administrator(server, admin_password, admin_key) or changed
    finally:
        server.close()


async def _make(server: Server, admin_password: str, admin_key: str | None) -> None:
    for project, head in ((ALL_PROJECTS, "refs/meta/config"), (ALL_USERS, "refs/meta/config")):
        if not server.repository(project).path.exists():
            await server.create_repository(project, head)
    with server.store.transaction():
        _fill(server, admin_password, admin_key)
    admin = server.accounts.by_username("admin")
    if admin is None:
        raise RuntimeError("init made no administrator")
    for project in (ALL_PROJECTS, ALL_USERS):
        await server.commit_config(project, admin, "Initialized Gerrit Code Review 3.13.8")
    groups = Groups(server)
    for group in groups.all():
        await groups.tell(admin, group)
    server.store.put_setting("initialized", "1")


def _administrator(server: Server, password: str | None, key: str | None) -> bool:
    """Make the administrator's password and key what they should be; an old password no longer opens."""
    admin = server.accounts.by_username("admin")
    if admin is None:
        raise ValueError("this site has no account `admin`")
    changed = False
    if password is not None and server.accounts.login("admin", password) is None:
        server.store.run("DELETE FROM tokens WHERE account = ?", admin.id)
        server.accounts.add_token(admin.id, "default", password)
        changed = True
    if key is not None:
        keys = server.store.value("SELECT count(*) FROM ssh_keys WHERE account = ?", admin.id)
        server.accounts.add_key(admin.id, key)
        now_there = server.store.value("SELECT count(*) FROM ssh_keys WHERE account = ?", admin.id)
        changed = changed or now_there != keys
    return changed


def _host_key(path: Path) -> bool:
    if path.exists():
        return False
    key = asyncssh.generate_private_key("ssh-ed25519")
    path.touch(mode=0o600)
    path.write_bytes(key.export_private_key())
    path.with_suffix(".pub").write_bytes(key.export_public_key())
    return True


def _fill(server: Server, admin_password: str, admin_key: str | None) -> None:
    store = server.store
    if server.accounts.by_username("admin"):
        return
    admin = server.accounts.create("admin", "Administrator", "admin@example.com")
    server.accounts.add_token(admin.id, "initialToken", admin_password)
    if admin_key:
        server.accounts.add_key(admin.id, admin_key)
    administrators, service, blocked = (secrets.token_hex(20) for _ in range(3))
    groups = (
        (1, administrators, ADMINISTRATORS, "Gerrit Site Administrators", 0),
        (2, service, SERVICE_USERS, "Users who perform batch actions on Gerrit", 1),
        (3, blocked, BLOCKED_USERS, "Blocked users. Add spammers to this group.", 0),
    )
    for number, uuid, name, description, visible in groups:
        store.insert(
            "groups",
            id=number,
            uuid=uuid,
            name=name,
            description=description,
            owner_uuid=administrators,
            visible_to_all=visible,
            created_on=now(),
        )
    store.insert("group_members", group_id=1, account=admin.id)
    store.insert("projects", name=ALL_PROJECTS, description="Access inherited by all other projects.")
    store.insert(
        "projects",
        name=ALL_USERS,
        parent=ALL_PROJECTS,
        description="Individual user settings and preferences.",
    )
    store.insert("labels", project=ALL_PROJECTS, name="Code-Review", definition=dumps(CODE_REVIEW))
    for name, definition in REQUIREMENTS.items():
        store.insert("submit_requirements", project=ALL_PROJECTS, name=name, definition=dumps(definition))
    for ref, permissions in _access(administrators, service, blocked).items():
        store.insert("access_sections", project=ALL_PROJECTS, ref=ref, permissions=dumps(permissions))
    # What is in All-Users is about persons: only administrators and each person himself read it.
    nobody = {"read": {"exclusive": True, "rules": {administrators: _allow()}}}
    store.insert("access_sections", project=ALL_USERS, ref="refs/*", permissions=dumps(nobody))


def _allow(**more: Any) -> dict[str, Any]:
    return {"action": "ALLOW", "force": False, **more}


def _access(administrators: str, service: str, blocked: str) -> dict[str, Any]:
    """Access sections of All-Projects, as recorded of a new 3.13.8 site."""
    masters = {"rules": {OWNERS: _allow(), administrators: _allow()}}
    full = {OWNERS: _allow(min=-2, max=2), administrators: _allow(min=-2, max=2)}
    forced = {"rules": {OWNERS: {**_allow(), "force": True}, administrators: {**_allow(), "force": True}}}
    registered = {"rules": {REGISTERED: _allow()}}
    anyone = {"rules": {ANONYMOUS: _allow()}}
    return {
        "refs/meta/version": {"read": anyone},
        "refs/meta/config": {
            "label-Code-Review": {"label": "Code-Review", "rules": full},
            "read": {"exclusive": True, **masters},
            "submit": masters,
            "create": masters,
        },
        "refs/for/*": {"pushMerge": registered, "addPatchSet": registered, "push": registered},
        "refs/tags/*": {"createTag": masters, "createSignedTag": masters, "create": masters},
        CAPABILITIES: {
            "streamEvents": {"rules": {service: _allow()}},
            "administrateServer": {"rules": {administrators: _allow()}},
            "priority": {"rules": {service: {"action": "BATCH", "force": False}}},
        },
        "refs/heads/*": {
            "editTopicName": forced,
            "label-Code-Review": {
                "label": "Code-Review",
                "rules": {REGISTERED: _allow(min=-1, max=1), **full},
            },
            "forgeAuthor": registered,
            "read": anyone,
            "submit": masters,
            "create": masters,
            "revert": masters,
            "forgeCommitter": masters,
        },
        "refs/*": {
            "read": {"rules": {administrators: _allow(), blocked: {"action": "BLOCK", "force": False}}}
        },
    }
