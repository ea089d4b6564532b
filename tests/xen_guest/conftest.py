"""Hosts for the tests of xenci-guest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.xen_guest.dom0 import Dom0, ssh_servers

BACKENDS = ("reflink", "lvm_thin")


@pytest.fixture(scope="session")
def ssh_port() -> Iterator[int]:
    """The port on which every guest answers."""
    with ssh_servers() as port:
        yield port


@pytest.fixture
def new_dom0(tmp_path: Path, ssh_port: int) -> Callable[..., Dom0]:
    """``new_dom0(backend, slots=2)``: a host with an image."""

    def make(backend: str = "reflink", slots: int = 2, **more: object) -> Dom0:
        host = Dom0(tmp_path / f"dom0-{backend}", backend, ssh_port, slots)
        host.config.update(more)
        host.write_config()
        assert host.add_image()["ok"]
        return host

    return make


@pytest.fixture(params=BACKENDS)
def dom0(request: pytest.FixtureRequest, new_dom0: Callable[..., Dom0]) -> Dom0:
    """A host with an image and room for two guests, once for each back end."""
    return new_dom0(request.param)
