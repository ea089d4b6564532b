"""/config/server and /plugins."""

from __future__ import annotations

from typing import Any

from xenci.lab_gerrit.rest.call import Call, Route
from xenci.lab_gerrit.server import VERSION


async def version(call: Call) -> Any:
    """GET /config/server/version."""
    return VERSION


async def plugins(call: Call) -> Any:
    """GET /plugins/: this server has none."""
    call.require_capability("viewPlugins", "view plugins")
    return {}


routes = [
    Route("GET", "/config/server/version", version),
    Route("GET", "/plugins", plugins),
]
