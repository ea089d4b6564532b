"""However an inventory is damaged, a check ends with messages and never with a traceback."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.unit.check.conftest import ROOT, copy
from xenci.check import report
from xenci.demo.lab import Lab

FILES = sorted(
    str(path.relative_to(ROOT / "inventories/demo")) for path in (ROOT / "inventories/demo").rglob("*.yml")
)
VALUES = st.sampled_from(
    """
    null|true|0|-1|1e999|[]|{}|[[1]]|{a: {b: c}}|'{{ x }}'|'{{ x'|'{% if %}'|'{{ 1 / 0 }}'|'{{ site_name }}'
    |!vault x|!unsafe '{{ x }}'|&a [*a]|2001-02-30|"\\0"|!!python/x y|<a decision>|
    """.strip().split("|")
)


@st.composite
def damages(draw: st.DrawFn) -> tuple[str, str, int, str]:
    """File, kind of damage, where in the file, and what comes in."""
    kind = draw(st.sampled_from(["value", "cut", "insert", "double", "indent"]))
    text = draw(VALUES) if kind == "value" else draw(st.text(max_size=20))
    return draw(st.sampled_from(FILES)), kind, draw(st.integers(0, 10**4)), text


def damaged(text: str, kind: str, where: int, new: str) -> str:
    """A text with one damage."""
    lines = text.splitlines()
    at = where % len(lines)
    if kind == "value":
        lines[at] = f"{lines[at].partition(':')[0]}: {new}"
    elif kind == "double":
        lines.insert(at, lines[at])
    elif kind == "indent":
        lines[at] = f" {lines[at]}"
    else:
        at = where % len(text)
        return text[:at] + (new + text[at:] if kind == "insert" else "")
    return "\n".join(lines)


# Shrinking takes many runs of seconds each: take a failing example apart by hand and keep it as an @example.
@settings(
    max_examples=8,
    deadline=None,
    # The same damages in every run of the tests; raise max_examples and take this away to look for more.
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@example(changes=[("group_vars/all/projects.yml", "cut", 20, "")])
@example(changes=[("group_vars/lab/ansible.yml", "value", 7777, "&a [*a]")])
@given(changes=st.lists(damages(), min_size=1, max_size=12))
def test_never_a_traceback(lab: Lab, changes: list[tuple[str, str, int, str]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        site = copy(Path(directory), lab)
        for name, kind, where, new in changes:
            text = (site.directory / name).read_text(encoding="utf-8", errors="replace")
            new_text = damaged(text or "-", kind, where, new)
            (site.directory / name).write_bytes(new_text.encode("utf-8", errors="surrogateescape"))
        result = site.check()
        for make in report.FORMATS.values():
            make(result, site.directory)
