"""Give a static node back to the pool when the request it was for is gone. Stock Zuul 14.3 never does.

A static node whose build lost its scheduler or executor fails, waits five minutes, and goes back to the pool,
but stays assigned to a request that no longer exists. The launcher then cleans it up once a second, for ever,
and no job gets it again. This file is the only one that leans on `Launcher._cleanupNode`.
"""

from __future__ import annotations

from typing import Any

from xenci.zuul.registration import lookup


def apply() -> None:
    """Make the launcher free such nodes. Raises MovedError when the places that this leans on are gone."""
    launcher = lookup("zuul.launcher.server", "Launcher")
    stock = lookup("zuul.launcher.server", "Launcher", "_cleanupNode")
    for name in ("unassign", "activeContext"):
        lookup("zuul.model", "ProviderNode", name)
    rebuilding = lookup("zuul.model", "ProviderNode", "State", "REBUILDING")

    def clean_up(self: Any, node: Any, log: Any) -> None:
        stock(self, node, log)
        if node.state == rebuilding and node.request_id and not self.api.getNodesetRequest(node.request_id):
            log.info("Freeing node %s, whose request is gone", node)
            with self.createZKContext(node._lock, self.log) as ctx:
                node.unassign(ctx)
                with node.activeContext(ctx):
                    # Else its next failure would count from this one's start.
                    node.delete_state = {}

    launcher._cleanupNode = clean_up
