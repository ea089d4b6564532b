"""The gerrit modules against a running Gerrit: the lab's on loopback, or an empty one given by URL.

Environment: GERRIT_URL, GERRIT_ADMIN_PASSWORD, GERRIT_CA (PEM), as for the contract suite.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

from tests.gerrit_contract.lab import lab_gerrit
from tests.gerrit_contract.replay import Server
from tests.gerrit_modules.demo import BASTION, SECRET, set_up
from xenci.review.gerrit import Settings

_AnsibleCollectionFinder(paths=[str(Path(__file__).parents[2] / ".cache")])._install()

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An empty Gerrit for each test file."""
    url = os.environ.get("GERRIT_URL")
    if url:
        password = os.environ.get("GERRIT_ADMIN_PASSWORD", "secret")
        yield Server(url, "", 0, admin_password=password, ca=os.environ.get("GERRIT_CA"))
        return
    with lab_gerrit(tmp_path_factory.mktemp("gm")) as made:
        yield made


@pytest.fixture
def run(server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``run(module, params, check=False)`` runs a module as Ansible does and returns what it tells."""
    # Other tests in this process import Ansible's controller side, which would take a module's warnings
    # as its own.
    monkeypatch.setattr("ansible.module_utils._internal.is_controller", False)

    def run_module(name: str, params: dict[str, Any], check: bool = False) -> dict[str, Any]:
        connection = {"url": server.url, "username": server.admin, "password": server.admin_password}
        if server.ca:
            connection["ca_path"] = server.ca
        arguments = {**connection, **params, "_ansible_check_mode": check, "_ansible_diff": True}
        # A module is a process of its own, which has not given any warning yet.
        warnings._global_warnings.clear()
        module = importlib.import_module(f"ansible_collections.xenci.stack.plugins.modules.gerrit_{name}")
        with patch_module_args(arguments), pytest.raises(SystemExit):
            module.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return run_module


@pytest.fixture
def demo(run: Run, server: Server) -> Server:
    """The server with the demo's people, projects and rights."""
    return set_up(run, server)


@pytest.fixture
def settings(demo: Server, tmp_path: Path) -> Settings:
    """How the bastion speaks to it."""
    return Settings(
        url=demo.url,
        account=BASTION,
        password=SECRET,
        project="infra",
        approvers="xenci-core",
        spool=tmp_path / "spool",
        ca=Path(demo.ca) if demo.ca else None,
    )
