"""Rules for roles that no linter knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.policy.repository import ROOT, files, load, roles

STAGES = ["preflight.yml", "install.yml", "configure.yml", "service.yml"]

# Roles without a scenario of their own, and what runs them instead.
NO_SCENARIO = {
    "golden_image": "tests/golden_image builds what it builds, and tests/xen boots it on a Xen host",
    "healthcheck": "asks a whole site; tests/e2e/test_operate.py does, healthy and not",
    "infra_config": "renders on the controller what the Zuul of every demo loads",
    "nginx": "runs in the scenarios of log_server and zuul_web",
    "lab_hosts": "makes the hosts of every scenario",
    "python_venv": "runs in the scenario of every service that is made of Python packages",
    "site": "only asserts; tests/unit/check breaks its rules",
    "xen_host": "needs a machine that boots Xen: tests/xen makes one of it",
    "xenci_package": "runs in the scenario of every service that is made of our package",
    "zuul_common": "runs in the scenarios of the Zuul services",
}

# What the names of a role's inputs begin with, where it is not the role's own name.
PREFIX = {"lab_hosts": "lab_"}

every_role = pytest.mark.parametrize("role", roles(), ids=lambda role: role.name)


def options(role: Path) -> dict[str, dict[str, Any]]:
    """Options of all entry points of a role."""
    found: dict[str, dict[str, Any]] = {}
    for entry in load(role / "meta/argument_specs.yml")["argument_specs"].values():
        found |= entry.get("options") or {}
    return found


@every_role
def test_role_has_argument_specs(role: Path) -> None:
    for name, option in options(role).items():
        prefix = PREFIX.get(role.name, f"{role.name}_")
        assert name.startswith(prefix), f"{name} lacks the prefix {prefix}"
        assert option.get("description"), f"{name} has no description"
        assert option.get("type"), f"{name} has no type"


@every_role
def test_defaults_and_specs_agree(role: Path) -> None:
    specified = options(role)
    path = role / "defaults/main.yml"
    defaults = (load(path) if path.exists() else None) or {}
    assert set(defaults) <= set(specified), "defaults that no spec names"
    assert not {name for name in defaults if specified[name].get("required")}, "required, but with a default"
    missing = {name for name, option in specified.items() if "default" in option} - set(defaults)
    assert not missing, f"defaults/main.yml lacks what the specs call a default: {sorted(missing)}"
    for name, value in defaults.items():
        computed = isinstance(value, str) and "{{" in value
        if not computed and "default" in specified[name]:
            assert specified[name]["default"] == value, f"{name}: spec and defaults/main.yml differ"


@every_role
def test_registered_variables_carry_the_role(role: Path) -> None:
    for path in files():
        if role / "tasks" in path.parents and path.suffix == ".yml":
            for task in load(path) or []:
                register = task.get("register", f"__{role.name}_")
                assert register.startswith(f"__{role.name}_"), f"{path}: register {register}"


@every_role
def test_task_names_say_their_stage(role: Path) -> None:
    for stage in STAGES:
        path = role / "tasks" / stage
        for task in load(path) or [] if path.exists() else []:
            assert task["name"].startswith(f"{stage.removesuffix('.yml')} | "), f"{path}: {task['name']}"


@every_role
def test_assertions_say_what_is_wrong_and_how_to_mend_it(role: Path) -> None:
    for task in load(role / "tasks/preflight.yml"):
        if "ansible.builtin.assert" in task:
            what, colon, fix = task["ansible.builtin.assert"]["fail_msg"].partition(": ")
            assert what, f"{role.name}: {task['name']}"
            assert colon, f"{role.name}: {task['name']}: write it as 'what is wrong: what to do'"
            assert fix, f"{role.name}: {task['name']}"


@every_role
def test_roles_never_name_groups(role: Path) -> None:
    for path in files():
        if role in path.parents and path.suffix in (".yml", ".j2"):
            assert "groups[" not in path.read_text(encoding="utf-8"), (
                f"{path}: make it an input, a list of hosts"
            )


@every_role
def test_role_has_a_scenario(role: Path) -> None:
    scenario = ROOT / "molecule" / role.name / "converge.yml"
    if role.name in NO_SCENARIO:
        assert not scenario.exists(), f"{role.name} has a scenario now: take it off the list"
        return
    assert scenario.exists(), f"no molecule/{role.name}/converge.yml"
    for playbook in load(scenario):
        assert "ansible.builtin.import_playbook" in playbook, "converge imports the playbooks of production"
    assert (ROOT / "tests/testinfra" / f"test_{role.name}.py").exists()


def test_scenarios_can_run_side_by_side() -> None:
    hosts: dict[int, str] = {}
    for path in files():
        if path.match("molecule/*/hosts.yml") and "lab" in load(path)["all"]["children"]:
            for host, values in load(path)["all"]["children"]["lab"]["hosts"].items():
                other = hosts.setdefault(values["lab_address"], host)
                assert other == host, f"{path}: {host} has the address of {other}"


def test_what_playbooks_read_of_the_site_is_specified() -> None:
    read = {
        word
        for path in files()
        if path.match("playbooks/*.yml") or path.match("playbooks/vars/*.yml")
        for word in re.findall(r"\bsite_\w+", path.read_text(encoding="utf-8"))
    }
    assert sorted(read - set(options(ROOT / "roles/site"))) == []


def test_site_only_imports() -> None:
    for play in load(ROOT / "playbooks/site.yml"):
        assert set(play) <= {"name", "ansible.builtin.import_playbook"}


def test_configure_playbooks_hold_roles_and_are_in_site() -> None:
    there = [path for path in files() if path.match("playbooks/configure_*.yml")]
    for path in there:
        for play in load(path):
            assert not {"tasks", "pre_tasks", "post_tasks"} & set(play), f"{path}: tasks belong into a role"
    imported = [play["ansible.builtin.import_playbook"] for play in load(ROOT / "playbooks/site.yml")]
    assert sorted(imported) == [path.name for path in there]
