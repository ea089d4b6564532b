"""/projects/{name}/labels and submit_requirements."""

from __future__ import annotations

import re
from typing import Any

from xenci.lab_gerrit.projects import labels_of, requirements_of
from xenci.lab_gerrit.rest.call import NO_CONTENT, Call, Reply, RestError, Route, not_found
from xenci.lab_gerrit.rest.project_of import project_of
from xenci.lab_gerrit.store import dumps, loads

FUNCTIONS = ("NoBlock", "NoOp", "PatchSetLock")
_OLD_FUNCTIONS = ("MaxWithBlock", "AnyWithBlock", "MaxNoBlock")
_COPY_OPERATORS = {"changekind", "is", "approverin", "uploaderin", "has", "label", "approvalcount"}
_REQUIREMENT_OPERATORS = _COPY_OPERATORS | {
    "branch", "project", "repo", "hashtag", "topic", "author", "committer", "uploader", "owner",
    "distinctvoters",
    "file", "path", "message", "status", "submissionid", "authoremail", "committeremail", "uploaderemail",
    "ref",
    "age", "tr", "bug", "comment", "change", "parentproject", "prefix", "projects", "ext", "extension", "dir",
}  # fmt: skip
_TERM = re.compile(r"([a-zA-Z_]+):(\S+)")
_SWITCHES = ("can_override", "copy_any_score", "allow_post_submit", "ignore_self_approval")


def _settings(call: Call) -> str:
    """Name of a project whose settings the caller may read; 403 else."""
    name = str(project_of(call)["name"])
    if not call.server.access.can_read(call.account_id, name, "refs/meta/config"):
        raise RestError(403, "read refs/meta/config not permitted")
    return name


def _writable(call: Call) -> str:
    name = _settings(call)
    if not call.server.access.is_owner(call.account_id, name):
        raise RestError(403, "write refs/meta/config not permitted")
    return name


def _unknown_operator(text: str, known: set[str]) -> str | None:
    for match in _TERM.finditer(text):
        if match[1].lower() not in known:
            return match[0].rstrip(")")
    return None


# -- labels


def label_info(project: str, name: str, definition: dict[str, Any]) -> dict[str, Any]:
    """LabelDefinitionInfo."""
    return {"name": name, "project_name": project, **definition}


def _own(call: Call, table: str, project: str) -> dict[str, dict[str, Any]]:
    query = f"SELECT name, definition FROM {table} WHERE project = ? ORDER BY name"  # noqa: S608  table is ours
    return {row["name"]: loads(row["definition"]) for row in call.server.store.all(query, project)}


