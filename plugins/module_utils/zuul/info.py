"""What zuul_status_info and zuul_tenant_info read, and how they return it."""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.xenci.stack.plugins.module_utils.zuul.client import Zuul, ZuulError


def run(module: AnsibleModule, read: Callable[[Zuul], dict[str, Any]]) -> None:
    """Read, and end the module; a Zuul that is down is an answer where ``must_answer`` is off."""
    result: dict[str, Any] = {}
    try:
        result = {"reachable": True, **read(Zuul.from_params(module.params))}
    except ZuulError as error:
        if module.params["must_answer"] or not error.down:
            module.fail_json(msg=error.message, status=error.status)
        result = {"reachable": False, "reason": error.message}
    module.exit_json(changed=False, **result)


def status(zuul: Zuul) -> dict[str, Any]:
    """The services that Zuul knows and its tenants."""
    return {
        "components": zuul.get("components"),
        "tenants": [tenant["name"] for tenant in zuul.get("tenants")],
    }


def tenant(zuul: Zuul, name: str) -> dict[str, Any]:
    """What the module zuul_tenant_info returns; a tenant without a layout has only ``loaded``."""
    try:
        shown = zuul.tenant(name, "status")
    except ZuulError as error:
        if error.status == 404:
            known = ", ".join(each["name"] for each in zuul.get("tenants")) or "none"
            raise ZuulError(f"Zuul has no tenant '{name}'; it has: {known}.", 404) from error
        if error.status == 422:
            return {"loaded": False}
        raise
    buildsets = zuul.tenant(name, "buildsets?complete=true&limit=1")
    return {
        "loaded": True,
        "zuul_version": shown["zuul_version"],
        "last_reconfigured": shown["last_reconfigured"] // 1000,
        "events": events(shown),
        "pipelines": [pipeline(each) for each in shown["pipelines"]],
        "config_errors": [config_error(each) for each in zuul.tenant(name, "config-errors")],
        "providers": [each["name"] for each in zuul.tenant(name, "providers")],
        "labels": sorted(each["name"] for each in zuul.tenant(name, "labels")),
        "nodes": [node(each) for each in zuul.tenant(name, "nodes")],
        "node_requests": [request(each) for each in zuul.tenant(name, "nodeset-requests")],
        "last_buildset": buildset(buildsets[0]) if buildsets else None,
    }


def events(shown: dict[str, Any]) -> dict[str, Any]:
    """Events that wait: of the tenant, of its pipelines together, and of each connection."""
    pipelines = shown["pipelines"]
    return {
        "trigger": shown["trigger_event_queue"]["length"] + sum(each["trigger_events"] for each in pipelines),
        "management": shown["management_event_queue"]["length"]
        + sum(each["management_events"] for each in pipelines),
        "result": sum(each["result_events"] for each in pipelines),
        "connections": {
            connection: queue["length"] for connection, queue in shown["connection_event_queues"].items()
        },
        "paused": bool(shown["state"].get("trigger_queue_paused")),
        "discarding": bool(shown["state"].get("trigger_queue_discarding")),
    }


def pipeline(shown: dict[str, Any]) -> dict[str, Any]:
    """A pipeline: how many items it holds, and when the oldest of them came (seconds since 1970)."""
    items = [
        item for queue in shown.get("change_queues", []) for head in queue.get("heads", []) for item in head
    ]
    return {
        "name": shown["name"],
        "items": len(items),
        "oldest": min((item["enqueue_time"] for item in items), default=0) // 1000,
        "state": shown.get("state", "normal"),
    }


def config_error(shown: dict[str, Any]) -> dict[str, Any]:
    """Where a configuration does not load, and why in a line."""
    context = shown["source_context"]
    return {
        "project": context.get("project"),
        "branch": context.get("branch"),
        "path": context.get("path"),
        "severity": shown["severity"],
        "name": shown["name"],
        "message": shown["short_error"] or (shown["error"] or "").strip().split("\n")[-1],
    }


def node(shown: dict[str, Any]) -> dict[str, Any]:
    """A node as the launcher knows it."""
    return {
        "id": shown["id"],
        "label": (shown.get("type") or [None])[0],
        "provider": shown["provider"],
        "address": shown.get("interface_ip"),
        "state": shown["state"],
        "since": moment(shown["state_time"]),
    }


def request(shown: dict[str, Any]) -> dict[str, Any]:
    """A job that waits for nodes, or has just got them."""
    return {
        "job": shown["job_name"],
        "state": shown["state"],
        "labels": shown["labels"],
        "requested": moment(shown["request_time"]),
    }


def buildset(shown: dict[str, Any]) -> dict[str, Any]:
    """A finished buildset."""
    return {
        "uuid": shown["uuid"],
        "pipeline": shown["pipeline"],
        "result": shown["result"],
        "project": shown["refs"][0]["project"] if shown["refs"] else None,
        "change": shown["refs"][0]["change"] if shown["refs"] else None,
        "ended": moment(shown["last_build_end_time"] or shown["event_timestamp"]),
    }


def moment(text: str | None) -> int | None:
    """Zuul's time (UTC, ``2026-01-31T12:00:00``) in seconds since 1970."""
    if not text:
        return None
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
