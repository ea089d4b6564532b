"""`xenci render --check`: inventory and infra agree, or it is said where not."""

import pytest

from tests.zuul import layout


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    directory = tmp_path_factory.mktemp("rendered")
    assert layout.render(directory, site_thirdparty_mode="vote").returncode == 0
    return directory


def differs(directory, **variables) -> set[str]:
    """Files that disagree; the exit code says the same."""
    done = layout.render(directory, "--check", **variables)
    files = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("  differs:")}
    assert done.returncode == (1 if files else 0), done.stdout + done.stderr
    return files


PIPELINES, PROJECTS = "zuul.d/pipelines.yaml", "zuul.d/projects.yaml"


@pytest.mark.parametrize(
    ("changed", "files"),
    [
        ({}, set()),
        ({"site_thirdparty_mode": "comment"}, {PIPELINES, PROJECTS}),
        ({"site_contact": "https://wiki.example.org/ci"}, {PIPELINES}),
        ({"site_thirdparty_pipeline": "xen_check"}, {PIPELINES, PROJECTS}),
        ({"site_projects": [{"name": "infra", "check": [{"name": "noop"}]}]}, {PROJECTS}),
    ],
    ids=lambda value: "-".join(value) or "none",
)
def test_a_changed_inventory(rendered, changed, files):
    assert differs(rendered, **{"site_thirdparty_mode": "vote", **changed}) == files


def test_a_changed_infra(rendered):
    path = rendered / "infra" / PROJECTS
    before = path.read_text(encoding="utf-8")
    path.write_text(before + "# by hand\n", encoding="utf-8")
    assert differs(rendered, site_thirdparty_mode="vote") == {PROJECTS}
    path.write_text(before, encoding="utf-8")


def test_nothing_is_written_by_a_check(rendered):
    before = {path: path.read_bytes() for path in rendered.rglob("*.yaml")}
    differs(rendered, site_thirdparty_mode="silent")
    assert {path: path.read_bytes() for path in rendered.rglob("*.yaml")} == before


def test_a_file_that_can_not_be_written_is_named(tmp_path):
    # Ansible writes into a directory of that name; not where there is one more.
    path = tmp_path / "infra" / PIPELINES / "pipelines.yaml.j2"
    path.mkdir(parents=True)
    done = layout.render(tmp_path)
    assert done.returncode == 1
    assert str(path) in done.stderr


def test_a_project_without_jobs(tmp_path):
    projects = [{"name": name, "check": []} for name in layout.PROJECTS]
    assert layout.render(tmp_path, site_projects=projects).returncode == 0
    site = layout.Site(tmp_path / "infra")
    assert site.errors == []
    assert site.jobs("check", "hypervisor-tools", ["README.md"]) == set()


def test_a_word_that_is_no_mode(tmp_path):
    done = layout.render(tmp_path, site_thirdparty_mode="loud")
    assert done.returncode == 1
    assert "silent, sandbox, comment, vote" in done.stderr
    assert not (tmp_path / "infra" / PIPELINES).exists()
