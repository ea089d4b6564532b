"""Ask ZooKeeper what Zuul's services are doing, so that units and roles can wait for them, not sleep.

Zuul keeps one JSON node for each running component (`/zuul/components/KIND/HOSTNAME…`, ephemeral: it is gone
when the service is) and one for each tenant's layout (`/zuul/layout/TENANT`).
Source: zuul/zk/components.py, zuul/zk/layout.py.
"""

from __future__ import annotations

import argparse
import configparser
import importlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

COMPONENTS = "/zuul/components"
LAYOUTS = "/zuul/layout"


def read_config(path: str) -> configparser.ConfigParser:
    """Read a Zuul configuration file the way Zuul does: ZUUL_* of the environment can be interpolated."""
    config = configparser.ConfigParser({k: v for k, v in os.environ.items() if k.startswith("ZUUL_")})
    with open(path, encoding="utf-8") as file:
        config.read_file(file)
    return config


def connect(config: configparser.ConfigParser, timeout: float) -> Any:
    """Return a started kazoo client for the `[zookeeper]` section. Raises kazoo's timeout error."""
    section = config["zookeeper"]
    client = importlib.import_module("kazoo.client").KazooClient(
        hosts=section["hosts"],
        use_ssl=True,
        keyfile=section["tls_key"],
        certfile=section["tls_cert"],
        ca=section["tls_ca"],
        timeout=10,
    )
    client.start(timeout)
    return client


def read_tree(
    client: Any, root: str, changed: Callable[[Any], None] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the JSON nodes directly below `root` by name, {} where it is missing; `changed` is the watch."""
    gone = importlib.import_module("kazoo.exceptions").NoNodeError
    try:
        names = client.get_children(root, watch=changed)
    except gone:
        client.exists(root, watch=changed)
        return {}
    found = {}
    for name in names:
        try:
            data, _stat = client.get(f"{root}/{name}", watch=changed)
        except gone:
            continue  # it went away meanwhile; the watch on its parent tells
        if data:
            found[name] = json.loads(data)
    return found


def wait_for(
    client: Any, root: str, met: Callable[[dict[str, dict[str, Any]]], bool], timeout: float
) -> dict[str, Any]:
    """Wait until `met(nodes below root)`, woken by ZooKeeper. Returns the nodes; raises TimeoutError."""
    end = time.monotonic() + timeout
    changed = threading.Event()
    while True:
        changed.clear()
        nodes = read_tree(client, root, lambda _event: changed.set())
        if met(nodes):
            return nodes
        left = end - time.monotonic()
        if left <= 0 or not changed.wait(left):
            raise TimeoutError(f"waited {timeout:.0f} s; {root} holds {json.dumps(nodes, sort_keys=True)}")


def _parser(name: str, about: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"xenci-zuul {name}", description=about)
    parser.add_argument("-c", dest="config", required=True, help="Zuul configuration file")
    parser.add_argument("--timeout", type=float, default=60, help="seconds")
    return parser


def wait_main(argv: Sequence[str]) -> int:
    """`xenci-zuul wait`: until a component is in a state, or a tenant has a layout. Prints JSON."""
    parser = _parser("wait", "Wait until a service of Zuul is in a state, or until a tenant has a layout.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--component", help="scheduler, executor, launcher, web")
    what.add_argument("--tenant", help="a tenant whose layout must be there")
    parser.add_argument("--hostname", default=socket.getfqdn(), help="of the component; default: this host")
    parser.add_argument("--state", action="append", help="one of these (may be repeated); default: running")
    arguments = parser.parse_args(argv)
    states = arguments.state or ["running"]

    def component_ready(nodes: dict[str, dict[str, Any]]) -> bool:
        own = [n for n in nodes.values() if n.get("hostname") == arguments.hostname]
        return any(node.get("state") in states for node in own)

    client = connect(read_config(arguments.config), arguments.timeout)
    try:
        if arguments.component:
            nodes = wait_for(
                client, f"{COMPONENTS}/{arguments.component}", component_ready, arguments.timeout
            )
        else:
            nodes = wait_for(client, LAYOUTS, lambda found: arguments.tenant in found, arguments.timeout)
    except TimeoutError as error:
        sys.stderr.write(f"xenci-zuul wait: {error}\n")
        return 1
    finally:
        client.stop()
        client.close()
    sys.stdout.write(json.dumps(nodes, sort_keys=True) + "\n")
    return 0


def reconfigure_main(argv: Sequence[str]) -> int:
    """`xenci-zuul reconfigure`: a full reconfiguration, and wait until all tenants have it. 1 on timeout.

    With --since it is left out where every layout is newer than that time (seconds since 1970).
    Prints JSON: {"changed": bool, "tenants": {name: layout}}.
    """
    parser = _parser("reconfigure", "Full reconfiguration of this host's scheduler; waits for it.")
    parser.add_argument("--tenant", action="append", required=True, help="must have it (may be repeated)")
    parser.add_argument("--since", type=float, help="do nothing where every layout is newer than this time")
    arguments = parser.parse_args(argv)
    client = connect(read_config(arguments.config), arguments.timeout)
    try:
        hostname = socket.getfqdn()

        def running(nodes: dict[str, dict[str, Any]]) -> bool:
            return any(n["hostname"] == hostname and n["state"] == "running" for n in nodes.values())

        # A scheduler that has just started loads its layouts first; it may be waiting for an executor.
        wait_for(client, f"{COMPONENTS}/scheduler", running, arguments.timeout)
        # A tenant that is new in the tenant file has no layout before the reconfiguration.
        before = read_tree(client, LAYOUTS)

        def stale(nodes: dict[str, dict[str, Any]], than: Callable[[str], float]) -> list[str]:
            return [t for t in arguments.tenant if t not in nodes or nodes[t]["last_reconfigured"] < than(t)]

        changed = arguments.since is None or bool(stale(before, lambda _tenant: arguments.since))
        nodes = before
        if changed:
            program = os.path.join(os.path.dirname(sys.executable), "xenci-zuul")
            subprocess.run([program, "scheduler", "-c", arguments.config, "full-reconfigure"], check=True)
            old = {tenant: node["uuid"] for tenant, node in before.items()}
            nodes = wait_for(
                client,
                LAYOUTS,
                lambda found: all(t in found and found[t]["uuid"] != old.get(t) for t in arguments.tenant),
                arguments.timeout,
            )
    except TimeoutError as error:
        sys.stderr.write(f"xenci-zuul reconfigure: {error}\n")
        return 1
    finally:
        client.stop()
        client.close()
    wanted = {tenant: nodes[tenant] for tenant in arguments.tenant}
    sys.stdout.write(json.dumps({"changed": changed, "tenants": wanted}, sort_keys=True) + "\n")
    return 0
