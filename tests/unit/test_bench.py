"""The arithmetic of the bench: which moments count, and what follows from them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bench import plans, votes
from xenci.apply.screen import Screen

LOG = """\
2026-01-02 10:00:00.000000 | Job console starting
2026-01-02 10:00:01.500000 | Running Ansible setup
2026-01-02 10:00:04.000000 | PRE-RUN START: [trusted : example.org/infra/base/pre.yml@master]
2026-01-02 10:00:04.500000 | PLAY [Prepare]
2026-01-02 10:00:06.000000 | PRE-RUN END RESULT_NORMAL: [trusted : example.org/infra/base/pre.yml@master]
2026-01-02 10:00:06.100000 | RUN START: [trusted : example.org/infra/tests/run.yml@master]
2026-01-02 10:00:06.200000 | TASK [run_tests : Bring the program]
2026-01-02 10:00:06.250000 | TASK [run_tests : Run the tests]
2026-01-02 10:00:07.000000 | node | RUN END: what a job prints doesn't count
2026-01-02 10:00:08.250000 | RUN END RESULT_NORMAL: [trusted : example.org/infra/tests/run.yml@master]
2026-01-02 10:00:08.500000 | POST-RUN START: [trusted : example.org/infra/base/post.yml@master]
"""
TEN = 1767348000.0  # 10:00:00 of that day


def test_marks_of_a_build() -> None:
    assert votes.marks(LOG) == {"setup": TEN + 1.5, "pre": TEN + 4, "run": TEN + 6.25, "ran": TEN + 8.25}


def test_a_build_that_never_ran_has_no_times() -> None:
    with pytest.raises(votes.MeasureError, match="RUN END"):
        votes.marks(LOG[: LOG.index("2026-01-02 10:00:08.25")])


def test_what_counts_as_whose_time() -> None:
    moments = {"event": -5.0, "enqueued": -4.5, "node": -2.0, "start": -1.0, "end": 11.0, "vote": 12.5}
    one = votes.Measured(7, {**{k: TEN + v for k, v in moments.items()}, **votes.marks(LOG)}, 0.5)
    assert one.overhead == 17.5 - 12
    assert one.around == 17.5 - 2
    assert sum(one.segments.values()) == 17.5
    assert list(one.segments.values()) == [0.5, 2.5, 1.0, 2.5, 2.5, 2.25, 2.0, 2.75, 1.5]


@pytest.mark.parametrize(
    ("values", "p50", "p95"),
    [([3.0], 3.0, 3.0), ([1.0, 2.0], 1.5, 1.95), ([float(n) for n in range(21)], 10.0, 19.0)],
)
def test_percentiles(values: list[float], p50: float, p95: float) -> None:
    assert votes.percentiles(values) == pytest.approx((p50, p95))


def test_every_change_of_the_thirty_is_another(tmp_path: Path) -> None:
    seen = set()
    for group, variable, value in plans.CHANGES:
        plans.edit(tmp_path / group, variable, value)
        seen.add("".join(path.read_text() for path in sorted(tmp_path.rglob("*.yml"))))
    assert len(seen) == len(plans.CHANGES) == 30


@pytest.mark.parametrize(("not_planned", "status"), [([], 0), (["ci: zookeeper : service | Start it"], 1)])
def test_what_an_apply_did_beyond_its_plan_counts(not_planned: list[str], status: int) -> None:
    output = io.StringIO()
    one = plans.Compared("a change", planned=9, same=9, not_planned=not_planned, seconds=[1.0, 2.0])
    assert plans.tell([one], Screen(output)) == status
    assert ("done, not planned: ci: zookeeper" in output.getvalue()) == bool(not_planned)