def _values(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise RestError(400, "Invalid application/json in request")
    numbers: dict[int, str] = {}
    for key, text in given.items():
        try:
            numbers[int(key.strip())] = str(text).strip()
        except ValueError:
            raise RestError(400, f"invalid value: {key}") from None
    ordered = sorted(numbers)
    return {f"{number:+d}" if number else " 0": numbers[number] for number in ordered}


def changed_label(old: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """A label's definition after a LabelDefinitionInput; RestError says what is wrong with it."""
    new = dict(old)
    if given.get("description") is not None:
        new["description"] = str(given["description"]).strip()
    function = given.get("function")
    if function is not None:
        if function in _OLD_FUNCTIONS:
            raise RestError(
                400,
                f"Function {function} is deprecated. The function can only be set to "
                f"[{', '.join(FUNCTIONS)}]. "
                "Use submit requirements instead of label functions.",
            )
        if function not in FUNCTIONS:
            raise RestError(400, f"unknown function: {function}")
        new["function"] = function
    if given.get("values") is not None:
        new["values"] = _values(given["values"])
    if given.get("default_value") is not None:
        new["default_value"] = int(given["default_value"])
    if given.get("branches") is not None:
        for branch in given["branches"]:
            if not re.fullmatch(r"\^?refs/[^\s]*", branch):
                raise RestError(400, f"invalid branch: {branch}")
        new["branches"] = given["branches"]
    for name in _SWITCHES:
        if given.get(name) is not None:
            new[name] = bool(given[name])
    condition = given.get("copy_condition")
    if condition is not None:
        unknown = _unknown_operator(condition, _COPY_OPERATORS)
        if unknown:
            raise RestError(
                400, f"unable to parse copy condition. got: {condition}. Unsupported operator {unknown}"
            )
        new["copy_condition"] = condition
    if given.get("unset_copy_condition"):
        new.pop("copy_condition", None)
    # Gerrit shows a switch only where it is on, a description only where there is one.
    return {key: value for key, value in new.items() if value is not False and value not in ("", [])}


def _new_label(name: str, given: dict[str, Any]) -> dict[str, Any]:
    if not re.fullmatch(r"[A-Za-z0-9-]+", name) or name.startswith("-"):
        raise RestError(400, f"invalid name: {name}")
    if not given.get("values"):
        raise RestError(400, "values are required")
    start = {"function": "NoBlock", "default_value": 0, "can_override": True, "allow_post_submit": True}
    return changed_label(start, given)


async def _save_labels(call: Call, project: str, labels: dict[str, dict[str, Any]], message: str) -> None:
    with call.server.store.transaction():
        call.server.store.run("DELETE FROM labels WHERE project = ?", project)
        for name, definition in labels.items():
            # An empty description is not written to project.config, so it is gone after the next change.
            kept = {key: value for key, value in definition.items() if value != ""}
            call.server.store.insert("labels", project=project, name=name, definition=dumps(kept))
    await call.server.commit_config(project, call.user, message)


async def list_labels(call: Call) -> Any:
    """GET /projects/{name}/labels/."""
    project = _settings(call)
    if call.option("inherited") is not None:
        found = labels_of(call.server, project)
        return [{"name": name, **definition} for name, definition in found.items()]
    return [label_info(project, name, found) for name, found in _own(call, "labels", project).items()]


async def get_label(call: Call) -> Any:
    """GET /projects/{name}/labels/{label}."""
    project = _settings(call)
    definition = _own(call, "labels", project).get(call.path["label"])
    if definition is None:
        raise not_found(call.path["label"])
    return label_info(project, call.path["label"], definition)


async def put_label(call: Call) -> Any:
    """PUT /projects/{name}/labels/{label}: 201 for a new one."""
    project, name = _writable(call), call.path["label"]
    labels = _own(call, "labels", project)
    present = labels.get(name)
    if present is None:
        labels[name] = _new_label(name, call.json)
    else:
        labels[name] = changed_label(present, call.json)
        new_name = call.json.get("name")
        if new_name and new_name != name:
            labels[new_name] = labels.pop(name)
            name = new_name
    message = call.json.get("commit_message") or "Update label"
    await _save_labels(call, project, labels, message)
    return Reply(label_info(project, name, labels[name]), 200 if present is not None else 201)


async def delete_label(call: Call) -> Any:
    """DELETE /projects/{name}/labels/{label}."""
    project = _writable(call)
    labels = _own(call, "labels", project)
    if call.path["label"] not in labels:
        raise not_found(call.path["label"])
    del labels[call.path["label"]]
    await _save_labels(call, project, labels, "Delete label")
    return NO_CONTENT


async def batch_labels(call: Call) -> Any:
    """POST /projects/{name}/labels/: deletions, then new ones, then changes, in one commit."""
    project = _writable(call)
    labels = _own(call, "labels", project)
    for name in call.json.get("delete") or []:
        if labels.pop(name, None) is None:
            raise RestError(422, f"label {name} not found")
    for given in call.json.get("create") or []:
        name = (given.get("name") or "").strip()
        if not name:
            raise RestError(400, "label name is required for new label")
        if name in labels:
            raise RestError(409, f"label {name} already exists")
        labels[name] = _new_label(name, given)
    for name, given in (call.json.get("update") or {}).items():
        if name not in labels:
            raise RestError(422, f"label {name} not found")
        labels[name] = changed_label(labels[name], given)
    await _save_labels(call, project, labels, call.json.get("commit_message") or "Update labels")
    return ""


# -- submit requirements


def _checked_requirement(call: Call) -> dict[str, Any]:
    name, given = call.path["requirement"], call.json
    if given.get("name") not in (None, name):
        raise RestError(400, "name in input must match name in URL")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
        raise RestError(
            400,
            f'Illegal submit requirement name "{name}". Name can only consist of alphanumeric '
            f"characters and '-'. "
            "Name cannot start with '-' or number.",
        )
    if not given.get("submittability_expression"):
        raise RestError(400, "submittability_expression is required")
    keys = {
        "applicability_expression": "applicableIf",
        "submittability_expression": "submittableIf",
        "override_expression": "overrideIf",
    }
    for field, parameter in keys.items():
        text = given.get(field)
        unknown = _unknown_operator(text, _REQUIREMENT_OPERATORS) if text else None
        if unknown:
            raise RestError(
                400,
                "Invalid submit requirement input: [Invalid project configuration,   project.config: "
                f"Expression '{text}' of submit requirement '{name}' (parameter "
                f"submit-requirement.{name}.{parameter}) is invalid: Unsupported operator {unknown}]",
            )
    fields = ("description", *keys)
    definition: dict[str, Any] = {key: given[key] for key in fields if given.get(key)}
    return definition | {
        "allow_override_in_child_projects": bool(given.get("allow_override_in_child_projects"))
    }


async def list_requirements(call: Call) -> Any:
    """GET /projects/{name}/submit_requirements/."""
    project = _settings(call)
    if call.option("inherited") is not None:
        found = requirements_of(call.server, project)
        return [{"name": name, **definition} for name, definition in found.items()]
    own = _own(call, "submit_requirements", project)
    return [label_info(project, name, definition) for name, definition in own.items()]


def _requirement(call: Call, project: str) -> dict[str, Any]:
    name = call.path["requirement"]
    definition = _own(call, "submit_requirements", project).get(name)
    if definition is None:
        raise RestError(404, f"Submit requirement '{name}' does not exist")
    return definition


async def get_requirement(call: Call) -> Any:
    """GET /projects/{name}/submit_requirements/{requirement}."""
    project = _settings(call)
    return label_info(project, call.path["requirement"], _requirement(call, project))


async def put_requirement(call: Call) -> Any:
    """PUT /projects/{name}/submit_requirements/{requirement}: 201 whether it is new or not."""
    project, name = _writable(call), call.path["requirement"]
    definition = _checked_requirement(call)
    if _own(call, "submit_requirements", project).get(name) != definition:
        store = call.server.store
        store.replace("submit_requirements", project=project, name=name, definition=dumps(definition))
        await call.server.commit_config(project, call.user, "Create Submit Requirement")
    return Reply(label_info(project, name, definition), 201)


async def delete_requirement(call: Call) -> Any:
    """DELETE /projects/{name}/submit_requirements/{requirement}."""
    project = _writable(call)
    _requirement(call, project)
    call.server.store.run(
        "DELETE FROM submit_requirements WHERE project = ? AND name = ?", project, call.path["requirement"]
    )
    await call.server.commit_config(project, call.user, "Delete submit requirement")
    return NO_CONTENT


_LABELS = "/projects/{project}/labels"
_REQUIREMENTS = "/projects/{project}/submit_requirements"
routes = [
    Route("GET", _LABELS, list_labels),
    Route("POST", _LABELS, batch_labels),
    Route("GET", f"{_LABELS}/{{label}}", get_label),
    Route("PUT", f"{_LABELS}/{{label}}", put_label),
    Route("DELETE", f"{_LABELS}/{{label}}", delete_label),
    Route("GET", _REQUIREMENTS, list_requirements),
    Route("GET", f"{_REQUIREMENTS}/{{requirement}}", get_requirement),
    Route("PUT", f"{_REQUIREMENTS}/{{requirement}}", put_requirement),
    Route("DELETE", f"{_REQUIREMENTS}/{{requirement}}", delete_requirement),
]
