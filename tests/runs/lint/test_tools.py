"""The linters, each by itself."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.runs.lint.conftest import ROOT
from xenci.lint import tools

SECRET = """
- secret:
    name: bastion-key
    data:
      key: !encrypted/pkcs1-oaep
        - YUA1dtqfq3ovhsY
"""


@pytest.fixture
def infra(tmp_path: Path) -> Path:
    """The skeleton."""
    shutil.copytree(ROOT / "infra", tmp_path / "infra")
    return tmp_path / "infra"


def test_yaml_as_people_write_it(infra: Path) -> None:
    (infra / "zuul.d/secrets.yaml").write_text(SECRET, encoding="utf-8")
    assert list(tools.yamllint(infra)) == []
    (infra / "zuul.d/other.yaml").write_text(SECRET, encoding="utf-8")
    (infra / "inventory").mkdir()
    (infra / "inventory/vault.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n6162\n", encoding="utf-8")
    (infra / "inventory/link.yml").symlink_to("/etc/hostname")
    found = list(tools.yamllint(infra))
    assert {Path(one.place.path).name for one in found} == {"other.yaml"}
    assert "too many blank lines" in found[0].what


def test_rules_that_can_not_be_read(infra: Path) -> None:
    (infra / ".yamllint").write_text("rules: {no-such-rule: true}\n", encoding="utf-8")
    with pytest.raises(tools.ToolError, match=r'yamllint: .*no such rule: "no-such-rule"'):
        list(tools.yamllint(infra))


def test_a_linter_that_is_not_there(infra: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin/python"))
    with pytest.raises(tools.ToolError, match=r"there is no yamllint beside .*: run make setup"):
        list(tools.yamllint(infra))
