"""Guests in Zuul's words."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from zuul import model
from zuul.provider import statemachine


def guest_name(node_uuid: str) -> str:
    """Return the guest of a node: always the same, so that a restarted launcher finds it again."""
    return f"np{node_uuid}"


def quota(memory_mib: int, vcpus: int) -> Any:
    """Return what a guest needs of a host's quota."""
    return model.QuotaInformation(instances=1, cores=vcpus, ram=memory_mib)


class XenProviderNode(model.ProviderNode, subclass_id="xen"):  # type: ignore[call-arg]
    """A node; the name of its guest or lease follows from its uuid.

    Which of them it is, it keeps: its label may be gone before it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._set(whole_host=False)

    def getDriverData(self) -> dict[str, bool]:  # noqa: N802 - Zuul's name
        """Return what is kept of it beside what every node has."""
        return {"whole_host": self.whole_host}


class XenInstance(statemachine.Instance):
    """A guest, from `xenci-guest`'s reply."""

    def __init__(self, host: str, guest: dict[str, Any]) -> None:
        super().__init__()
        self.ready = guest["state"] == "running"
        self.guest = guest["name"]
        self.metadata = guest.get("labels", {})
        self.interface_ip = self.private_ipv4 = guest.get("address")
        self.host_id = self.cloud = self.region = host
        # A guest whose record can't be read still takes one place.
        self.quota = quota(guest.get("memory_mib", 0), guest.get("vcpus", 0))
        self.host_keys = guest.get("host_keys", [])

    @property
    def external_id(self) -> str:
        """What logs call it."""
        return f"guest={self.guest}"

    def getQuotaInformation(self) -> Any:  # noqa: N802 - Zuul's name
        """Return what it uses."""
        return self.quota


class XenLease(XenInstance):
    """A whole host, from `xenci-guest`'s reply. Its node is dom0."""

    def __init__(self, host: str, lease: dict[str, Any], whole: Any) -> None:
        super().__init__(host, lease)
        self.ready = lease["state"] == "leased"
        # As the launcher reaches it; so do the executors.
        self.interface_ip = self.private_ipv4 = host
        self.quota = whole

    @property
    def external_id(self) -> str:
        """What logs call it."""
        return f"lease={self.guest}"


class XenResource(statemachine.Resource):
    """What the leak sweep looks at: guests and leases, by the labels that they were made with."""

    class ResourceType(StrEnum):
        """There are two."""

        GUEST = "guest"
        LEASE = "lease"

    def __init__(self, guest: dict[str, Any], kind: ResourceType = ResourceType.GUEST) -> None:
        super().__init__(guest.get("labels", {}), kind)
        self.name = guest["name"]

    @property
    def unique_id(self) -> str:
        """Its name."""
        return str(self.name)
