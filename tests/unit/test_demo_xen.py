"""The demo's Xen host joins after both votes: the next deploy sees it, and what to type again says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from xenci import cli
from xenci.demo import commands, hosts, xen
from xenci.demo.lab import Lab

ROOT = Path(__file__).parents[2]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A lab whose files lie below `tmp_path`, and whose checkout has what an inventory needs."""
    (tmp_path / "inventories").symlink_to(ROOT / "inventories")
    made = Lab("x", tmp_path)
    made.inventory.mkdir(parents=True)
    return made


def test_a_host_that_joins_is_one_of_the_labs(lab: Lab) -> None:
    before = hosts.described(lab)
    assert not xen.joined(lab)
    xen.join(lab)
    assert xen.joined(lab)
    assert set(hosts.described(lab)) - set(before) == {"xen1"}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """What the command line asks for, in place of doing it."""
    calls: list[dict[str, Any]] = []

    def up(lab: Lab, *_: object) -> int:
        calls.append({"lab": lab.name, "with_xen": _[-1]})
        raise commands.StuckError("stuck")

    monkeypatch.setattr(commands, "up", up)
    monkeypatch.setattr(Lab, "root", tmp_path, raising=False)
    return calls


@pytest.mark.parametrize(
    ("words", "make", "again"),
    [
        (["--xen"], False, "xenci demo up --lab x-test --xen"),
        ([], False, "xenci demo up --lab x-test"),
        (["--xen"], True, "make demo LAB=x-test"),
        ([], True, "make demo LAB=x-test XEN=no"),
    ],
)
def test_how_to_go_on_keeps_the_choice(
    words: list[str],
    make: bool,
    again: str,
    told: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("MAKELEVEL", raising=False)
    if make:
        monkeypatch.setenv("MAKELEVEL", "1")
    assert cli.main(["demo", "up", "--lab", "x-test", *words]) == 1
    assert told == [{"lab": "x-test", "with_xen": bool(words)}]
    assert capsys.readouterr().err.strip().endswith(f"Go on with: {again}")
