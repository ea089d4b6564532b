"""One word moves the CI up the ladder; Zuul's own pages always have the result."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest

from tests.e2e import review
from xenci.apply.screen import Screen
from xenci.demo import commands, seed
from xenci.demo.site import Site
from xenci.files import write


@pytest.fixture(scope="module")
def in_mode(site: Site) -> Iterator[Callable[[str], None]]:
    """`in_mode(word)` changes the inventory, and infra with it; the demo's own word comes back at the end."""
    file = site.lab.inventory / "group_vars/all/mode.yml"

    def follow() -> None:
        seed.stage(site)
        if seed.follow(commands.desk(site, "admin"), ["infra"]):
            commands.play(site.lab, Screen(), "playbooks/operate_full_reconfigure.yml", "the new mode")

    def change(mode: str) -> None:
        write(file, f"---\nsite_thirdparty_mode: {mode}\n")
        follow()

    with pytest.MonkeyPatch.context() as patch:
        for name, value in site.lab.environment.items():
            patch.setenv(name, value)
        yield change
        file.unlink()
        follow()


@pytest.mark.parametrize(
    ("mode", "upstream", "sandbox"),
    [
        ("silent", None, None),
        ("sandbox", None, 1),
        ("comment", 0, 1),
        ("vote", 1, 1),
    ],
)
def test_the_ladder(
    site: Site, in_mode: Callable[[str], None], mode: str, upstream: int | None, sandbox: int | None
) -> None:
    """None is no comment, 0 a comment without a vote."""
    in_mode(mode)
    nonce = secrets.token_hex(4)
    changes = {
        review.propose(site, "hypervisor-tools", {f"docs/{nonce}.md": f"# {nonce}\n"}): upstream,
        review.propose(site, "sandbox", {f"{nonce}.txt": f"{nonce}\n"}): sandbox,
    }
    # Zuul reports before it stores the end of a buildset: what has not been said by then is not said at all.
    assert [review.result(site, change) for change in changes] == ["SUCCESS", "SUCCESS"]
    for change, wanted in changes.items():
        assert len(review.said(site, change)) == (0 if wanted is None else 1), (mode, change)
        assert review.verified(site, change) == (wanted or 0), (mode, change)
