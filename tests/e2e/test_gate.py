"""The gate: approved changes to our own projects are tested on top of each other and merged."""

from __future__ import annotations

import itertools
import secrets
from typing import Any

from tests.e2e import review
from tests.e2e.faults import until
from xenci.demo.site import Site
from xenci.demo.watch import moment


def sandbox(site: Site, name: str, *, good: bool = True, after: review.Change | None = None) -> review.Change:
    """A change to the sandbox; a file without a newline at its end fails the tests there."""
    nonce = secrets.token_hex(4)
    text = f"{name} {nonce}\n"
    return review.propose(site, "sandbox", {f"{name}-{nonce}": text if good else text[:-1]}, after=after)


def judged(site: Site, change: review.Change) -> str:
    """The gate's last word on a change; empty while there is none."""
    return next((text for text in reversed(review.said(site, change)) if "(gate pipeline)." in text), "")


def builds(site: Site, change: review.Change) -> list[dict[str, Any]]:
    """The builds of a change in the gate, those that were cut short among them."""
    found: list[dict[str, Any]] = site.tenant(f"builds?change={change.number}&pipeline=gate")
    return [build for build in found if build["start_time"] and build["end_time"]]


def overlap(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether two builds ran at the same time."""
    start = max(moment(first["start_time"]), moment(second["start_time"]))
    return start < min(moment(first["end_time"]), moment(second["end_time"]))


def test_three_at_once_and_the_middle_one_fails(site: Site) -> None:
    first, middle, last = (sandbox(site, name, good=name != "middle") for name in ("first", "middle", "last"))
    three = (first, middle, last)
    # All nodes are free again.
    until(lambda: all(review.said(site, change) for change in three))
    for change in three:
        review.approve(site, change)
    until(lambda: all(judged(site, change) for change in three))
    until(lambda: review.idle(site))
    assert [review.status(site, change) for change in three] == ["MERGED", "NEW", "MERGED"]
    assert "Build failed" in judged(site, middle)
    assert review.verified(site, middle) == -1
    for change in (first, last):
        assert "Build succeeded" in judged(site, change)
        assert any("Starting the gate: https://" in text for text in review.said(site, change))
    ran = {change: builds(site, change) for change in three}
    for one, other in itertools.combinations(three, 2):
        assert any(overlap(a, b) for a in ran[one] for b in ran[other]), (one, other)
    # The last one was tested with the middle one, then without it.
    assert len(ran[last]) == 2
    assert [build["result"] for build in ran[last]].count("SUCCESS") == 1


def test_approving_a_change_before_what_it_depends_on(site: Site) -> None:
    below = sandbox(site, "below")
    above = sandbox(site, "above", after=below)
    until(lambda: review.said(site, below) and review.said(site, above))
    review.approve(site, above)
    review.approve(site, below)
    until(lambda: review.status(site, above) == review.status(site, below) == "MERGED")
    for change in (below, above):
        assert not [text for text in review.said(site, change) if "failed" in text]


def test_one_more_try(site: Site) -> None:
    change = sandbox(site, "again", good=False)
    review.approve(site, change)
    until(lambda: judged(site, change))
    before = review.said(site, change)
    review.comment(site, change, "recheck")
    until(lambda: sum("(gate pipeline)." in text for text in review.said(site, change)) == 2)
    until(lambda: review.idle(site))
    # The gate's start and end: the sandbox's own pipeline gave way.
    assert len(review.said(site, change)) == len(before) + 2
    assert review.status(site, change) == "NEW"


def test_a_change_to_the_library_is_merged_without_a_person(site: Site) -> None:
    """One to infra is planned before: test_change.py."""
    change = review.propose(site, "xenci", {"NOTES.md": f"{secrets.token_hex(4)}\n"})
    review.approve(site, change)
    until(lambda: review.status(site, change) == "MERGED")
    until(lambda: "Build succeeded" in judged(site, change))
