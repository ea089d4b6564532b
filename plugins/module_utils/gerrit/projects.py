"""What gerrit_project does: a project, its settings, labels, submit requirements and branches."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.xenci.stack.plugins.module_utils.gerrit.client import Gerrit, GerritError, quote
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.result import Plan

ROOT = "All-Projects"

# Settings that are TRUE, FALSE or INHERIT, by the names of Gerrit's ConfigInput.
SWITCHES = (
    "create_new_change_for_all_not_in_target",
    "enable_reviewer_by_email",
    "enable_signed_push",
    "match_author_to_committer_date",
    "private_by_default",
    "reject_empty_commit",
    "reject_implicit_merges",
    "require_change_id",
    "require_signed_push",
    "skip_adding_author_and_committer_as_reviewers",
    "use_content_merge",
    "use_contributor_agreements",
    "use_signed_off_by",
    "work_in_progress_by_default",
)
_LABEL_FIELDS = {
    "description": "",
    "function": "NoBlock",
    "default_value": 0,
    "copy_condition": "",
    "allow_post_submit": True,
    "can_override": True,
    "branches": [],
}
_LABEL_ABSENT = {"allow_post_submit": False, "can_override": False}
_REQUIREMENT_FIELDS = {
    "description": "",
    "applicability_expression": "",
    "submittability_expression": "",
    "override_expression": "",
    "allow_override_in_child_projects": False,
}


def plan_project(gerrit: Gerrit, params: dict[str, Any], check_mode: bool) -> Plan:
    """Compare the project with the parameters of gerrit_project."""
    return _ProjectPlan(gerrit, params, check_mode).plan


def label_values(values: dict[str, str]) -> dict[str, str]:
    """Values with their keys as Gerrit writes them: ``-1``, `` 0``, ``+1``.

    Raises GerritError for a key that is no number, or when 0 is missing.
    """
    numbered = {}
    for key, text in values.items():
        try:
            numbered[int(str(key).strip())] = text
        except ValueError:
            raise GerritError(
                f"A label's values are keyed by number, such as -1, 0 and 1, not by '{key}'."
            ) from None
    if 0 not in numbered:
        raise GerritError("A label needs a value 0, such as 'No score'.")
    return {(f"{number:+d}" if number else " 0"): numbered[number] for number in sorted(numbered)}


def label_state(info: dict[str, Any]) -> dict[str, Any]:
    """A label as the modules show it, from LabelDefinitionInfo, which leaves false and empty out."""
    state = {
        field: info.get(field, _LABEL_ABSENT.get(field, empty)) for field, empty in _LABEL_FIELDS.items()
    }
    state["values"] = label_values(info["values"])
    return state


def requirement_state(info: dict[str, Any]) -> dict[str, Any]:
    """A submit requirement as the modules show it."""
    return {field: info.get(field, empty) for field, empty in _REQUIREMENT_FIELDS.items()}


def config_state(info: dict[str, Any]) -> dict[str, Any]:
    """What the project itself sets, in lower case, from ConfigInfo; ``inherit`` where it sets nothing."""
    state = {
        name: str(info[name].get("configured_value", "INHERIT")).lower() for name in SWITCHES if name in info
    }
    state["submit_type"] = str(info.get("default_submit_type", {}).get("configured_value", "INHERIT")).lower()
    state["max_object_size_limit"] = str(info.get("max_object_size_limit", {}).get("configured_value", ""))
    return state


def project_state(gerrit: Gerrit, info: dict[str, Any]) -> dict[str, Any]:
    """The whole project as the modules show it, from its ProjectInfo and what hangs below it."""
    path = f"/projects/{quote(info['name'])}"
    branches = gerrit.get(f"{path}/branches/").data
    return {
        "name": info["name"],
        "parent": info.get("parent", ""),
        "description": info.get("description", ""),
        "project_state": info.get("state", "ACTIVE").lower(),
        "head": gerrit.get(f"{path}/HEAD").data,
        "config": config_state(gerrit.get(f"{path}/config").data),
        "labels": {label["name"]: label_state(label) for label in gerrit.get(f"{path}/labels/").data},
        "submit_requirements": {
            requirement["name"]: requirement_state(requirement)
            for requirement in gerrit.get(f"{path}/submit_requirements/").data
        },
        "branches": {
            branch["ref"][len("refs/heads/") :]: branch["revision"]
            for branch in branches
            if branch["ref"].startswith("refs/heads/")
        },
    }


class _ProjectPlan:
    """Builds the plan."""

    def __init__(self, gerrit: Gerrit, params: dict[str, Any], check_mode: bool) -> None:
        self.gerrit = gerrit
        self.params = params
        self.check_mode = check_mode
        self.name: str = params["name"]
        answer = gerrit.get(self._path(), accept=(404,))
        self.found = answer.status == 200
        before = project_state(gerrit, answer.data) if self.found else None
        self.plan = Plan(before, copy.deepcopy(before) if before else {"name": self.name})
        if not self.found:
            self._create()
        self._parent()
        self._config()
        self._labels()
        self._requirements()
        self._branches()
        self._head()

    def _path(self, rest: str = "") -> str:
        return f"/projects/{quote(self.name)}{rest}"

    # -- creation --------------------------------------------------------------------------------------------

    def _create(self) -> None:
        parent = self.params["parent"] or ROOT
        first = [branch["name"] for branch in self.params["branches"] or [] if not branch["revision"]]
        self._check_parent(parent)
        self.plan.step(
            f"create the project {self.name} below {parent}", lambda: self._do_create(parent, first)
        )
        empty_commit = self.params["create_empty_commit"] and not self.params["permissions_only"]
        self.plan.after.update(
            parent=parent,
            description=self.params["description"] or "",
            project_state="active",
            head="refs/meta/config"
            if self.params["permissions_only"]
            else f"refs/heads/{(first or ['master'])[0]}",
            config={},
            labels={},
            submit_requirements={},
            branches=dict.fromkeys(first or ["master"], "initial empty commit") if empty_commit else {},
        )

    def _do_create(self, parent: str, branches: list[str]) -> None:
        body: dict[str, Any] = {"parent": parent}
        if self.params["description"]:
            body["description"] = self.params["description"]
        if self.params["permissions_only"]:
            body["permissions_only"] = True
        else:
            body["create_empty_commit"] = self.params["create_empty_commit"]
            if branches:
                body["branches"] = branches
        answer = self.gerrit.put(self._path(), body, accept=(400, 409))
        if answer.status == 409:
            raise GerritError(
                f"The project name '{self.name}' is taken ({answer.data}), but '{self.gerrit.username}' "
                "cannot see that project. Speak as a member of Administrators, or choose another name.",
                409,
            )
        if answer.status == 400:
            raise GerritError(f"Gerrit refuses to make the project '{self.name}': {answer.data}", 400)

    def _check_parent(self, parent: str) -> None:
        if self.gerrit.get(f"/projects/{quote(parent)}", accept=(404,)).status == 404:
            self.plan.missing(
                self.check_mode,
                f"There is no project '{parent}' to be the parent of {self.name}. Make it with "
                "gerrit_project first, or check the spelling.",
            )

    # -- settings --------------------------------------------------------------------------------------------

    def _parent(self) -> None:
        wanted = self.params["parent"]
        if not self.found or wanted is None or wanted == self.plan.after["parent"]:
            return
        self._check_parent(wanted)
        self.plan.step(f"set the parent to {wanted}", lambda: self._do_parent(wanted))
        self.plan.after["parent"] = wanted

    def _do_parent(self, wanted: str) -> None:
        answer = self.gerrit.put(self._path("/parent"), {"parent": wanted}, accept=(409,))
        if answer.status == 409:
            raise GerritError(f"{wanted} cannot be the parent of {self.name}: {answer.data}", 409)

    def _config(self) -> None:
        wanted = {key: value for key, value in (self.params["config"] or {}).items() if value is not None}
        now = self.plan.after["config"]
        changes = {
            key: value
            for key, value in wanted.items()
            if value != now.get(key, "" if key == "max_object_size_limit" else "inherit")
        }
        description = self.params["description"]
        if self.found and description is not None and description != self.plan.after["description"]:
            changes["description"] = description
        if self.params["project_state"] not in (None, self.plan.after["project_state"]):
            changes["state"] = self.params["project_state"]
        if not changes:
            return
        if description is None:
            description = self.plan.after["description"]
        self.plan.step(f"set {', '.join(sorted(changes))}", lambda: self._do_config(changes, description))
        for key, value in changes.items():
            if key == "state":
                self.plan.after["project_state"] = value
            elif key == "description":
                self.plan.after["description"] = value
            else:
                self.plan.after["config"][key] = value

    def _do_config(self, changes: dict[str, Any], description: str) -> None:
        # A PUT of the configuration without a description removes it.
        body: dict[str, Any] = {"description": description}
        for key, value in changes.items():
            if key == "max_object_size_limit":
                body[key] = value
            elif key != "description":
                body[key] = value.upper()
        told = config_state(self.gerrit.put(self._path("/config"), body).data)
        # An unknown setting is silently ignored: look at what came of it.
        for key, value in changes.items():
            if key in SWITCHES and told.get(key, "inherit") != value:
                raise GerritError(
                    f"{self.name}: this Gerrit ignores {key}={value}. The setting does not exist in its "
                    "release, or the server forbids it (signed pushes need receive.enableSignedPush)."
                )

    # -- labels ----------------------------------------------------------------------------------------------

    def _labels(self) -> None:
        for label in self.params["labels"] or []:
            name, now = label["name"], self.plan.after["labels"].get(label["name"])
            path = self._path(f"/labels/{quote(name)}")
            if label["state"] == "absent":
                if now is not None:
                    self.plan.step(f"remove the label {name}", lambda path=path: self.gerrit.delete(path))
                    del self.plan.after["labels"][name]
                continue
            given = {field: label[field] for field in _LABEL_FIELDS if label[field] is not None}
            if label["values"] is not None:
                given["values"] = label_values(label["values"])
            elif now is None:
                raise GerritError(f"The label {name} is new: give its values.")
            wanted = {**(now or _LABEL_FIELDS), **given}
            if wanted == now:
                continue
            self.plan.step(
                f"{'set' if now else 'create'} the label {name}",
                lambda name=name, given=given if now else wanted: self._do_label(name, given),
            )
            self.plan.after["labels"][name] = wanted

    def _do_label(self, name: str, given: dict[str, Any]) -> None:
        body = dict(given)
        if body.get("copy_condition") == "":
            del body["copy_condition"]
            body["unset_copy_condition"] = True
        answer = self.gerrit.put(self._path(f"/labels/{quote(name)}"), body, accept=(400, 409))
        if answer.status >= 400:
            raise GerritError(f"Gerrit refuses the label {name} of {self.name}: {answer.data}", answer.status)

    # -- submit requirements ---------------------------------------------------------------------------------

    def _requirements(self) -> None:
        for requirement in self.params["submit_requirements"] or []:
            name = requirement["name"]
            now = self.plan.after["submit_requirements"].get(name)
            path = self._path(f"/submit_requirements/{quote(name)}")
            if requirement["state"] == "absent":
                if now is not None:
                    self.plan.step(
                        f"remove the submit requirement {name}", lambda path=path: self.gerrit.delete(path)
                    )
                    del self.plan.after["submit_requirements"][name]
                continue
            given = {
                field: requirement[field] for field in _REQUIREMENT_FIELDS if requirement[field] is not None
            }
            wanted = {**(now or _REQUIREMENT_FIELDS), **given}
            if wanted == now:
                continue
            if not wanted["submittability_expression"]:
                raise GerritError(
                    f"The submit requirement {name} is new: give its submittability_expression."
                )
            self.plan.step(
                f"{'set' if now else 'create'} the submit requirement {name}",
                lambda name=name, wanted=wanted: self._do_requirement(name, wanted),
            )
            self.plan.after["submit_requirements"][name] = wanted

    def _do_requirement(self, name: str, wanted: dict[str, Any]) -> None:
        body = {"name": name, **{field: value for field, value in wanted.items() if value != ""}}
        answer = self.gerrit.put(self._path(f"/submit_requirements/{quote(name)}"), body, accept=(400, 409))
        if answer.status >= 400:
            raise GerritError(
                f"Gerrit refuses the submit requirement {name} of {self.name}: {answer.data}", answer.status
            )

    # -- branches --------------------------------------------------------------------------------------------

    def _branches(self) -> None:
        for branch in self.params["branches"] or []:
            name, revision = branch["name"], branch["revision"]
            if name in self.plan.after["branches"]:
                continue
            if not self.found and not revision and not self.plan.after["branches"]:
                # No first commit is wanted: there is nothing that a branch could point to yet.
                continue
            source = revision or "HEAD"
            self.plan.step(
                f"create the branch {name} from {source}",
                lambda name=name, source=source: self._do_branch(name, source),
            )
            self.plan.after["branches"][name] = source

    def _do_branch(self, name: str, source: str) -> None:
        path = self._path(f"/branches/{quote(name)}")
        answer = self.gerrit.put(path, {"revision": source}, accept=(400, 409, 422))
        if answer.status >= 400:
            raise GerritError(
                f"Gerrit refuses to make the branch {name} of {self.name} from {source}: {answer.data}. "
                "Does the project have a commit yet?",
                answer.status,
            )

    def _head(self) -> None:
        wanted = self.params["head"]
        if wanted is None:
            return
        ref = wanted if wanted.startswith("refs/") else f"refs/heads/{wanted}"
        if ref == self.plan.after["head"]:
            return
        self.plan.step(f"set HEAD to {ref}", lambda: self._do_head(ref))
        self.plan.after["head"] = ref

    def _do_head(self, ref: str) -> None:
        answer = self.gerrit.put(self._path("/HEAD"), {"ref": ref}, accept=(422,))
        if answer.status == 422:
            raise GerritError(f"{self.name} has no {ref} to be its HEAD: list it under branches.", 422)
