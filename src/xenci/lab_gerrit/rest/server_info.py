"""/config/server and /plugins, and what a site without plugins, queues and preferences of its own says."""

from __future__ import annotations

import copy
import functools
import json
from importlib import resources
from typing import Any

from xenci.lab_gerrit.rest.call import Call, Reply, RestError, Route
from xenci.lab_gerrit.server import VERSION


@functools.cache
def _all_defaults() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("defaults.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def defaults(name: str) -> Any:
    """What a new 3.13.8 site answers: server_info, version, capabilities, preferences, …"""
    return copy.deepcopy(_all_defaults()[name])


async def version(call: Call) -> Any:
    """GET /config/server/version."""
    return defaults("version") if call.option("verbose") is not None else VERSION


async def info(call: Call) -> Any:
    """GET /config/server/info."""
    return defaults("server_info")


async def capabilities(call: Call) -> Any:
    """GET /config/server/capabilities."""
    return defaults("capabilities")


async def top_menus(call: Call) -> Any:
    """GET /config/server/top-menus: only plugins have any."""
    return []


async def preferences(call: Call) -> Any:
    """GET /config/server/preferences."""
    return defaults("preferences")


async def caches(call: Call) -> Any:
    """GET /config/server/caches/: the names of Gerrit's caches, as scripts ask for them."""
    call.require_capability("viewCaches", "maintain server")
    if call.option("format") != "TEXT_LIST":
        return {}
    return Reply(
        text=defaults("caches"),
        content_type="text/plain; charset=iso-8859-1",
        headers={"X-FYI-Content-Encoding": "base64"},
    )


async def flush_caches(call: Call) -> Any:
    """POST /config/server/caches/: everything is read from the store anyway, except rights."""
    call.require_capability("flushCaches", "maintain server")
    if call.json.get("operation") not in ("FLUSH", "FLUSH_ALL"):
        raise RestError(400, "operation must be specified")
    call.server.access.forget()
    return ""


async def tasks(call: Call) -> Any:
    """GET /config/server/tasks/: nothing is queued here."""
    return []


async def reload(call: Call) -> Any:
    """POST /config/server/reload: no setting can change while it runs."""
    call.require_admin()
    return {}


async def plugins(call: Call) -> Any:
    """GET /plugins/: this server has none."""
    call.require_capability("viewPlugins", "view plugins")
    return {}


routes = [
    Route("GET", "/config/server/version", version),
    Route("GET", "/config/server/info", info),
    Route("GET", "/config/server/capabilities", capabilities),
    Route("GET", "/config/server/top-menus", top_menus),
    Route("GET", "/config/server/preferences", preferences),
    Route("GET", "/config/server/caches", caches),
    Route("POST", "/config/server/caches", flush_caches),
    Route("GET", "/config/server/tasks", tasks),
    Route("POST", "/config/server/reload", reload),
    Route("GET", "/plugins", plugins),
]
