"""What gerrit_group does: a group, its description, owner, visibility, members and included groups."""

from __future__ import annotations

from typing import Any

from ansible_collections.xenci.stack.plugins.module_utils.gerrit.client import (
    Gerrit,
    GerritError,
    Group,
    account_from_info,
    quote,
)
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.result import Plan


def plan_group(gerrit: Gerrit, params: dict[str, Any], check_mode: bool) -> Plan:
    """Compare the group with the parameters of gerrit_group."""
    return _GroupPlan(gerrit, params, check_mode).plan


def group_state(group: Group) -> dict[str, Any]:
    """The group as the modules show it."""
    return {
        "name": group.name,
        "uuid": group.uuid,
        "description": group.info.get("description", ""),
        "owner": group.info.get("owner", ""),
        "visible_to_all": bool(group.info.get("options", {}).get("visible_to_all", False)),
        "members": sorted(account_from_info(member).label for member in group.info.get("members", [])),
        "includes": sorted(
            included.get("name", included["id"]) for included in group.info.get("includes", [])
        ),
    }


class _GroupPlan:
    """Builds the plan; the UUID is known only once the group exists, so steps ask for it late."""

    def __init__(self, gerrit: Gerrit, params: dict[str, Any], check_mode: bool) -> None:
        self.gerrit = gerrit
        self.params = params
        self.check_mode = check_mode
        self.name: str = params["name"]
        self.found = gerrit.find_group(self.name)
        self.uuid = self.found.uuid if self.found else ""
        if self.uuid.startswith("global:"):
            raise GerritError(f"'{self.name}' is one of Gerrit's system groups: it cannot be changed.")
        before = group_state(self.found) if self.found else None
        self.plan = Plan(before, dict(before) if before else self._new())
        if self.found is None:
            self.plan.step(f"create the group {self.name}", self._do_create)
        self._description()
        self._visibility()
        self._owner()
        self._includes()
        self._members()

    def _path(self, rest: str = "") -> str:
        return f"/groups/{quote(self.uuid)}{rest}"

    # -- creation --------------------------------------------------------------------------------------------

    def _new(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "description": self.params["description"] or "",
            "owner": self.name,
            "visible_to_all": bool(self.params["visible_to_all"]),
            "members": [],
            "includes": [],
        }

    def _do_create(self) -> None:
        body: dict[str, Any] = {"visible_to_all": bool(self.params["visible_to_all"])}
        if self.params["description"]:
            body["description"] = self.params["description"]
        answer = self.gerrit.put(f"/groups/{quote(self.name)}", body, accept=(409,))
        if answer.status == 409:
            raise GerritError(
                f"The group name '{self.name}' is taken ({answer.data}), but '{self.gerrit.username}' "
                "cannot see that group under exactly this name. Speak as a member of Administrators, or "
                "look at its case.",
                409,
            )
        self.uuid = answer.data["id"]
        self.gerrit.forget_group(self.name)

    # -- settings --------------------------------------------------------------------------------------------

    def _description(self) -> None:
        wanted = self.params["description"]
        if self.found is None or wanted is None or wanted == self.plan.after["description"]:
            return
        if wanted:
            self.plan.step(
                "set the description",
                lambda: self.gerrit.put(self._path("/description"), {"description": wanted}),
            )
        else:
            self.plan.step("remove the description", lambda: self.gerrit.delete(self._path("/description")))
        self.plan.after["description"] = wanted

    def _visibility(self) -> None:
        wanted = self.params["visible_to_all"]
        if self.found is None or wanted is None or wanted == self.plan.after["visible_to_all"]:
            return
        self.plan.step(
            f"{'show it to' if wanted else 'hide it from'} all",
            lambda: self.gerrit.put(self._path("/options"), {"visible_to_all": wanted}),
        )
        self.plan.after["visible_to_all"] = wanted

    def _owner(self) -> None:
        wanted = self.params["owner"]
        if wanted is None or wanted == self.plan.after["owner"]:
            return
        owner = self.gerrit.find_group(wanted) if wanted != self.name else None
        if owner is None and wanted != self.name:
            self.plan.missing(
                self.check_mode,
                f"There is no group '{wanted}' to own {self.name}. Make it with gerrit_group first.",
            )
        self.plan.step(
            f"set the owner to {wanted}",
            lambda: self.gerrit.put(self._path("/owner"), {"owner": owner.uuid if owner else self.uuid}),
        )
        self.plan.after["owner"] = wanted

    def _includes(self) -> None:
        wanted = self.params["includes"]
        if wanted is None:
            return
        listed = {
            included.get("name", included["id"]): included["id"]
            for included in (self.found.info.get("includes", []) if self.found else [])
        }
        after = set(listed)
        for name in wanted:
            if name in listed:
                continue
            if self.gerrit.find_group(name) is None:
                self.plan.missing(
                    self.check_mode,
                    f"There is no group '{name}' to include in {self.name}. Make it with gerrit_group first.",
                )
            self.plan.step(f"include the group {name}", lambda name=name: self._do_include(name))
            after.add(name)
        if self.params["exclusive"]:
            for name in sorted(set(listed) - set(wanted)):
                self.plan.step(
                    f"no longer include the group {name}",
                    lambda name=name: self.gerrit.delete(self._path(f"/groups/{listed[name]}")),
                )
                after.remove(name)
        self.plan.after["includes"] = sorted(after)

    def _do_include(self, name: str) -> None:
        included = self.gerrit.find_group(name)
        if included is None:
            raise GerritError(f"The group '{name}' is gone.")
        self.gerrit.put(self._path(f"/groups/{quote(included.uuid)}"))

    # -- members ---------------------------------------------------------------------------------------------

    def _members(self) -> None:
        wanted = self.params["members"]
        listed = [
            account_from_info(info) for info in (self.found.info.get("members", []) if self.found else [])
        ]
        numbers = {account.number for account in listed}
        after = {account.label for account in listed}
        kept = set()
        for who in wanted or []:
            account = self.gerrit.find_account(who)
            if account is None:
                self.plan.missing(
                    self.check_mode,
                    f"There is no account '{who}' to be in {self.name}. Make it with gerrit_account "
                    "first, or check the spelling: user name, e-mail address or number.",
                )
            elif account.number in numbers:
                kept.add(account.number)
                continue
            self.plan.step(f"add the member {who}", lambda who=who: self._do_join(who))
            after.add(account.label if account else who)
        if wanted is not None and self.params["exclusive"]:
            for account in listed:
                if account.number not in kept:
                    self.plan.step(
                        f"remove the member {account.label}",
                        lambda number=account.number: self.gerrit.delete(self._path(f"/members/{number}")),
                    )
                    after.discard(account.label)
        if self.found is None:
            self.plan.step("leave the new group to the listed members", self._do_remove_creator)
        self.plan.after["members"] = sorted(after)

    def _do_join(self, who: str) -> None:
        account = self.gerrit.find_account(who)
        if account is None:
            raise GerritError(f"The account '{who}' is gone.")
        self.gerrit.put(self._path(f"/members/{account.number}"))

    def _do_remove_creator(self) -> None:
        """Gerrit makes whoever creates a group its member; only those listed shall be in it."""
        wanted = set()
        for who in self.params["members"] or []:
            account = self.gerrit.find_account(who)
            wanted.add(account.number if account else 0)
        for info in self.gerrit.get(self._path("/members/")).data:
            if info["_account_id"] not in wanted:
                self.gerrit.delete(self._path(f"/members/{info['_account_id']}"))
