"""The connection of zuul.conf: how every Xen host is reached.

[connection xen]
driver=xen
ssh_key=/etc/zuul/xen/id_ed25519
known_hosts=/etc/zuul/xen/known_hosts
authorized_keys=/etc/zuul/xen/authorized_keys
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from zuul.connection import BaseConnection


class XenConnection(BaseConnection):
    """Settings: `ssh_key`, `known_hosts` (files of the launcher), `user` and `port` on the Xen hosts.

    `authorized_keys` is a file of public keys that every guest lets in: the executors'.
    """

    driver_name = "xen"
    log = logging.getLogger("zuul.XenConnection")

    def __init__(self, driver: Any, connection_name: str, connection_config: dict[str, str]) -> None:
        super().__init__(driver, connection_name, connection_config)
        # Every service reads the connection, only the launcher uses it and has the files.
        self.ssh_key = connection_config.get("ssh_key", "/etc/zuul/xen/id_ed25519")
        self.known_hosts = connection_config.get("known_hosts", "/etc/zuul/xen/known_hosts")
        self.authorized_keys_file = Path(
            connection_config.get("authorized_keys", "/etc/zuul/xen/authorized_keys")
        )
        self.user = connection_config.get("user", "root")
        self.port = int(connection_config.get("port", "22"))

    def authorized_keys(self) -> list[str]:
        """Return the public keys for a guest, as the file has them now."""
        lines = self.authorized_keys_file.read_text(encoding="utf-8").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
