"""A check of a change, whose secrets are stubs, says nothing of keys that only the real ones would fit."""

from __future__ import annotations

from pathlib import Path

from tests.runs.lint.conftest import ROOT
from xenci.check import check, report
from xenci.lint import INVENTORY, stubs


def test_no_pair_is_compared_with_a_stub(infra: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    password = stubs.copy(infra, copy, ROOT)
    compared = report.text(check([copy / INVENTORY], ROOT, password, [copy]), copy)
    assert "is not the public half of" in compared
    told = check([copy / INVENTORY], ROOT, password, [copy], stubs=True)
    assert report.text(told, copy) == ""
