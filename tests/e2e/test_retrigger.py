"""Comments that run the jobs again, and those that don't."""

from __future__ import annotations

import secrets

from tests.e2e import review
from tests.e2e.faults import until
from xenci.demo.site import Site


def test_who_is_called_runs_once(site: Site) -> None:
    nonce = secrets.token_hex(4)
    change = review.propose(site, "hypervisor-tools", {f"docs/{nonce}.md": f"# {nonce}\n"})
    until(lambda: review.said(site, change))
    for _ in range(5):
        review.comment(site, change, "recheck bug 1")
    until(lambda: len(review.said(site, change)) == 2)
    until(lambda: review.idle(site))
    review.comment(site, change, "run xen-ci")
    until(lambda: len(review.said(site, change)) == 3)
    until(lambda: review.idle(site))
    assert [entry["result"] for entry in review.buildsets(site, change)] == ["SUCCESS"] * 3
    assert len(review.said(site, change)) == 3


def test_who_is_not_called_does_not_run(site: Site) -> None:
    nonce = secrets.token_hex(4)
    change = review.propose(site, "hypervisor-tools", {f"docs/{nonce}.md": f"# {nonce}\n"})
    until(lambda: review.said(site, change))
    for text in ("please recheck", "run kvm-ci", "xenproject: recheck", "recheck-hyperv"):
        review.comment(site, change, text)
    sentinel = review.propose(site, "hypervisor-tools", {f"docs/{nonce}-2.md": f"# {nonce}\n"})
    until(lambda: review.said(site, sentinel))
    until(lambda: review.idle(site))
    assert len(review.buildsets(site, change)) == 1
    assert len(review.said(site, change)) == 1
