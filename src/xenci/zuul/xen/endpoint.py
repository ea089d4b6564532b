"""One Xen host as an endpoint, and the state machines of its guests and of itself as a whole."""

from __future__ import annotations

import abc
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from zuul import model
from zuul.exceptions import QuotaException
from zuul.provider import BaseProviderEndpoint, statemachine

from xenci.zuul.xen.connection import XenConnection
from xenci.zuul.xen.host import HostError, XenHost
from xenci.zuul.xen.model import XenInstance, XenLease, XenResource, guest_name, quota

# Requests that wait for a host's answer at one time; a create waits for as long as a guest boots.
THREADS = 64
QUOTA_SECONDS = 30
DELETE_PAUSE = 10.0
# How often a host is asked whether its guests have left, or whether it has come back from a lease.
LEASE_PAUSE = 10.0
# A lease makes a snapshot and reads what is on the host; both take long where that is slow.
LEASE_SECONDS = 900
CONSOLE_BYTES = 8192


class XenEndpoint(BaseProviderEndpoint):
    """A host. Its answers are waited for in threads: the launcher's own must never stand still."""

    def __init__(
        self, driver: Any, zk_client: Any, connection: XenConnection, host: str, system_id: str
    ) -> None:
        # The name is a key among those of all endpoints, other drivers' too.
        super().__init__(driver, zk_client, connection, f"{connection.connection_name}/{host}", system_id)
        self.log = logging.getLogger(f"zuul.xen.{host}")
        self.host = XenHost(host, connection)

    def startEndpoint(self) -> None:  # noqa: N802 - Zuul's names, here and below
        """Start the threads."""
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"xen-{self.host.address}")

    def stopEndpoint(self) -> None:  # noqa: N802
        """Let go of them; the host finishes what it was asked, and is asked again by the next launcher."""
        self.threads.shutdown(wait=False, cancel_futures=True)

    def submit(self, call: Callable[..., Any], *args: Any, **fields: Any) -> Future[Any]:
        """Run a request in a thread."""
        return self.threads.submit(call, *args, **fields)

    def refreshQuotaLimits(self, update: bool) -> bool:  # noqa: N802
        """Remember the host's nominal capacity. While it does not answer, what it said before holds.

        A host that is down must not seem to have no quota: where no provider had any, the request would fail.
        """
        if self.quota_cache.hasLimits() and not update:
            return False
        try:
            total = self.host.ask("capacity", QUOTA_SECONDS)["total"]
        except HostError as error:
            self.log.warning("Quota of %s is not known anew: %s", self.host.address, error)
            return False
        limits = model.QuotaInformation(
            instances=total["guests"], cores=total["vcpus"], ram=total["memory_mib"]
        )
        self.quota_cache.setLimits(limits)
        return True

    def listInstances(self) -> Iterator[XenInstance]:  # noqa: N802
        """Return the host's guests, whoever made them, and its lease."""
        reply = self.host.ask("list")
        for guest in reply["guests"]:
            yield XenInstance(self.host.address, guest)
        for lease in reply["leases"]:
            yield XenLease(self.host.address, lease, self.whole())

    def listResources(self, providers: Any) -> Iterator[XenResource]:  # noqa: N802
        """Return the same for the leak sweep."""
        del providers
        reply = self.host.ask("list")
        for guest in reply["guests"]:
            yield XenResource(guest)
        for lease in reply["leases"]:
            yield XenResource(lease, XenResource.ResourceType.LEASE)

    def whole(self) -> Any:
        """Return all of the host's nominal capacity, as far as it was ever told."""
        return model.QuotaInformation(**{"instances": 1, **self.quota_cache.getLimits().quota})

    def getResourceTypes(self) -> Any:  # noqa: N802
        """Return the kinds of resources."""
        return XenResource.ResourceType

    def deleteResource(self, resource: XenResource) -> None:  # noqa: N802
        """Remove a leaked guest, or end a leaked lease; the latter is asked again until it has ended."""
        self.log.info("Deleting leaked %s %s", resource.type, resource.name)
        operation = "release" if resource.type == XenResource.ResourceType.LEASE else "delete"
        self.host.ask(operation, name=resource.name)


class AskingStateMachine(statemachine.StateMachine, abc.ABC):
    """Asks the host in a thread, again and again after a pause, until its reply is the last."""

    state: str
    WAITING: str
    PAUSE = 0.0

    def __init__(self, endpoint: XenEndpoint, node: Any, state: Any, log: Any) -> None:
        super().__init__(state)
        self.endpoint, self.node, self.log = endpoint, node, log
        self.future: Future[Any] | None = None
        self.again = 0.0

    def advance(self) -> None:
        """Take one step, without waiting."""
        if self.state == self.START:
            self.state = self.WAITING
            self.begin()
        if self.state == self.WAITING:
            if self.future is None and time.monotonic() >= self.again:
                self.future = self.endpoint.submit(self.ask)
            if self.future is None or not self.future.done():
                return
            if not self.last(self.future):
                self.future, self.again = None, time.monotonic() + self.PAUSE
                return
            self.state = self.COMPLETE
        self.complete = self.state == self.COMPLETE

    def begin(self) -> None:
        """Do what comes before the first request."""

    @abc.abstractmethod
    def ask(self) -> dict[str, Any]:
        """Return the reply; runs in a thread."""

    @abc.abstractmethod
    def last(self, future: Future[Any]) -> bool:
        """Take the reply or the error; False: ask again."""


