"""What gerrit_access does: rules of access, by ref, permission and group.

How Gerrit applies ``POST /projects/P/access`` decides how this is written (recorded, and read in its source):

* removals come first, then additions, in one commit;
* an added rule does not replace another one of the same group, and the exclusive flag of a permission that
  is there stays as it is: what changes is removed and added;
* a removal that names a permission without rules removes the whole section: removals name every rule;
* the last rule takes its permission with it, the last permission its section;
* rules for unknown labels and values are accepted and do nothing: they are refused here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ansible_collections.xenci.stack.plugins.module_utils.gerrit.client import Gerrit, GerritError, quote
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.projects import label_values
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.result import Plan

_CAPABILITIES = "GLOBAL_CAPABILITIES"


class Place(NamedTuple):
    """Where rules live."""

    ref: str
    permission: str


class Permission:
    """The rules of one place by group UUID, and whether they replace those of less specific refs."""

    def __init__(self, exclusive: bool = False) -> None:
        self.exclusive = exclusive
        self.rules: dict[str, dict[str, Any]] = {}

    def copy(self) -> Permission:
        """A copy whose rules can be changed."""
        twin = Permission(self.exclusive)
        twin.rules = dict(self.rules)
        return twin

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Permission) and (self.exclusive, self.rules) == (
            other.exclusive,
            other.rules,
        )

    __hash__ = None  # type: ignore[assignment]


Access = dict[Place, Permission]


def plan_access(gerrit: Gerrit, params: dict[str, Any], check_mode: bool) -> Plan:
    """Compare the rules of a project with the parameters of gerrit_access."""
    return _AccessPlan(gerrit, params, check_mode).plan


def parse_access(info: dict[str, Any]) -> Access:
    """Read ProjectAccessInfo. Only a rule's own words are kept: false ``force`` is the same as none."""
    access: Access = {}
    for ref, section in info.get("local", {}).items():
        for name, told in section.get("permissions", {}).items():
            permission = Permission(bool(told.get("exclusive", False)))
            permission.rules = {uuid: _rule(rule) for uuid, rule in told.get("rules", {}).items()}
            access[Place(ref, name)] = permission
    return access


def show_access(access: Access, names: dict[str, str]) -> dict[str, Any]:
    """Rules as one reads them: ref, permission, group by name."""
    shown: dict[str, Any] = {}
    for place in sorted(access):
        permission = access[place]
        if not permission.rules:
            continue
        rules = {names.get(uuid, uuid): _words(rule) for uuid, rule in permission.rules.items()}
        entry: dict[str, Any] = {"rules": dict(sorted(rules.items()))}
        if permission.exclusive:
            entry["exclusive"] = True
        shown.setdefault(place.ref, {})[place.permission] = entry
    return shown


def _rule(told: dict[str, Any]) -> dict[str, Any]:
    rule: dict[str, Any] = {"action": told.get("action", "ALLOW"), "force": bool(told.get("force", False))}
    if told.get("min") is not None or told.get("max") is not None:
        rule["min"], rule["max"] = int(told.get("min") or 0), int(told.get("max") or 0)
    return rule


def _words(rule: dict[str, Any]) -> str:
    words = str(rule["action"]).lower()
    if rule["force"]:
        words += " with force"
    if "min" in rule:
        words += f" {rule['min']:+d}..{rule['max']:+d}"
    return words


