"""What is rendered for a bastion, as Zuul reads it: who starts what, and who gets near the key."""

import pytest
import yaml
from zuul.model import JobConfigurationError

from tests.zuul import layout

INFRA = f"{layout.HOST}/infra"
JOBS = {"plan": "infra-plan", "deploy": "infra-deploy", "periodic": "infra-drift"}


@pytest.fixture
def bastion(site):
    """The demo, which has one."""
    return site("vote")


def test_zuul_loads_it(bastion):
    assert bastion.errors == []


def test_without_a_bastion_there_is_none_of_it(tmp_path):
    done = layout.render(tmp_path, groups=layout.NO_BASTION)
    assert done.returncode == 0, done.stdout + done.stderr
    without = layout.Site(tmp_path / "infra")
    assert without.errors == []
    assert "bastion.yaml" not in without.files
    assert not set(JOBS) & set(without.layout.pipeline_managers)
    assert "Planned" not in without.files["pipelines.yaml"]


def test_a_bastion_that_is_gone_leaves_nothing(tmp_path):
    assert layout.render(tmp_path).returncode == 0
    assert (tmp_path / "infra/playbooks/bastion/site.yml").exists()
    check = layout.render(tmp_path, "--check", groups=layout.NO_BASTION)
    assert check.returncode == 1
    assert "differs: zuul.d/bastion.yaml" in check.stdout
    assert layout.render(tmp_path, groups=layout.NO_BASTION).returncode == 0
    assert not (tmp_path / "infra/zuul.d/bastion.yaml").exists()
    assert not (tmp_path / "infra/playbooks/bastion/site.yml").exists()


def test_the_job_knows_the_bastions_key(tmp_path):
    assert layout.render(tmp_path).returncode == 0
    known = yaml.safe_load((tmp_path / "infra/playbooks/bastion/site.yml").read_text(encoding="utf-8"))
    assert known["site_bastion_address"] == "10.201.0.45"
    assert known["site_bastion_host_key"] == layout.KEY


@pytest.mark.parametrize(
    ("groups", "variables", "says"),
    [
        ({"bastion": {"hosts": {"bastion1": {"site_host_key": ""}}}}, {}, "give the bastion's SSH host key"),
        ({}, {"infra_config_drift_time": "hourly"}, "give minute, hour, day"),
    ],
)
def test_bad_input_is_refused(tmp_path, groups, variables, says):
    done = layout.render(tmp_path, groups=groups, **variables)
    assert done.returncode == 1
    assert says in done.stderr


@pytest.mark.parametrize(("pipeline", "job"), JOBS.items())
def test_who_gets_near_the_key(bastion, pipeline, job):
    (variant,) = bastion.layout.jobs[job]
    assert variant.post_review is True
    assert variant.final is True
    assert variant.allowed_projects == frozenset({INFRA})
    assert [use.name for use in variant.secrets] == ["bastion-key"]
    assert not variant.nodeset.nodes
    assert [semaphore.name for semaphore in variant.semaphores] == ["bastion"]
    assert bastion.pipeline(pipeline).post_review is True
    (playbook,) = variant.run
    assert playbook.path == f"playbooks/bastion/{job.removeprefix('infra-')}.yml"


def test_one_at_a_time(bastion):
    assert bastion.layout.getSemaphore(None, "bastion").max == 1
    assert bastion.layout.pipeline_managers["deploy"].type == "serial"


@pytest.mark.parametrize(("pipeline", "job"), [("plan", "infra-plan"), ("deploy", "infra-deploy")])
def test_only_infra_is_planned_and_applied(bastion, pipeline, job):
    assert bastion.jobs(pipeline, "infra", ["inventory/hosts.yml"]) == {job}
    for project in ("xenci", "sandbox", "hypervisor-tools"):
        assert bastion.jobs(pipeline, project, ["inventory/hosts.yml"]) is None


@pytest.mark.parametrize("pipeline", ["own_check", "gate"])
def test_a_change_to_infra_is_linted_with_the_library(bastion, pipeline):
    assert bastion.jobs(pipeline, "infra", ["inventory/hosts.yml"]) == {"infra-lint"}
    with bastion.item(pipeline, "infra", ["inventory/hosts.yml"]) as item:
        (job,) = item.getJobs()
        assert set(job.required_projects) == {f"{layout.HOST}/xenci"}
        # Nobody has read it yet: nothing secret is near.
        assert not any(playbook["secrets"] for playbook in job.run)