class XenCreateStateMachine(AskingStateMachine):
    """Asks for a guest and waits. After a restart it asks again: the host goes on where it was."""

    WAITING = "creating guest"

    def __init__(self, endpoint: XenEndpoint, node: Any, request: dict[str, Any], log: Any) -> None:
        super().__init__(endpoint, node, node.create_state, log)
        self.request = request

    def ask(self) -> dict[str, Any]:
        """Make the guest.

        "Full now" is Zuul's quota exception: the request waits. Anything else counts against this provider,
        and the launcher goes on to another host after its launch-attempts.
        """
        try:
            keys = self.endpoint.connection.authorized_keys()
            return self.endpoint.host.create(
                self.node.boot_timeout or 300,
                name=guest_name(self.node.uuid),
                labels=dict(self.node.tags),
                authorized_keys=keys,
                **self.request,
            )
        except HostError as error:
            if error.console:
                self.log.warning("Console of guest %s:\n%s", guest_name(self.node.uuid), error.console)
            if error.code == "full":
                raise QuotaException(str(error)) from error
            raise

    def last(self, future: Future[Any]) -> bool:
        """Take the guest; an error ends the node."""
        reply = future.result()
        self.node.updateFromInstance(XenInstance(self.endpoint.host.address, reply["guest"]))
        # Jobs find it among the node's variables, as zuul_node.node_properties.
        self.node.node_properties["xen"] = {"guest": reply["guest"]["name"], **reply["outside"]}
        return True


class XenDeleteStateMachine(AskingStateMachine):
    """Asks until the guest is gone: a delete that raises would make Zuul forget the node, guest or not."""

    WAITING = "deleting guest"
    PAUSE = DELETE_PAUSE

    def __init__(self, endpoint: XenEndpoint, node: Any, log: Any) -> None:
        super().__init__(endpoint, node, node.delete_state, log)

    def ask(self) -> dict[str, Any]:
        """Remove the guest; of one that had died, return the end of its console too."""
        host, name = self.endpoint.host, guest_name(self.node.uuid)
        reply = host.ask("delete", 300, name=name)
        return (
            {**reply, **host.ask("console", name=name, bytes=CONSOLE_BYTES)} if reply.get("death") else reply
        )

    def last(self, future: Future[Any]) -> bool:
        """See that it is gone."""
        try:
            reply = future.result()
        except HostError as error:
            self.log.warning("Guest of node %s is not gone yet: %s", self.node.uuid, error)
            return False
        if reply.get("death"):
            self.log.warning(
                "Guest of node %s had died before: %s. Its console:\n%s",
                self.node.uuid,
                reply["death"],
                reply["console"],
            )
        return True


class XenLeaseStateMachine(AskingStateMachine):
    """Asks for the whole host until its guests have left, and it has it.

    From the first step on, Zuul counts all of the host as used and starts no more guests there; the host
    makes none either. Raising Zuul's quota exception would end the wish, and the next node would begin anew.
    """

    WAITING = "waiting for the host to be empty"
    PAUSE = LEASE_PAUSE

    def __init__(self, endpoint: XenEndpoint, node: Any, log: Any) -> None:
        super().__init__(endpoint, node, node.create_state, log)

    def begin(self) -> None:
        """Take all of the host's quota."""
        self.node.quota = self.endpoint.whole()
        self.node.whole_host = True

    def ask(self) -> dict[str, Any]:
        """Ask for the host."""
        return self.endpoint.host.ask(
            "lease",
            LEASE_SECONDS,
            name=guest_name(self.node.uuid),
            labels=dict(self.node.tags),
            authorized_keys=self.endpoint.connection.authorized_keys(),
        )

    def last(self, future: Future[Any]) -> bool:
        """Take the host once it is empty; anything else than guests counts against the provider."""
        try:
            reply = future.result()
        except HostError as error:
            if error.code != "full":
                raise
            self.log.info("Node %s waits for its host: %s", self.node.uuid, error)
            return False
        host = self.endpoint.host.address
        self.node.updateFromInstance(XenLease(host, reply["lease"], self.endpoint.whole()))
        self.node.node_properties["xen"] = reply["outside"]
        return True


class XenReleaseStateMachine(AskingStateMachine):
    """Asks until the host has come back, which takes it a restart: in between it does not answer."""

    WAITING = "waiting for the host to come back"
    PAUSE = LEASE_PAUSE

    def __init__(self, endpoint: XenEndpoint, node: Any, log: Any) -> None:
        super().__init__(endpoint, node, node.delete_state, log)

    def ask(self) -> dict[str, Any]:
        """Give the host back."""
        return self.endpoint.host.ask("release", name=guest_name(self.node.uuid))

    def last(self, future: Future[Any]) -> bool:
        """See that it is back."""
        try:
            return not future.result()["returning"]
        except HostError as error:
            self.log.info("Host of node %s is not back yet: %s", self.node.uuid, error)
            return False


def label_quota(flavor: Any) -> Any:
    """Return what a guest of a flavor needs.

    Of a whole host it is one place: Zuul lets its machine start, whose first step takes the rest. For all of
    it Zuul would wait until there are no guests, and where builds queue that never comes.
    """
    return quota(0, 0) if flavor.whole_host else quota(flavor.memory, flavor.vcpus)
