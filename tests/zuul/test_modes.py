"""Each mode, as Zuul reads and speaks it: what upstream, sandbox and own projects are told, and when not."""

import re

import pytest

from tests.zuul import layout

MODES = ("silent", "sandbox", "comment", "vote")
UPSTREAM, SANDBOX, OWN = ("check", "hypervisor-tools"), ("sandbox", "sandbox"), ("own_check", "infra")
# What a change hears of failed jobs: None for nothing, else the labels.
LADDER = {
    ("silent", UPSTREAM): None,
    ("silent", SANDBOX): None,
    ("silent", OWN): {"Verified": -1},
    ("sandbox", UPSTREAM): None,
    ("sandbox", SANDBOX): {"Verified": -1},
    ("sandbox", OWN): {"Verified": -1},
    ("comment", UPSTREAM): {},
    ("comment", SANDBOX): {"Verified": -1},
    ("comment", OWN): {"Verified": -1},
    ("vote", UPSTREAM): {"Verified": -1},
    ("vote", SANDBOX): {"Verified": -1},
    ("vote", OWN): {"Verified": -1},
}
every_mode = pytest.mark.parametrize("mode", MODES)

# How a CI summary in Gerrit's web interface reads a comment.
STATUS = re.compile(r"^Build (?P<status>\w+) \((?P<pipeline>\w+) pipeline\)\.", re.MULTILINE)
LINE = re.compile(r"^- (?P<job>\S+) (?P<url>https://\S+) : (?P<result>\S+) in (?P<time>.+)$", re.MULTILINE)


@every_mode
def test_zuul_loads_it_without_an_error_or_a_warning(site, mode):
    assert site(mode).errors == []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("    success-mesage: x\n", "extra keys not allowed"),
        ("    success: {gerit: {}}\n", "extra keys not allowed"),
        ("    supercedes: nothing\n", "unknown pipeline"),
    ],
)
def test_zuul_refuses_what_is_wrong(site, tmp_path, wrong, says):
    (tmp_path / "zuul.d").mkdir()
    for name, text in site("vote").files.items():
        if name == "pipelines.yaml":
            text = text.replace("    manager: independent\n", f"    manager: independent\n{wrong}", 1)
            text = re.sub(r"    success:\n      gerrit:\n        Verified: 1\n", "", text, count=1)
        (tmp_path / "zuul.d" / name).write_text(text, encoding="utf-8")
    assert says in "".join(layout.Site(tmp_path).errors)


@pytest.mark.parametrize(("mode", "where"), LADDER, ids=lambda part: part if part in MODES else part[0])
def test_the_ladder(site, mode, where):
    failed, succeeded = (site(mode).said(*where, layout.ended(result)) for result in ("FAILURE", "SUCCESS"))
    labels = LADDER[mode, where]
    if labels is None:
        assert failed == succeeded == []
    else:
        assert [told.labels for told in failed] == [labels]
        assert [told.labels for told in succeeded] == [{name: -value for name, value in labels.items()}]
        assert not failed[0].submit
        assert not succeeded[0].submit


def needed(item):
    """A dependency got a new patch set while the jobs ran."""
    item.setDequeuedNeedingChange("Change https://review.demo.test/1 is needed.")


def requirements(item):
    """The change no longer meets the pipeline's requirements."""
    item.setDequeuedMissingRequirements()


def conflict(item):
    """The change can't be merged into its branch."""
    item.setUnableToMerge()


def broken(item):
    """Its .zuul.yaml can't be read."""
    item.setConfigError("syntax error in .zuul.yaml")


def circle(item):
    """Changes depend on each other: reported before any job is known."""
    item.manager._reportItem = lambda item, *_: item.manager.sendReport(
        item.manager.pipeline.failure_actions, item
    )
    item.current_build_set.updateAttributes(item.manager.current_context, job_graph=None)


DUE = [needed, requirements, conflict, broken, circle]


