"""Who may do what: Gerrit's access sections, evaluated in one place.

A right belongs to a permission (`read`, `push`, `submit`, `label-Verified`, …) on a ref pattern of a
project; projects inherit from their parent, all from All-Projects. A BLOCK anywhere on the way wins,
an exclusive permission hides the less specific ones. Global capabilities stand in the section
GLOBAL_CAPABILITIES of All-Projects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from xenci.lab_gerrit.store import Row, Store, loads

ALL_PROJECTS = "All-Projects"
ALL_USERS = "All-Users"
ANONYMOUS = "global:Anonymous-Users"
REGISTERED = "global:Registered-Users"
OWNERS = "global:Project-Owners"
CHANGE_OWNER = "global:Change-Owner"
CAPABILITIES = "GLOBAL_CAPABILITIES"
CAPABILITY_NAMES = (
    "accessDatabase", "administrateServer", "createAccount", "createGroup", "createProject", "deleteGroup",
    "emailReviewers", "flushCaches", "killTask", "maintainServer", "modifyAccount", "readAs", "runAs",
    "runGC", "streamEvents", "viewAccess", "viewAllAccounts", "viewCaches", "viewConnections", "viewPlugins",
    "viewQueue", "viewSecondaryEmails",
)  # fmt: skip
DEFAULT_QUERY_LIMIT = 500


@dataclass(frozen=True)
class _Permission:
    exclusive: bool
    rules: dict[str, dict[str, Any]]


class Access:
    """Evaluates rights against the store; `forget()` after any write to access, groups or projects."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sections: dict[str, dict[str, dict[str, _Permission]]] = {}
        self._groups: dict[int | None, frozenset[str]] = {}

    def forget(self) -> None:
        """Drop what was remembered of projects and groups."""
        self._sections.clear()
        self._groups.clear()

    def groups(self, account: int | None) -> frozenset[str]:
        """UUIDs of all groups an account is in, directly or by inclusion; None is an anonymous user."""
        if account not in self._groups:
            self._groups[account] = frozenset(self._expand(account))
        return self._groups[account]

    def _expand(self, account: int | None) -> set[str]:
        if account is None:
            found = {ANONYMOUS}
        else:
            rows = self._store.all(
                "SELECT g.uuid FROM groups g JOIN group_members m ON m.group_id = g.id WHERE m.account = ?",
                account,
            )
            found = {ANONYMOUS, REGISTERED} | {row["uuid"] for row in rows}
        includes = self._store.all(
            "SELECT g.uuid, i.uuid AS part FROM groups g JOIN group_includes i ON i.group_id = g.id"
        )
        grew = True
        while grew:
            outer = {row["uuid"] for row in includes if row["part"] in found}
            grew = not outer <= found
            found |= outer
        return found

    def capability(self, account: int | None, name: str) -> bool:
        """Whether an account has a global capability; administrators have all, `emailReviewers` everybody."""
        if name == "emailReviewers" and account is not None:
            return True
        permissions = self._project(ALL_PROJECTS).get(CAPABILITIES, {})
        groups = self.groups(account)
        for wanted in (name, "administrateServer"):
            permission = permissions.get(wanted)
            if permission and any(
                rule.get("action") == "ALLOW" for uuid, rule in permission.rules.items() if uuid in groups
            ):
                return True
        return False

    def capabilities(self, account: int | None) -> dict[str, Any]:
        """What AccountCapabilityInfo shows: the global capabilities that an account has, and its limits."""
        found: dict[str, Any] = {name: True for name in CAPABILITY_NAMES if self.capability(account, name)}
        found["queryLimit"] = {"min": 0, "max": self.query_limit(account)}
        permissions = self._project(ALL_PROJECTS).get(CAPABILITIES, {})
        priority = permissions.get("priority")
        if priority:
            mine = [rule for uuid, rule in priority.rules.items() if uuid in self.groups(account)]
            if any(rule.get("action") == "BATCH" for rule in mine):
                found["priority"] = "BATCH"
        return found

    def query_limit(self, account: int | None) -> int:
        """How many rows one query may give."""
        permission = self._project(ALL_PROJECTS).get(CAPABILITIES, {}).get("queryLimit")
        rules = permission.rules.items() if permission else ()
        limits = [rule.get("max", 0) for uuid, rule in rules if uuid in self.groups(account)]
        return max(limits, default=DEFAULT_QUERY_LIMIT)

    def is_admin(self, account: int | None) -> bool:
        """Whether an account may administrate the server."""
        return self.capability(account, "administrateServer")

    def is_owner(self, account: int | None, project: str, ref: str = "refs/*") -> bool:
        """Whether an account owns a project (or the refs of a pattern): administrators own everything."""
        if self.is_admin(account):
            return True
        return self._allowed(self.groups(account), project, ref, "owner")

    def can(
        self, account: int | None, project: str, ref: str, permission: str, *, owner_of_change: bool = False
    ) -> bool:
        """Whether an account has a permission on a ref of a project."""
        groups = self._with_roles(account, project, owner_of_change)
        return self._allowed(groups, project, ref, permission)

    def allowed_by(self, account: int | None, project: str, ref: str, permission: str) -> str | None:
        """UUID of a group whose rule gives an account a permission; None if it has not got it."""
        if not self.can(account, project, ref, permission):
            return None
        groups = self._with_roles(account, project, False)
        for found in self._matching(groups, project, ref, permission):
            for uuid, rule in found.rules.items():
                if uuid in groups and rule.get("action", "ALLOW") == "ALLOW":
                    return uuid
        return None

    def can_force(self, account: int | None, project: str, ref: str, permission: str) -> bool:
        """Whether it has the permission with the force flag."""
        groups = self._with_roles(account, project, False)
        return any(
            rule.get("force") and rule.get("action") == "ALLOW" and uuid in groups
            for found in self._matching(groups, project, ref, permission)
            for uuid, rule in found.rules.items()
        )

    def label_range(
        self, account: int | None, project: str, ref: str, label: str, *, owner_of_change: bool = False
    ) -> tuple[int, int]:
        """Lowest and highest value that an account may give to a label on a ref's changes; (0, 0) is none."""
        groups = self._with_roles(account, project, owner_of_change)
        low, high = 0, 0
        blocked_low, blocked_high = -1000, 1000
        for permission in self._matching(groups, project, ref, f"label-{label}"):
            mine = [rule for uuid, rule in permission.rules.items() if uuid in groups]
            allows = [rule for rule in mine if rule.get("action") == "ALLOW"]
            for rule in allows:
                low = min(low, rule.get("min", 0))
                high = max(high, rule.get("max", 0))
            if any(rule.get("action") == "BLOCK" for rule in mine):
                # Beside an ALLOW of the same section a BLOCK leaves what that allows; alone, a block of
                # -2..+2 leaves what lies between: -1..+1. (RefControl.toRange of Gerrit 3.11)
                for rule in allows[:1] or [rule for rule in mine if rule.get("action") == "BLOCK"]:
                    step = 0 if allows else 1
                    blocked_low = max(blocked_low, rule.get("min", 0) + step)
                    blocked_high = min(blocked_high, rule.get("max", 0) - step)
        return max(low, blocked_low, -1000), min(high, blocked_high)

    def can_read(self, account: int | None, project: str, ref: str) -> bool:
        """Whether an account may see a ref."""
        return self.can(account, project, ref, "read")

    def can_see_project(self, account: int | None, project: str) -> bool:
        """Whether an account may know of a project: it reads some ref of it, or owns it."""
        row = self._store.one("SELECT state FROM projects WHERE name = ?", project)
        if row is None:
            return False
        if self.is_owner(account, project):
            return True
        if row["state"] == "HIDDEN":
            return False
        patterns = {pattern for name in self.chain(project) for pattern in self._project(name)}
        return any(
            self.can_read(account, project, _example(pattern))
            for pattern in patterns
            if pattern.startswith(("refs/", "^refs/"))
        )

    def can_see_change(self, account: int | None, change: Row) -> bool:
        """Whether an account reads a change's branch, and if it is private is its owner or a reviewer."""
        if not self.can_read(account, change["project"], change["branch"]):
            return False
        if not change["private"] or account == change["owner"]:
            return True
        if account is None:
            return False
        reviewer = self._store.one(
            "SELECT 1 FROM reviewers WHERE change = ? AND account = ? AND state != 'REMOVED'",
            change["number"],
            account,
        )
        return reviewer is not None or self.can(
            account, change["project"], change["branch"], "viewPrivateChanges"
        )

    def chain(self, project: str) -> Iterator[str]:
        """A project and its parents up to All-Projects."""
        seen: set[str] = set()
        name: str | None = project
        while name and name not in seen:
            seen.add(name)
            yield name
            parent = self._store.value("SELECT parent FROM projects WHERE name = ?", name)
            name = parent or (ALL_PROJECTS if name != ALL_PROJECTS else None)

    def _with_roles(self, account: int | None, project: str, owner_of_change: bool) -> frozenset[str]:
        groups = self.groups(account)
        if owner_of_change:
            groups |= {CHANGE_OWNER}
        if self.is_owner(account, project):
            groups |= {OWNERS}
        return groups

    def _allowed(self, groups: frozenset[str], project: str, ref: str, permission: str) -> bool:
        allowed, denied = False, False
        for found in self._matching(groups, project, ref, permission):
            mine = [rule.get("action", "ALLOW") for uuid, rule in found.rules.items() if uuid in groups]
            # Who has an ALLOW of his own beside the BLOCK is not blocked by it.
            if "BLOCK" in mine and "ALLOW" not in mine:
                return False
            if "DENY" in mine and "ALLOW" not in mine and not allowed:
                denied = True
            allowed = allowed or ("ALLOW" in mine and not denied)
        return allowed

    def _matching(
        self, groups: frozenset[str], project: str, ref: str, permission: str
    ) -> Iterator[_Permission]:
        """Permissions of all matching sections, the most specific first, the child's before the parent's."""
        found: list[tuple[int, int, _Permission]] = []
        for depth, name in enumerate(self.chain(project)):
            for pattern, permissions in self._project(name).items():
                if permission in permissions and matches(pattern, ref):
                    found.append((-specificity(pattern), depth, permissions[permission]))
        found.sort(key=lambda entry: entry[:2])
        hidden = False
        for _, _, entry in found:
            if not hidden:
                yield entry
            elif any(rule.get("action") == "BLOCK" for rule in entry.rules.values()):
                blocks = {uuid: rule for uuid, rule in entry.rules.items() if rule.get("action") == "BLOCK"}
                yield _Permission(False, blocks)
            hidden = hidden or entry.exclusive

    def _project(self, project: str) -> dict[str, dict[str, _Permission]]:
        if project not in self._sections:
            rows = self._store.all("SELECT ref, permissions FROM access_sections WHERE project = ?", project)
            self._sections[project] = {
                row["ref"]: {
                    name: _Permission(bool(value.get("exclusive")), value.get("rules") or {})
                    for name, value in loads(row["permissions"]).items()
                }
                for row in rows
            }
        return self._sections[project]


def matches(pattern: str, ref: str) -> bool:
    """Whether a section's ref pattern (exact, `prefix/*` or `^regex`) covers a ref."""
    if pattern.startswith("^"):
        return re.fullmatch(pattern[1:], ref) is not None
    if pattern.endswith("/*"):
        return ref.startswith(pattern[:-1]) or ref == pattern
    return pattern == ref


def specificity(pattern: str) -> int:
    """How specific a pattern is: exact ones above all, then by length."""
    return len(pattern) + (10_000 if not pattern.endswith("/*") and not pattern.startswith("^") else 0)


def _example(pattern: str) -> str:
    """A ref that a pattern covers: what stands before the star."""
    if pattern.startswith("^"):
        return "refs/heads/master"
    return pattern[:-1] + "master" if pattern.endswith("/*") else pattern