class _AccessPlan:
    """Builds the plan."""

    def __init__(self, gerrit: Gerrit, params: dict[str, Any], check_mode: bool) -> None:
        self.gerrit = gerrit
        self.check_mode = check_mode
        self.project: str = params["project"]
        self.state: str = params["state"]
        self.scope: str = params["exact_scope"]
        self.rules: list[dict[str, Any]] = params["rules"]
        self.names: dict[str, str] = {}
        self.plan = Plan({}, {})
        self.path = f"/projects/{quote(self.project)}/access"
        answer = gerrit.get(self.path, accept=(404,))
        if answer.status == 404:
            self.plan.missing(
                check_mode, f"There is no project '{self.project}'. Make it with gerrit_project first."
            )
        info = answer.data if answer.status == 200 else {}
        self.names.update({uuid: group.get("name", uuid) for uuid, group in info.get("groups", {}).items()})
        self.now = parse_access(info)
        self._check_places()
        self.labels = self._read_labels() if answer.status == 200 else None
        self.wanted = self._want()
        self.plan.before = show_access(self.now, self.names)
        self.plan.after = show_access(self.wanted, self.names)
        self._compare()

    # -- what is wanted --------------------------------------------------------------------------------------

    def _check_places(self) -> None:
        for rule in self.rules:
            where = f"{rule['ref']} {rule['permission']}"
            if rule["ref"] == _CAPABILITIES and self.project != "All-Projects":
                raise GerritError(
                    "Global capabilities exist on All-Projects only: set project to All-Projects."
                )
            if self.state == "absent":
                continue
            if rule["group"] is None or rule["permission"] is None:
                raise GerritError(
                    f"A rule for {where} needs permission and group (only state=absent can do without)."
                )
            if rule["permission"].startswith(("label-", "labelAs-")) and None in (rule["min"], rule["max"]):
                raise GerritError(
                    f"The rule for {where}, {rule['group']} needs min and max, the range of votes."
                )
            if (rule["min"] is None) != (rule["max"] is None) or (rule["min"] or 0) > (rule["max"] or 0):
                raise GerritError(
                    f"The rule for {where}, {rule['group']} has the range {rule['min']}..{rule['max']}: "
                    "give min and max, min not above max."
                )

    def _want(self) -> Access:
        wanted = {place: permission.copy() for place, permission in self.now.items()}
        if self.state == "exact":
            self._clear(wanted)
        for rule in self.rules:
            if self.state == "absent":
                self._take_away(wanted, rule)
            else:
                self._add(wanted, rule)
        return {place: permission for place, permission in wanted.items() if permission.rules}

    def _clear(self, wanted: Access) -> None:
        """For state=exact: start from nothing wherever the rules are said to be the whole truth."""
        places = {Place(rule["ref"], rule["permission"]) for rule in self.rules}
        refs = {rule["ref"] for rule in self.rules}
        for place in list(wanted):
            if self.scope == "project" or (self.scope == "ref" and place.ref in refs) or place in places:
                wanted[place] = Permission(wanted[place].exclusive if place in places else False)

    def _add(self, wanted: Access, rule: dict[str, Any]) -> None:
        uuid = self._group(rule["group"])
        self._check_label(rule)
        permission = wanted.setdefault(Place(rule["ref"], rule["permission"]), Permission())
        if rule["exclusive"] is not None:
            permission.exclusive = rule["exclusive"]
        permission.rules[uuid] = _rule({**rule, "action": rule["action"].upper()})

    def _take_away(self, wanted: Access, rule: dict[str, Any]) -> None:
        uuid = self._group(rule["group"], gone_is_fine=True) if rule["group"] is not None else None
        for place, permission in wanted.items():
            if place.ref == rule["ref"] and rule["permission"] in (None, place.permission):
                if uuid is None:
                    permission.rules.clear()
                else:
                    permission.rules.pop(uuid, None)

    def _group(self, name: str, gone_is_fine: bool = False) -> str:
        group = self.gerrit.find_group(name)
        if group is None:
            # A group that lost its name still stands in rules by its UUID.
            if gone_is_fine or name in self.names:
                return name
            self.plan.missing(
                self.check_mode,
                f"There is no group '{name}'. Make it with gerrit_group first, or check the spelling "
                "(upper and lower case count).",
            )
            return name
        self.names[group.uuid] = group.name
        return str(group.uuid)

    def _read_labels(self) -> dict[str, set[int]] | None:
        if self.state == "absent" or not any("label" in rule["permission"] for rule in self.rules):
            return None
        listed = self.gerrit.get(f"/projects/{quote(self.project)}/labels/?inherited").data
        return {label["name"]: {int(value) for value in label_values(label["values"])} for label in listed}

    def _check_label(self, rule: dict[str, Any]) -> None:
        kind, _dash, label = rule["permission"].partition("-")
        if self.labels is None or kind not in ("label", "labelAs", "removeLabel"):
            return
        if label not in self.labels:
            self.plan.missing(
                self.check_mode,
                f"{self.project} has no label '{label}': Gerrit would take the rule and nobody could "
                "vote. Make the label with gerrit_project first. There are: "
                f"{', '.join(sorted(self.labels))}.",
            )
        elif not {rule["min"], rule["max"]} <= self.labels[label]:
            self.plan.missing(
                self.check_mode,
                f"The label '{label}' of {self.project} has no such range: {rule['min']}..{rule['max']}; "
                f"its values are {', '.join(str(value) for value in sorted(self.labels[label]))}.",
            )

    # -- what to do about it ---------------------------------------------------------------------------------

    def _compare(self) -> None:
        remove: Access = {}
        add: Access = {}
        for place in sorted({*self.now, *self.wanted}):
            now = self.now.get(place, Permission())
            wanted = self.wanted.get(place, Permission())
            if now == wanted:
                continue
            flag_changes = bool(wanted.rules) and now.exclusive != wanted.exclusive
            gone, come = Permission(), Permission(wanted.exclusive)
            for uuid, rule in now.rules.items():
                if flag_changes or wanted.rules.get(uuid) != rule:
                    gone.rules[uuid] = {}
            for uuid, rule in wanted.rules.items():
                if flag_changes or now.rules.get(uuid) != rule:
                    come.rules[uuid] = rule
            if gone.rules:
                remove[place] = gone
            if come.rules:
                add[place] = come
        if remove or add:
            self.plan.step(self._sentence(remove, add), lambda: self._apply(remove, add))

    def _sentence(self, remove: Access, add: Access) -> str:
        places = ", ".join(f"{place.permission} on {place.ref}" for place in sorted({*remove, *add}))
        return f"change the rules for {places}"

    def _apply(self, remove: Access, add: Access) -> None:
        body: dict[str, Any] = {"message": "Access rules set by Ansible"}
        for key, access in (("remove", remove), ("add", add)):
            sections: dict[str, Any] = {}
            for place, permission in access.items():
                entry: dict[str, Any] = {"rules": permission.rules}
                if permission.exclusive:
                    entry["exclusive"] = True
                if key == "add" and place.permission.startswith("label-"):
                    entry["label"] = place.permission[len("label-") :]
                sections.setdefault(place.ref, {"permissions": {}})["permissions"][place.permission] = entry
            if sections:
                body[key] = sections
        came = parse_access(self.gerrit.post(self.path, body).data)
        if came != self.wanted:
            raise GerritError(
                f"Gerrit took the rules of {self.project} but they are not what was wanted. Wanted: "
                f"{show_access(self.wanted, self.names)}. There are: {show_access(came, self.names)}."
            )
