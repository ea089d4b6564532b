"""/groups."""

from __future__ import annotations

from typing import Any

from xenci.lab_gerrit.rest.call import Call, Route


async def list_groups(call: Call) -> Any:
    """GET /groups/."""
    call.user  # noqa: B018
    rows = call.server.store.all("SELECT * FROM groups ORDER BY name")
    return {row["name"]: {"id": row["uuid"], "group_id": row["id"]} for row in rows}


routes = [
    Route("GET", "/groups", list_groups),
]
