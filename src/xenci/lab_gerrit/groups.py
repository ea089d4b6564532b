"""Groups: finding, showing and changing them. REST and ssh both work through this."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote, unquote

from xenci.lab_gerrit.access import ALL_USERS, ANONYMOUS, CHANGE_OWNER, OWNERS, REGISTERED
from xenci.lab_gerrit.accounts import Account, account_info
from xenci.lab_gerrit.server import Server
from xenci.lab_gerrit.store import Row, now
from xenci.lab_gerrit.times import timestamp

SYSTEM_GROUPS = {
    ANONYMOUS: "Anonymous Users",
    REGISTERED: "Registered Users",
    OWNERS: "Project Owners",
    CHANGE_OWNER: "Change Owner",
}


class Group:
    """A group of the site (`row`) or one of the system's (no row)."""

    def __init__(self, uuid: str, name: str, row: Row | None = None) -> None:
        self.uuid, self.name, self.row = uuid, name, row


class Groups:
    """Look-ups and changes, with the `ref-updated` event of All-Users that Gerrit sends for each."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._store = server.store

    def all(self) -> list[Group]:
        """The site's own groups by name."""
        rows = self._store.all("SELECT * FROM groups ORDER BY name")
        return [Group(row["uuid"], row["name"], row) for row in rows]

    def find(self, text: str) -> Group | None:
        """Group by UUID, number or name."""
        text = unquote(text) if text.startswith("global%3A") else text
        for uuid, name in SYSTEM_GROUPS.items():
            if text == uuid or text.lower() == name.lower():
                return Group(uuid, name)
        row = self._store.one("SELECT * FROM groups WHERE uuid = ?", text)
        row = row or self._store.one("SELECT * FROM groups WHERE name = ?", text)
        if row is None and text.isdigit() and len(text) < 10:
            row = self._store.one("SELECT * FROM groups WHERE id = ?", int(text))
        return Group(row["uuid"], row["name"], row) if row else None

    def owns(self, account: int | None, group: Group) -> bool:
        """Whether an account may change a group."""
        if group.row is None:
            return False
        access = self._server.access
        return access.is_admin(account) or group.row["owner_uuid"] in access.groups(account)

    def sees(self, account: int | None, group: Group) -> bool:
        """Whether an account may know of a group: his own, those visible to all, those he owns."""
        if group.row is None or group.row["visible_to_all"]:
            return True
        return group.uuid in self._server.access.groups(account) or self.owns(account, group)

    def members(self, group: Group, *, recursive: bool = False) -> list[Account]:
        """Members by name; with `recursive` those of included groups too."""
        if group.row is None:
            return []
        rows = self._store.all("SELECT account FROM group_members WHERE group_id = ?", group.row["id"])
        numbers = {row["account"] for row in rows}
        if recursive:
            numbers |= {
                account.id
                for account in self._server.accounts.all()
                if group.uuid in self._server.access.groups(account.id)
            }
        found = [account for number in numbers if (account := self._server.accounts.get(number))]
        return sorted(found, key=lambda account: (account.name or "", account.email or "", account.id))

    def includes(self, group: Group) -> list[Group]:
        """Groups that are part of a group, by name."""
        if group.row is None:
            return []
        rows = self._store.all("SELECT uuid FROM group_includes WHERE group_id = ?", group.row["id"])
        found = [part for row in rows if (part := self.find(row["uuid"]))]
        return sorted(found, key=lambda part: part.name)

    def info(self, group: Group, *, members: bool = False, includes: bool = False) -> dict[str, Any]:
        """GroupInfo."""
        if group.row is None:
            return {"options": {}, "id": quote(group.uuid, safe=""), "name": group.name}
        row = group.row
        owner = self.find(row["owner_uuid"])
        found: dict[str, Any] = {
            "url": f"#/admin/groups/uuid-{group.uuid}",
            "options": {"visible_to_all": True} if row["visible_to_all"] else {},
        }
        if row["description"]:
            found["description"] = row["description"]
        found |= {
            "group_id": row["id"],
            "owner": owner.name if owner else row["owner_uuid"],
            "owner_id": row["owner_uuid"],
            "created_on": timestamp(row["created_on"]),
        }
        if members:
            found["members"] = [account_info(account) for account in self.members(group)]
        if includes:
            found["includes"] = [self.info(part) for part in self.includes(group)]
        return found | {"id": group.uuid, "name": group.name}

    async def create(
        self,
        actor: Account,
        name: str,
        *,
        description: str = "",
        owner: Group | None = None,
        visible: bool = False,
        uuid: str | None = None,
        members: list[Account] | None = None,
    ) -> Group:
        """A new group; without an owner it owns itself, without members its maker is the only one."""
        new = uuid or secrets.token_hex(20)
        with self._store.transaction():
            number = self._store.insert(
                "groups",
                uuid=new,
                name=name,
                description=description,
                owner_uuid=owner.uuid if owner else new,
                visible_to_all=int(visible),
                created_on=now(),
            )
            for member in [actor] if members is None else members:
                self._add_member(number, actor, member)
        self._server.access.forget()
        group = self.find(new)
        if group is None:
            raise RuntimeError("a group just written is not there")
        if uuid is None:
            await self.tell(actor, group)
        return group

    async def update(self, actor: Account, group: Group, **columns: Any) -> Group:
        """Set columns of a group; without a difference nothing happens."""
        if group.row is None or all(group.row[key] == value for key, value in columns.items()):
            return group
        sets = ", ".join(f"{key} = ?" for key in columns)
        self._store.run(f"UPDATE groups SET {sets} WHERE id = ?", *columns.values(), group.row["id"])  # noqa: S608
        self._server.access.forget()
        await self.tell(actor, group)
        return self.find(group.uuid) or group

    async def add_members(self, actor: Account, group: Group, accounts: list[Account]) -> list[Account]:
        """Add accounts; returns those that were not members."""
        number = _number(group)
        present = {account.id for account in self.members(group)}
        new = [account for account in accounts if account.id not in present]
        with self._store.transaction():
            for account in new:
                self._add_member(number, actor, account)
        await self._changed(actor, group, bool(new))
        return new

    async def remove_members(self, actor: Account, group: Group, accounts: list[Account]) -> list[Account]:
        """Take accounts out; returns those that were members."""
        number = _number(group)
        present = {account.id for account in self.members(group)}
        gone = [account for account in accounts if account.id in present]
        with self._store.transaction():
            for account in gone:
                self._store.run(
                    "DELETE FROM group_members WHERE group_id = ? AND account = ?", number, account.id
                )
                self._audit(number, "REMOVE_USER", actor, str(account.id))
        await self._changed(actor, group, bool(gone))
        return gone

    async def include(self, actor: Account, group: Group, parts: list[Group]) -> list[Group]:
        """Make groups part of a group; returns those that were not."""
        number = _number(group)
        present = {part.uuid for part in self.includes(group)}
        new = [part for part in parts if part.uuid not in present]
        with self._store.transaction():
            for part in new:
                self._store.insert("group_includes", group_id=number, uuid=part.uuid)
                self._audit(number, "ADD_GROUP", actor, part.uuid)
        await self._changed(actor, group, bool(new))
        return new

    async def exclude(self, actor: Account, group: Group, parts: list[Group]) -> list[Group]:
        """Take groups out of a group; returns those that were part of it."""
        number = _number(group)
        present = {part.uuid for part in self.includes(group)}
        gone = [part for part in parts if part.uuid in present]
        with self._store.transaction():
            for part in gone:
                self._store.run(
                    "DELETE FROM group_includes WHERE group_id = ? AND uuid = ?", number, part.uuid
                )
                self._audit(number, "REMOVE_GROUP", actor, part.uuid)
        await self._changed(actor, group, bool(gone))
        return gone

    def audit(self, group: Group) -> list[dict[str, Any]]:
        """GroupAuditEventInfo, the newest first."""
        rows = self._store.all(
            "SELECT * FROM group_audit WHERE group_id = ? ORDER BY seq DESC", _number(group)
        )
        found = []
        for row in rows:
            if row["type"].endswith("USER"):
                member = account_info(self._server.accounts.get(int(row["member"])))
            else:
                part = self.find(row["member"])
                member = self.info(part) if part else {"id": row["member"]}
            actor = account_info(self._server.accounts.get(row["actor"]))
            found.append(
                {"member": member, "type": row["type"], "user": actor, "date": timestamp(row["date"])}
            )
        return found

    async def tell(self, actor: Account, group: Group) -> None:
        """Send the event of a changed group."""
        ref = f"refs/groups/{group.uuid[:2]}/{group.uuid}"
        await self._server.commit_config(ALL_USERS, actor, "Update group", ref=ref)

    async def _changed(self, actor: Account, group: Group, changed: bool) -> None:
        self._server.access.forget()
        if changed:
            await self.tell(actor, group)

    def _add_member(self, number: int, actor: Account, member: Account) -> None:
        self._store.insert("group_members", group_id=number, account=member.id)
        self._audit(number, "ADD_USER", actor, str(member.id))

    def _audit(self, number: int, kind: str, actor: Account, member: str) -> None:
        self._store.insert(
            "group_audit", group_id=number, type=kind, actor=actor.id, member=member, date=now()
        )


def _number(group: Group) -> int:
    if group.row is None:
        raise ValueError(f"{group.name} is a system group")
    return int(group.row["id"])
