"""Make Zuul refuse SSH host keys that nobody told it. Stock Zuul 14.3 warns, or trusts the first it sees.

Where stock Zuul is loose, and what is done about it:
- paramiko clients (Gerrit event stream and commands: WarningPolicy; git over ssh: AutoAddPolicy):
  `SSHClient.set_missing_host_key_policy` puts in RefusePolicy, whatever Zuul asks for.
- the executor switches StrictHostKeyChecking off for a node without keys: the build fails instead.
- the launcher ignores `host-key` of a static node and scans: the node gets the configured key.

This file is the only one that leans on those places. `apply()` raises MovedError when one of them is gone.
"""

from __future__ import annotations

import importlib
from typing import Any

from xenci.zuul.registration import MovedError, lookup

# Every module of the wheel that opens an SSH client of its own. A test compares this with the wheel.
PARAMIKO_USERS = (
    "zuul.driver.gerrit.gerriteventssh",
    "zuul.driver.gerrit.gerritconnection",
    "zuul.merger.merger",
)


class UnknownHostKeyError(Exception):
    """A server showed a host key that is in no known_hosts file of this service."""


def refuse_unknown_servers() -> None:
    """Make every paramiko client in this process refuse a server whose key is not in known_hosts."""
    paramiko = importlib.import_module("paramiko")
    for module in PARAMIKO_USERS:
        if lookup(module, "paramiko") is not paramiko:
            raise MovedError(f"{module} no longer uses paramiko; xenci needs zuul>=14.3,<15")

    class RefusePolicy(paramiko.MissingHostKeyPolicy):  # type: ignore[name-defined,misc]
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            raise UnknownHostKeyError(
                f"host key of {hostname} ({key.get_name()} {key.get_base64()}) is not in ~/.ssh/known_hosts; "
                "add it to zuul_common_known_hosts if it is right"
            )

    stock_set = lookup("paramiko", "SSHClient", "set_missing_host_key_policy")

    def set_policy(self: Any, policy: Any) -> None:
        del policy  # whatever the caller wants, an unknown key is refused
        stock_set(self, RefusePolicy())

    lookup("paramiko", "SSHClient").set_missing_host_key_policy = set_policy


def refuse_nodes_without_keys() -> None:
    """Make the executor fail a build whose node has no SSH host key, where it would stop checking keys."""
    job = lookup("zuul.executor.server", "AnsibleJob")
    stock_list = lookup("zuul.executor.server", "AnsibleJob", "getHostList")
    error = lookup("zuul.executor.server", "ExecutorError")

    def host_list(self: Any, *args: Any, **kwargs: Any) -> Any:
        hosts = stock_list(self, *args, **kwargs)
        for host in hosts:
            # "ssh" is what Ansible takes where Zuul names no connection.
            over_ssh = host["host_vars"].get("ansible_connection", "ssh") in ("ssh", "network_cli")
            if over_ssh and not host["host_keys"]:
                raise error(f"Node {host['name']} has no known SSH host key; its provider must name one")
        return hosts

    job.getHostList = host_list


def use_keys_of_static_nodes() -> None:
    """Give a static node the `host-key` of its provider stanza (several keys: one per line).

    `host-key-checking: false` on the label stops the scan, which would replace it.
    """
    instance = lookup("zuul.driver.static.staticmodel", "StaticInstance")
    lookup("zuul.driver.static.staticprovider", "StaticNodeConfig")
    lookup("zuul.model", "ProviderNode", "updateFromInstance")
    stock_init = instance.__init__

    def init(self: Any, node_config: Any, *args: Any, **kwargs: Any) -> None:
        stock_init(self, node_config, *args, **kwargs)
        # Zuul keeps the stanza's key under this name because voluptuous output is turned into attributes.
        host_key = getattr(node_config, "host_key", None)
        if host_key:
            self.host_keys = [line.strip() for line in host_key.splitlines() if line.strip()]

    instance.__init__ = init


def apply(service: str) -> None:
    """Apply what `service` ("executor", "scheduler", …) needs of the above. Raises MovedError."""
    refuse_unknown_servers()
    use_keys_of_static_nodes()
    if service == "executor":  # importing the executor costs every other service memory
        refuse_nodes_without_keys()