@every_mode
@pytest.mark.parametrize("outcome", DUE, ids=lambda outcome: outcome.__name__)
@pytest.mark.parametrize("where", [UPSTREAM, SANDBOX], ids=lambda where: where[0])
def test_a_third_party_is_silent(site, mode, where, outcome, monkeypatch):
    # Restored afterwards: one of the outcomes changes it.
    manager = site(mode).layout.pipeline_managers[where[0]]
    monkeypatch.setattr(manager, "_reportItem", manager._reportItem)
    assert site(mode).said(*where, outcome) == []


@pytest.mark.parametrize("outcome", DUE, ids=lambda outcome: outcome.__name__)
@pytest.mark.parametrize("where", [OWN, ("gate", "xenci")], ids=lambda where: where[0])
def test_our_own_people_are_told(site, where, outcome, monkeypatch):
    manager = site("silent").layout.pipeline_managers[where[0]]
    monkeypatch.setattr(manager, "_reportItem", manager._reportItem)
    (told,) = site("silent").said(*where, outcome)
    assert told.labels == {"Verified": -1}
    assert not told.submit


@every_mode
def test_nobody_hears_that_jobs_start_but_the_gates_people(site, mode):
    for name in ("check", "sandbox", "own_check"):
        pipeline = site(mode).pipeline(name)
        for actions in ("start", "enqueue", "no_jobs", "dequeue", "disabled"):
            assert getattr(pipeline, f"{actions}_actions") == [], (name, actions)
    assert site(mode).pipeline("gate").start_actions


@every_mode
def test_who_is_where(site, mode):
    where = {
        stanza["project"]["name"].removeprefix(f"{layout.HOST}/"): set(stanza["project"]) - {"name", "queue"}
        for stanza in site(mode).stanzas
        if "project" in stanza
    }
    assert where == {
        "infra": {"own_check", "gate", "plan", "deploy", "periodic"},
        "xenci": {"own_check", "gate"},
        # A gate speaks.
        "sandbox": {"sandbox"} if mode == "silent" else {"sandbox", "gate"},
        "hypervisor-tools": {"check"},
    }


@pytest.mark.parametrize(
    ("where", "result", "status"),
    [
        (UPSTREAM, "SUCCESS", "succeeded"),
        (UPSTREAM, "FAILURE", "failed"),
        (SANDBOX, "SUCCESS", "succeeded"),
        (("gate", "sandbox"), "SUCCESS", "succeeded"),
        (("gate", "sandbox"), "FAILURE", "failed"),
    ],
)
def test_the_comment_is_what_summaries_parse(site, where, result, status):
    (told,) = site("vote").said(*where, layout.ended(result))
    first = told.text.splitlines()[0]
    assert STATUS.match(first).groupdict() == {"status": status, "pipeline": where[0]}
    (line,) = LINE.finditer(told.text)
    assert (line["result"], line["time"]) == (result, "1m 05s")
    # The page of the CI itself, and how to call it again.
    assert "https://10.201.0.20/t/xenci/jobs" in told.text
    assert "recheck" in told.text


def test_the_pipeline_may_have_another_name(tmp_path):
    done = layout.render(tmp_path, site_thirdparty_mode="vote", site_thirdparty_pipeline="xen_check")
    assert done.returncode == 0, done.stderr
    site = layout.Site(tmp_path / "infra")
    assert site.errors == []
    (told,) = site.said("xen_check", "hypervisor-tools", layout.ended("SUCCESS"))
    assert told.text.startswith("Build succeeded (xen_check pipeline).")


def admits(pipeline, change):
    return all(filter_.matches(change) for filter_ in pipeline.ref_filters)


@pytest.mark.parametrize("name", ["check", "sandbox", "own_check"])
@pytest.mark.parametrize(("unfit", "value"), [("open", False), ("is_current_patchset", False), ("wip", True)])
def test_what_is_tested_at_all(site, name, unfit, value):
    change = site("vote").change("hypervisor-tools", ["README.md"])
    change.open, change.is_current_patchset, change.wip, change.approvals = True, True, False, []
    pipeline = site("vote").pipeline(name)
    assert admits(pipeline, change)
    setattr(change, unfit, value)
    assert not admits(pipeline, change)
