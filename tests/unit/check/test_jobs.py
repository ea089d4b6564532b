"""Names of jobs and projects: what the inventory runs and what a checkout of infra defines."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit.check.conftest import ROOT, Site
from xenci.check import check, jobs, report
from xenci.demo import seed

INFRA = ROOT / "infra"


@pytest.fixture
def infra(tmp_path: Path) -> Path:
    seed.skeleton(tmp_path / "infra", ROOT)
    return tmp_path / "infra"


def said(site: Site, *infra: Path) -> list[str]:
    result = check(site.sources, ROOT, site.lab.vault_password, infra)
    return report.text(result, site.directory.parent).splitlines()


def test_the_demo_runs_what_its_infra_defines(site: Site) -> None:
    assert said(site, *seed.infra(ROOT)) == []
    assert {name for name in jobs.read([INFRA]).names if name != "noop"} >= {"base", "project-tests"}


def test_what_an_operator_copies_has_nothing_of_the_demo() -> None:
    assert jobs.read([ROOT / "demo/infra"]).names > {jobs.OWN}
    for path in filter(Path.is_file, INFRA.rglob("*")):
        assert "hypervisor-tools" not in path.read_text(encoding="utf-8"), path


def test_a_job_that_nobody_defines(site: Site, infra: Path) -> None:
    path = site.directory / "group_vars/all/projects.yml"
    text = path.read_text(encoding="utf-8").replace("project-tests", "projekt-tests", 1)
    path.write_text(text, encoding="utf-8")
    line = next(n for n, each in enumerate(text.splitlines(), 1) if "projekt-tests" in each)
    (told,) = said(site, infra)
    assert told == (
        f"inventory/group_vars/all/projects.yml:{line}: site_projects runs projekt-tests, which is no job of "
        f"{infra}: did you mean project-tests?"
    )


def test_a_job_of_another_checkout_counts(site: Site, infra: Path, tmp_path: Path) -> None:
    (infra / "zuul.d/jobs.yaml").write_text("- job: {name: base}\n", encoding="utf-8")
    assert len(said(site, infra)) >= 2
    library = tmp_path / "library"
    seed.skeleton(library, ROOT)
    (library / "zuul.d").rename(library / ".zuul.d")
    assert said(site, infra, library) == []


def test_a_project_that_zuul_does_not_read(site: Site, infra: Path) -> None:
    with (infra / "zuul.d/jobs.yaml").open("a", encoding="utf-8") as file:
        file.write("- job: {name: both, required-projects: [sandbox, {name: hypervisor-tolls}]}\n")
    (told,) = said(site, infra)
    assert told.startswith("infra/zuul.d/jobs.yaml:")
    assert "the job both requires hypervisor-tolls, which Zuul does not read: did you mean" in told


def test_a_file_that_zuul_cannot_read(site: Site, infra: Path) -> None:
    (infra / "zuul.d/jobs.yaml").write_text("- job: [\n", encoding="utf-8")
    (told,) = said(site, infra)
    assert told == "infra/zuul.d/jobs.yaml:2: is no YAML that Zuul can read: correct it"


def test_secrets_of_zuuls_are_no_obstacle(site: Site, infra: Path) -> None:
    text = "- secret:\n    name: key\n    data:\n      key: !encrypted/pkcs1-oaep\n        - c2VjcmV0\n"
    (infra / "zuul.d/secrets.yaml").write_text(text, encoding="utf-8")
    assert said(site, infra) == []


def test_the_repository_that_the_inventory_lies_in(site: Site, infra: Path) -> None:
    shutil.copytree(site.directory, infra / "inventory")
    assert jobs.near([infra / "inventory"]) == [infra]
    assert jobs.near([site.directory]) == []
    (infra / "zuul.d/jobs.yaml").write_text("- job: {name: base}\n", encoding="utf-8")
    result = check([infra / "inventory", site.lab.inventory], ROOT, site.lab.vault_password)
    assert "which is no job of" in report.text(result, infra)


def test_a_playbook_that_is_not_there(site: Site, infra: Path) -> None:
    with (infra / "zuul.d/jobs.yaml").open("a", encoding="utf-8") as file:
        file.write(
            "- job:\n"
            "    name: one\n"
            "    pre-run: playbooks/base/pre\n"
            "    run: [playbooks/base/pre.yml, {name: playbooks/base/prae.yml}]\n"
            "    post-run: playbooks/nothing-like-it.yml\n"
        )
    first, second = said(site, infra)
    assert (
        "the job one runs playbooks/base/prae.yml, which is not there: did you mean playbooks/base/pre.yml?"
        in first
    )
    assert (
        "the job one runs playbooks/nothing-like-it.yml, which is not there: make the playbook, or" in second
    )


def test_a_secret_that_is_not_there(site: Site, infra: Path) -> None:
    (infra / "zuul.d/more.yaml").write_text(
        "- secret: {name: there, data: {key: !encrypted/pkcs1-oaep abc}}\n"
        "- job: {name: one, secrets: [there, {name: key, secret: elsewhere}]}\n",
        encoding="utf-8",
    )
    (told,) = said(site, infra)
    assert told.startswith(
        "infra/zuul.d/more.yaml:2: the job one uses the secret elsewhere, which is not there"
    )


def test_what_a_job_requires_is_ours(site: Site) -> None:
    path = site.directory / "group_vars/all/projects.yml"
    text = path.read_text(encoding="utf-8").replace("[xenci]", "[hypervisor-tools]", 1)
    path.write_text(text, encoding="utf-8")
    (told,) = said(site, *seed.infra(ROOT))
    assert (
        "site_projects requires hypervisor-tools for jobs: name projects of site_config_projects or" in told
    )
