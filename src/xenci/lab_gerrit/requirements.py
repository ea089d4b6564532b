"""Submit requirements: may this change be merged, and what does each requirement say."""

from __future__ import annotations

from typing import Any

from xenci.lab_gerrit.expressions import And, Atom, Expression, Not, Or, QueryError, parse
from xenci.lab_gerrit.query import Query
from xenci.lab_gerrit.views import ChangeView


def evaluate(view: ChangeView, expression: str) -> dict[str, Any]:
    """SubmitRequirementExpressionInfo of an expression on a change."""
    passing: list[str] = []
    failing: list[str] = []
    try:
        fulfilled = _evaluate(view, parse(expression), passing, failing)
    except QueryError as error:
        return {"expression": expression, "fulfilled": False, "status": "ERROR", "error_message": str(error)}
    return {
        "expression": expression,
        "fulfilled": fulfilled,
        "status": "PASS" if fulfilled else "FAIL",
        "passing_atoms": passing,
        "failing_atoms": failing,
        "atom_explanations": dict.fromkeys([*passing, *failing], ""),
    }


def _evaluate(view: ChangeView, node: Expression, passing: list[str], failing: list[str]) -> bool:
    """All atoms are looked at, so that each stands in one of the lists."""
    if isinstance(node, And):
        found = [_evaluate(view, part, passing, failing) for part in node.parts]
        return all(found)
    if isinstance(node, Or):
        found = [_evaluate(view, part, passing, failing) for part in node.parts]
        return any(found)
    if isinstance(node, Not):
        return not _evaluate(view, node.part, passing, failing)
    holds = _atom(view, node)
    (passing if holds else failing).append(node.text)
    return holds


def _atom(view: ChangeView, atom: Atom) -> bool:
    if atom.key == "is" and atom.value.lower() in ("true", "false"):
        return atom.value.lower() == "true"
    return Query(view.server, None, atom.text).matches(view)


def result(view: ChangeView, name: str, requirement: dict[str, Any]) -> dict[str, Any]:
    """SubmitRequirementResultInfo."""
    info: dict[str, Any] = {"name": name}
    if requirement.get("description"):
        info["description"] = requirement["description"]
    applicability = requirement.get("applicability_expression")
    override = requirement.get("override_expression")
    applies = True
    shown: dict[str, Any] = {}
    if applicability:
        found = evaluate(view, applicability)
        applies = found["fulfilled"]
        shown["applicability_expression_result"] = {"fulfilled": applies, "status": found["status"]}
    submittability = requirement["submittability_expression"]
    if not applies:
        shown["submittability_expression_result"] = {
            "expression": submittability,
            "fulfilled": True,
            "status": "NOT_EVALUATED",
            "passing_atoms": [],
            "failing_atoms": [],
            "atom_explanations": {},
        }
        return {**info, "status": "NOT_APPLICABLE", "is_legacy": False, **shown}
    shown["submittability_expression_result"] = evaluate(view, submittability)
    if override:
        shown["override_expression_result"] = evaluate(view, override)
    return {**info, "status": _status(shown), "is_legacy": False, **shown}


def _status(shown: dict[str, Any]) -> str:
    if any(part["status"] == "ERROR" for part in shown.values()):
        return "ERROR"
    if shown.get("override_expression_result", {}).get("fulfilled"):
        return "OVERRIDDEN"
    return "SATISFIED" if shown["submittability_expression_result"]["fulfilled"] else "UNSATISFIED"


def results(view: ChangeView) -> list[dict[str, Any]]:
    """All submit requirements of a change with their results."""
    requirements = view.server.settings.requirements(view.project)
    return [result(view, name, requirement) for name, requirement in requirements.items()]


def unsatisfied(view: ChangeView) -> list[str]:
    """Names of the requirements that keep a change from being merged."""
    return [found["name"] for found in results(view) if found["status"] in ("UNSATISFIED", "ERROR")]


def submittable(view: ChangeView) -> bool:
    """Whether all requirements are met."""
    return not unsatisfied(view)
