"""A static node whose request is gone goes back to the pool, with Zuul's own cleanup and state machine."""

import contextlib
import logging
import threading
from types import SimpleNamespace

import pytest
from zuul.driver.static.staticendpoint import StaticDeleteStateMachine
from zuul.launcher.server import Launcher
from zuul.model import ProviderNode

from xenci.zuul import static_nodes
from xenci.zuul.registration import MovedError

LOG = logging.getLogger("test")


class Node(SimpleNamespace):
    """What the cleanup uses of a static node that failed an hour ago, for a request of that time."""

    State = ProviderNode.State

    def __init__(self):
        super().__init__(
            state=self.State.FAILED,
            request_id="request",
            delete_state={"state": "complete", "start_time": 0},
            delete_state_machine=None,
            nodescan_request=None,
            _lock=None,
        )

    def activeContext(self, context):  # noqa: N802 (Zuul's name)
        return contextlib.nullcontext()

    def unassign(self, context):
        self.request_id = None


def launcher(*requests):
    """What the cleanup uses of a launcher that knows these requests."""
    provider = SimpleNamespace(driver=SimpleNamespace(name="static"), canReuseNode=lambda node: True)
    provider.getDeleteStateMachine = lambda node, log: StaticDeleteStateMachine(provider, node, log)
    return SimpleNamespace(
        DELETE_TIMEOUT=Launcher.DELETE_TIMEOUT,
        api=SimpleNamespace(getNodesetRequest=lambda name: name if name in requests else None),
        createZKContext=lambda lock, log: contextlib.nullcontext(),
        log=LOG,
        nodescan_worker=SimpleNamespace(removeRequest=lambda request: None),
        wake_event=threading.Event(),
        _getProviderForNode=lambda node, ignore_label: provider,
    )


@pytest.fixture
def mended(monkeypatch):
    """The launcher as xenci-zuul starts it."""
    monkeypatch.setattr(Launcher, "_cleanupNode", Launcher._cleanupNode)
    static_nodes.apply()


def test_stock_zuul_keeps_it_for_ever():
    """When this fails, Zuul has mended it: static_nodes.py can go."""
    node = Node()
    for _ in range(3):
        Launcher._cleanupNode(launcher(), node, LOG)
        assert (node.state, node.request_id) == (node.State.REBUILDING, "request")


@pytest.mark.usefixtures("mended")
def test_it_is_free_and_the_next_failure_counts_from_its_own_start():
    node = Node()
    Launcher._cleanupNode(launcher(), node, LOG)
    assert (node.state, node.request_id, node.delete_state) == (node.State.REBUILDING, None, {})


@pytest.mark.usefixtures("mended")
def test_a_request_that_is_there_keeps_it():
    node = Node()
    Launcher._cleanupNode(launcher("request"), node, LOG)
    assert (node.state, node.request_id) == (node.State.REBUILDING, "request")


def test_another_zuul_is_refused(monkeypatch):
    monkeypatch.delattr(Launcher, "_cleanupNode")
    with pytest.raises(MovedError, match="_cleanupNode is not in this Zuul"):
        static_nodes.apply()
