"""What is on the node: the target branches as they are now, the change, and all that it depends on."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from tests.e2e import review
from tests.e2e.faults import until
from tests.e2e.reading import log, merged_tree
from xenci.demo.site import Site


def test_target_and_change_and_what_it_depends_on(site: Site, tmp_path: Path) -> None:
    nonce = secrets.token_hex(4)
    below = review.propose(site, "sandbox", {f"below-{nonce}.txt": "below\n"})
    # The target moves on: what is tested is no commit that anybody has pushed.
    other = review.propose(site, "sandbox", {f"other-{nonce}.txt": "other\n"})
    review.approve(site, other)
    until(lambda: review.status(site, other) == "MERGED")
    above = review.propose(site, "hypervisor-tools", {f"docs/{nonce}.md": f"# {nonce}\n"}, after=below)
    assert review.result(site, above) == "SUCCESS"
    (build,) = site.tenant(f"builds?change={above.number}")
    text = log(site, build, "job-output.txt").text
    on_the_node = dict(re.findall(r"src/\S+/(\S+): commit [0-9a-f]{40}, tree ([0-9a-f]{40})", text))
    for change in (above, below):
        merged = merged_tree(site, change.project, change.number, change.patchset, tmp_path / change.project)
        assert on_the_node[change.project] == merged