def test_nobody_else_can_run_them(bastion, tmp_path):
    """Not in a check of infra, not in another project, not as a job of their own that builds on them."""
    (tmp_path / "zuul.d").mkdir()
    for name, text in bastion.files.items():
        (tmp_path / "zuul.d" / name).write_text(text, encoding="utf-8")
    (tmp_path / "zuul.d/wrong.yaml").write_text(
        f"- project: {{name: {layout.HOST}/sandbox, sandbox: {{jobs: [infra-plan]}}}}\n"
        f"- project: {{name: {INFRA}, own_check: {{jobs: [infra-plan]}}}}\n"
        "- job: {name: mine, parent: infra-plan, run: playbooks/base/pre.yml}\n"
        f"- project: {{name: {INFRA}, plan: {{jobs: [mine]}}}}\n",
        encoding="utf-8",
    )
    made = layout.Site(tmp_path)
    for pipeline, project in (("sandbox", "sandbox"), ("own_check", "infra")):
        with pytest.raises(JobConfigurationError, match="does not allow post-review job infra-plan"):
            made.jobs(pipeline, project, ["README.md"])
    with pytest.raises(JobConfigurationError, match="Unable to modify final job"):
        made.jobs("plan", "infra", ["README.md"])


@pytest.mark.parametrize(
    ("votes", "pipelines"),
    [
        ({"Allow_Plan": (1, 0)}, {"plan"}),
        ({"Allow_Plan": (-1, 0)}, set()),
        ({"Allow_Plan": (0, 1)}, set()),
        ({"Planned": (1, 0)}, {"gate"}),
        ({"Planned": (-1, 0)}, set()),
        ({"Workflow": (1, 0)}, {"gate"}),
        # It was given before; another vote does not repeat it.
        ({"Code_Review": (1, 0), "Allow_Plan": (1, 1)}, set()),
    ],
)
def test_which_vote_starts_what(bastion, votes, pipelines):
    event, change = layout.comment("Patch Set 1: a vote", **votes), bastion.change("infra", ["README.md"])
    started = {
        name
        for name in ("plan", "gate", "deploy", "periodic")
        if any(filter_.matches(event, change) for filter_ in bastion.pipeline(name).event_filters)
    }
    assert started == pipelines


@pytest.mark.parametrize(
    ("expression", "merges"),
    [
        # The gate's own vote is still to come; the bastion's must be there.
        ("label:Verified=MAX AND -label:Verified=MIN", True),
        ("label:Planned=MAX AND -label:Planned=MIN AND -label:Allow-Plan=MIN", False),
    ],
)
def test_the_gate_waits_for_the_plan(bastion, expression, merges):
    """As Gerrit tells it: a submit requirement of infra alone, so that other projects' gate is as ever."""
    change = bastion.change("infra", ["README.md"])
    change.open, change.wip, change.missing_labels = True, False, set()
    change.submit_requirements = [
        {"status": "UNSATISFIED", "submittability_expression_result": {"expression": expression}}
    ]
    needs = bastion.layout.pipeline_managers["gate"].getSubmitAllowNeeds(change)
    assert bool(bastion.gerrit.canMerge(change, needs)) is merges


@pytest.mark.parametrize("pipeline", ["plan", "deploy"])
def test_the_bastion_speaks_and_zuul_only_where_it_can_not(bastion, pipeline):
    assert bastion.said(pipeline, "infra", layout.ended("SUCCESS")) == []
    (told,) = bastion.said(pipeline, "infra", layout.ended("FAILURE"))
    assert told.labels == {}
    assert not told.submit
    assert f"({pipeline} pipeline)" in told.text.splitlines()[0]


def test_no_request_is_left_without_a_word(bastion):
    """Zuul would be silent about a change that is not current, or work in progress; the bastion is not."""
    change = bastion.change("infra", ["README.md"])
    change.open, change.is_current_patchset, change.wip, change.approvals = True, False, True, []
    assert all(filter_.matches(change) for filter_ in bastion.pipeline("plan").ref_filters)


def test_a_merge_starts_the_deploy(bastion):
    event = layout.comment("")
    event.type = "change-merged"
    change = bastion.change("infra", ["README.md"])
    for name, starts in (("deploy", True), ("plan", False), ("gate", False)):
        assert any(one.matches(event, change) for one in bastion.pipeline(name).event_filters) is starts
