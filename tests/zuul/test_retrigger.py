"""Which comments run the jobs again: Zuul's own event filters, made of the rendered pipelines."""

import re
import subprocess
import sys

import pytest

from tests.zuul import layout

CALLS = [
    "recheck",
    "recheck bug 1",
    "Recheck",
    "RECHECK",
    "recheck: the mirror was down",
    "recheck, please",
    "recheck.",
    "recheck\n\nIt was the network.",
    "  recheck",
    "\n\nrecheck\n",
    "run xen-ci",
    "Run Xen-CI",
    "run xen-ci once more",
]
OTHERS = [
    "please recheck",
    "I ran recheck",
    "don't recheck",
    "rechecked",
    "rechecking this",
    "recheck-hyperv",
    "recheck_all",
    "xenproject: recheck",
    "run kvm-ci",
    "run xen-ci-2",
    "run xen-cinder",
    "run xen.ci",
    "run",
    "xen-ci",
    "rerun xen-ci",
    "run  xen-ci",
    "To run again, comment `recheck`",
    "Build failed (check pipeline).\n\nrecheck",
    "> recheck\n\nWhy?",
    "",
]
# What Gerrit writes before a comment.
HEADS = ["{}", "Patch Set 1:\n\n{}", "Patch Set 12: Code-Review+1\n\n{}", "Patch Set 1: -Verified\n\n{}"]
HEADS += ["Patch Set 1:\n\n(1 comment)\n\n{}", "Patch Set 3: Verified-1 Code-Review-2\n\n(12 comments)\n\n{}"]
PIPELINES = ("check", "sandbox", "own_check", "gate")


def runs(site, pipeline: str, event) -> bool:
    """Whether one of the pipeline's filters lets the event in."""
    change = site.change("hypervisor-tools", ["README.md"])
    return any(filter_.matches(event, change) for filter_ in site.pipeline(pipeline).event_filters)


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("text", CALLS)
def test_a_call(site, pipeline, head, text):
    assert runs(site("vote"), pipeline, layout.comment(head.format(text)))


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("text", OTHERS)
def test_no_call(site, pipeline, head, text):
    assert not runs(site("vote"), pipeline, layout.comment(head.format(text)))


@pytest.mark.parametrize("text", CALLS)
def test_a_call_in_a_comment_on_the_patch_set(site, text):
    assert runs(site("vote"), "check", layout.comment(text, inline=True))


@pytest.mark.parametrize("text", OTHERS)
def test_no_call_in_a_comment_on_the_patch_set(site, text):
    assert not runs(site("vote"), "check", layout.comment(text, inline=True))


def test_our_own_comments_call_nobody(site):
    for pipeline, project in (("check", "hypervisor-tools"), ("own_check", "infra"), ("gate", "xenci")):
        for result in ("SUCCESS", "FAILURE"):
            (told,) = site("vote").said(pipeline, project, layout.ended(result))
            for head in HEADS:
                assert not runs(site("vote"), pipeline, layout.comment(head.format(told.text)))


def test_the_word_is_the_accounts_name_and_no_expression(tmp_path):
    assert layout.render(tmp_path, site_ci_account="Xen_1.ci").returncode == 0
    site = layout.Site(tmp_path / "infra")
    assert site.errors == []
    assert runs(site, "check", layout.comment("run Xen_1.ci"))
    for other in ("Xen_1xci", "Xen_1.ci.org", "Xen_1.ci2", "xen-ci"):
        assert not runs(site, "check", layout.comment(f"run {other}"))


def test_votes_that_open_the_gate(site):
    for event in (
        layout.comment("Patch Set 1: Workflow+1", Workflow=(1, 0)),
        layout.comment("Patch Set 1: Code-Review+2", Code_Review=(2, 0), Workflow=(1, 1)),
    ):
        assert runs(site("vote"), "gate", event)
        assert not runs(site("vote"), "own_check", event)
    for event in (
        layout.comment("Patch Set 1:", Workflow=(-1, 0)),
        layout.comment("Patch Set 1:", Code_Review=(1, 0)),
        # A comment of somebody whose vote stands already.
        layout.comment("Patch Set 1:\n\nfine", Workflow=(1, 1)),
    ):
        assert not runs(site("vote"), "gate", event)


@pytest.mark.parametrize("kind", ["patchset-created", "change-restored", "wip-state-changed"])
def test_events_that_start_tests(site, kind):
    event = layout.comment("")
    event.type = kind
    for pipeline in ("check", "sandbox", "own_check"):
        assert runs(site("vote"), pipeline, event)
    assert not runs(site("vote"), "gate", event)


def expressions(site) -> set[str]:
    """Every expression for comments that is rendered."""
    return {
        trigger["comment"]
        for stanza in site.stanzas
        if "pipeline" in stanza
        for trigger in stanza["pipeline"]["trigger"].get("gerrit", [])
        if "comment" in trigger
    }


HOSTILE = [
    "Patch Set 1:" + " a" * 100_000 + "!",
    "Patch Set 1:" + " +-" * 100_000,
    "Patch Set 1: " + "a" * 200_000 + "\n",
    "Patch Set 1:" + " \n" * 100_000 + "x",
    " " * 200_000 + "x",
    "(1 comment) " * 20_000,
    "recheck" * 30_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:16].strip())
def test_a_hostile_comment_does_not_hold_the_scheduler_up(site, text):
    (expression,) = expressions(site("vote"))
    # Zuul falls back to Python's engine where RE2 refuses an expression: neither may go back and forth. In a
    # process of its own, since a search can't be interrupted; a bad expression would take years.
    program = "import re, sys; sys.exit(bool(re.search(sys.argv[1], sys.stdin.read())))"
    done = subprocess.run(
        [sys.executable, "-c", program, expression], input=text, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert not runs(site("vote"), "check", layout.comment(text))


def test_re2_reads_the_expression(site):
    for filter_ in site("vote").pipeline("check").event_filters:
        for expression in filter_.comments:
            assert not expression.re2_failure
            assert not isinstance(expression.re, re.Pattern)
