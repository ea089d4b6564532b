"""The project in the URL, as far as the caller may know of it."""

from __future__ import annotations

from xenci.lab_gerrit.rest.call import Call, RestError, not_found
from xenci.lab_gerrit.store import Row


def project_of(call: Call, name: str | None = None) -> Row:
    """The project's row; 404 if there is none that the account may see."""
    name = call.path["project"] if name is None else name
    row = call.server.project(name)
    if row is None or not call.server.access.can_see_project(call.account_id, name):
        raise not_found(name)
    return row


def owned_project(call: Call, refusal: str) -> Row:
    """The project's row if the caller owns it; else 403 with these words."""
    row = project_of(call)
    if not call.server.access.is_owner(call.account_id, row["name"]):
        raise RestError(403, refusal)
    return row
