"""One Xen host, as the launcher reaches it: ssh with a known host key, forced command `xenci-guest`."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from xenci.zuul.xen.connection import XenConnection

CONNECT_SECONDS = 10
# Beyond what a create may take in the guest's boot: lock, clone, three tries of `xl create`, clean-up.
GRACE_SECONDS = 600
SSH_FAILED = 255


class HostError(Exception):
    """The host refused, failed, or did not answer (`unreachable`)."""

    def __init__(self, code: str, message: str, console: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.console = console


class XenHost:
    """Requests to one host. Blocks: never called from the launcher's own thread but for quota."""

    def __init__(self, address: str, connection: XenConnection) -> None:
        self.address = address
        self.connection = connection

    def command(self) -> list[str]:
        """Return ssh's command line. What is asked goes through its standard input only."""
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": self.connection.known_hosts,
            "GlobalKnownHostsFile": "/dev/null",
            "IdentitiesOnly": "yes",
            "IdentityFile": self.connection.ssh_key,
            "ConnectTimeout": str(CONNECT_SECONDS),
            "ServerAliveInterval": "15",
            "ServerAliveCountMax": "4",
            "User": self.connection.user,
            "Port": str(self.connection.port),
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["ssh", "-F", "none", "-T", *words, "--", self.address, "xenci-guest"]

    def ask(self, operation: str, timeout: float = 120, **fields: Any) -> dict[str, Any]:
        """Return the reply to a request; raises HostError."""
        request = json.dumps({"operation": operation, **fields})
        try:
            done = subprocess.run(
                self.command(), input=request, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            raise HostError("unreachable", f"{self.address} gave no answer in {timeout:.0f} s") from None
        except OSError as error:
            raise HostError("unreachable", f"can't run ssh: {error.strerror}") from error
        if done.returncode == SSH_FAILED:
            said = done.stderr.strip().splitlines()
            raise HostError("unreachable", f"ssh to {self.address}: {said[-1] if said else 'failed'}")
        try:
            reply: dict[str, Any] = json.loads(done.stdout)
            succeeded = reply.pop("ok")
        except (ValueError, KeyError, AttributeError) as error:
            raise HostError(
                "unreachable", f"{self.address} answered with no JSON: {done.stdout[:200]!r}"
            ) from error
        if not succeeded:
            failure = reply["error"]
            raise HostError(failure["code"], failure["message"], failure.get("console", ""))
        return reply

    def create(self, boot_timeout: int, **fields: Any) -> dict[str, Any]:
        """Return the reply with a guest that answers at its SSH port."""
        reply = self.ask("create", GRACE_SECONDS + boot_timeout, ssh_timeout=boot_timeout, **fields)
        guest: dict[str, Any] = reply["guest"]
        if guest["state"] != "running":
            raise HostError("died", f"guest {guest['name']} is {guest['state']}: {guest.get('reason')}")
        if not guest["host_keys"]:
            raise HostError("internal", f"guest {guest['name']} has no SSH host key")
        return reply
