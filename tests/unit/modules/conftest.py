"""Makes this collection importable by its full name, as modules import each other, and runs modules."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

from tests.unit.modules.script import run_module

_AnsibleCollectionFinder(paths=[str(Path(__file__).parents[3] / ".cache")])._install()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """``run(module, params, calls, check=False)``."""
    # Other tests in this process import Ansible's controller side, which would take a module's warnings
    # as its own.
    monkeypatch.setattr("ansible.module_utils._internal.is_controller", False)
    return functools.partial(run_module, monkeypatch=monkeypatch, capsys=capsys)
