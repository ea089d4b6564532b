"""The demo's Xen host joins after both votes: the next deploy sees it, and what to type again says so."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from xenci import cli
from xenci.apply.screen import Screen
from xenci.demo import commands, hosts, report, xen
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

    def up(lab: Lab, screen: object, subnet: object, war: object, with_xen: bool) -> int:
        calls.append({"lab": lab.name, "with_xen": with_xen})
        raise commands.StuckError("stuck")

    monkeypatch.setattr(commands, "up", up)
    monkeypatch.setattr("xenci.demo.lab.Lab", functools.partial(Lab, root=tmp_path))
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


@pytest.fixture
def votes(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The vote that each change gets, in place of a lab's."""
    given = {"good": 1, "bad": -1, "xen": 1}

    def vote(*arguments: Any) -> dict[str, Any]:
        every = [{"name": one.name, "url": "u", "expected": one.verified} for one in arguments[-1]]
        return {"changes": [change | {"vote": given[str(change["name"])]} for change in every]}

    monkeypatch.setattr(commands, "vote", vote)
    for name in ("prepare", "deploy"):
        monkeypatch.setattr(commands, name, lambda *_: None)
    monkeypatch.setattr(report, "show", lambda *_: None)
    return given


def test_what_is_told_with_and_without_xen(
    lab: Lab, votes: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    del votes
    assert commands.up(lab, Screen(), None) == 0
    said = capsys.readouterr().out
    assert "Xen was left out" in said
    assert said.strip().endswith(": good +1, bad -1")
    assert commands.up(lab, Screen(), None, None, True) == 0
    said = capsys.readouterr().out
    assert "Xen was left out" not in said
    assert said.strip().endswith(": good +1, bad -1, xen +1")
    written = json.loads(lab.report.read_text(encoding="utf-8"))
    assert [change["name"] for change in written["xen"]["changes"]] == ["xen"]
    # Where the host is there already, the first changes are tested in its guests.
    assert commands.up(lab, Screen(), None, None, True) == 0
    assert capsys.readouterr().out.strip().endswith(": good +1, bad -1")


def test_a_wrong_vote_on_xen_is_an_error_and_written_down(lab: Lab, votes: dict[str, int]) -> None:
    votes["xen"] = -1
    with pytest.raises(commands.StuckError, match=r"xen u got Verified -1, not \+1"):
        commands.up(lab, Screen(), None, None, True)
    assert json.loads(lab.report.read_text(encoding="utf-8"))["xen"]["changes"][0]["vote"] == -1
