"""What a third party says nothing about. Each time Zuul has dealt with the change before it is looked for."""

from __future__ import annotations

import secrets

import pytest

from tests.e2e import review
from tests.e2e.faults import until
from xenci.demo.site import Site

PROJECT = "hypervisor-tools"


def page(nonce: str) -> dict[str, str]:
    """A new page of documentation, whose job is short."""
    return {f"docs/{nonce}.md": f"# {nonce}\n"}


@pytest.fixture
def nonce() -> str:
    """What no other change holds."""
    return secrets.token_hex(4)


def test_a_merge_conflict(site: Site, nonce: str) -> None:
    first = review.propose(site, PROJECT, {"docs/xen.md": f"# One {nonce}\n"})
    second = review.propose(site, PROJECT, {"docs/xen.md": f"# Two {nonce}\n"}, after=first)
    assert review.result(site, second) == "MERGE_CONFLICT"
    assert review.said(site, second) == []
    # The CI is not mute: the change that does merge is spoken of.
    assert review.result(site, first) == "SUCCESS"
    assert len(review.said(site, first)) == 1


def test_a_configuration_that_can_not_be_read(site: Site, nonce: str) -> None:
    change = review.propose(site, PROJECT, {**page(nonce), ".zuul.yaml": "- job: [\n"})
    # Zuul lays it before every pipeline whose trigger fits, of other projects too.
    for pipeline, result in (("check", "CONFIG_ERROR"), ("sandbox", "NO_JOBS"), ("own_check", "NO_JOBS")):
        assert review.result(site, change, pipeline) == result
    assert review.said(site, change) == []


def test_a_configuration_for_somebody_elses_zuul(site: Site, nonce: str) -> None:
    text = "- project:\n    check:\n      jobs: [a-job-that-is-not-ours]\n"
    change = review.propose(site, PROJECT, {**page(nonce), ".zuul.yaml": text})
    assert review.result(site, change) == "SUCCESS"
    (told,) = review.said(site, change)
    assert "a-job-that-is-not-ours" not in told


def test_a_dependency_that_goes_on_meanwhile(site: Site, nonce: str) -> None:
    first = review.propose(site, PROJECT, page(f"{nonce}-first"))
    second = review.propose(site, PROJECT, page(f"{nonce}-second"), after=first)
    until(lambda: site.tenant(f"status/change/{second.name}"))
    again = review.amend(site, first, page(f"{nonce}-again"))
    assert review.result(site, second) == "DEQUEUED"
    assert review.said(site, second) == []
    assert review.result(site, again) == "SUCCESS"


def test_what_is_not_ours_or_not_ready(site: Site, nonce: str) -> None:
    kvm = review.propose(site, PROJECT, {"drivers/kvm/__init__.py": f'"""{nonce}"""\n'})
    draft = review.propose(site, PROJECT, page(f"{nonce}-draft"), options="%wip")
    private = review.propose(site, PROJECT, page(f"{nonce}-private"), options="%private")
    # Events come in their order: when this one's vote is there, those of the others have been dealt with.
    sentinel = review.propose(site, PROJECT, page(nonce))
    until(lambda: review.said(site, sentinel))
    until(lambda: review.idle(site))
    for change in (kvm, draft):
        assert review.said(site, change) == []
        assert review.buildsets(site, change) == []
    messages = site.change(private.number, "alice")["messages"]
    assert "xen-ci" not in {message.get("author", {}).get("username") for message in messages}
    assert review.buildsets(site, private) == []
    review.post(site, "alice", draft, "ready", {})
    until(lambda: review.said(site, draft))
    assert review.verified(site, draft) == 1
