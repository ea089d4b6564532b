"""What is generated for a lab, who may work on it, and when it has to be applied again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from xenci.demo import hosts, secrets, state
from xenci.demo.lab import Lab
from xenci.files import write
from xenci.secrets import password, public_key

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab("test", tmp_path)


def everything(lab: Lab) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in lab.directory.rglob("*") if path.is_file()}


def test_secrets_are_made_once_and_kept(lab: Lab) -> None:
    assert secrets.ensure(lab, "10.9.0.0/24")
    before = everything(lab)
    assert not secrets.ensure(lab, "10.8.0.0/24")
    assert everything(lab) == before
    assert secrets.settings(lab)["lab_hosts_subnet"] == "10.9.0.0/24"


def test_every_secret_is_there_and_none_in_clear(lab: Lab) -> None:
    secrets.ensure(lab, "10.9.0.0/24")
    values = secrets.read(lab)
    assert set(values) == set(secrets.SECRETS)
    assert len(set(values.values())) == len(values), "no secret twice"
    vault = (lab.inventory / "group_vars/all/vault.yml").read_text()
    assert vault.startswith("$ANSIBLE_VAULT;")
    plain = (lab.inventory / "group_vars/all/lab.yml").read_text()
    assert not [name for name, value in values.items() if value in plain + vault]


def test_only_the_owner_may_read(lab: Lab) -> None:
    secrets.ensure(lab, "10.9.0.0/24")
    assert lab.directory.stat().st_mode & 0o077 == 0
    open_files = [path for path in lab.directory.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert all(path.suffix == ".pub" for path in open_files)


def test_key_files_are_the_keys_of_the_vault(lab: Lab) -> None:
    secrets.ensure(lab, "10.9.0.0/24")
    values, plain = secrets.read(lab), secrets.settings(lab)
    for key in secrets.KEYS:
        private = (lab.keys / key).read_text()
        assert private == values[f"vault_{key}_private_key"]
        load_ssh_private_key(private.encode(), None)
        public = (lab.keys / f"{key}.pub").read_text().strip()
        assert public == plain[f"local_{key}_public_key"] == public_key(private)


def test_a_run_that_was_killed_while_it_made_them(lab: Lab) -> None:
    half = lab.directory / ".inventory.new" / "group_vars"
    half.mkdir(parents=True)
    (lab.directory / "vault-password").write_text("left over")
    assert secrets.ensure(lab, "10.9.0.0/24")
    assert set(secrets.read(lab)) == set(secrets.SECRETS)
    assert not (lab.directory / ".inventory.new").exists()


def test_a_lab_of_an_older_checkout_gets_what_it_lacks_and_keeps_the_rest(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.ensure(lab, "10.9.0.0/24")
    before = secrets.read(lab)
    monkeypatch.setitem(secrets.SECRETS, "vault_new_password", lambda _lab: password())
    assert secrets.ensure(lab, "10.9.0.0/24")
    after = secrets.read(lab)
    assert len(after.pop("vault_new_password")) > 20
    assert after == before


def test_plain_values_of_an_older_checkout_are_brought_up_to_date(lab: Lab) -> None:
    secrets.ensure(lab, "10.9.0.0/24")
    before = everything(lab)
    path = lab.inventory / "group_vars/all/lab.yml"
    path.write_text("lab_hosts_name: test\nlab_hosts_subnet: 10.9.0.0/24\n")
    assert secrets.ensure(lab, "10.8.0.0/24")
    assert everything(lab) == before


def test_missing_key_files_come_back(lab: Lab) -> None:
    secrets.ensure(lab, "10.9.0.0/24")
    before = everything(lab)
    (lab.keys / "zuul_node").unlink()
    (lab.keys / "zuul_node.pub").unlink()
    secrets.ensure(lab, "10.9.0.0/24")
    assert everything(lab) == before


def test_every_secret_that_the_repository_names_is_made() -> None:
    files = [
        path
        for top in ("inventories/demo", "playbooks")
        for path in (ROOT / top).rglob("*.yml")
        if "jobs" not in path.parts
    ]
    named = set()
    for path in files:
        text = yaml.dump(list(yaml.safe_load_all(path.read_text())))
        words = "".join(c if c.isalnum() or c == "_" else " " for c in text).split()
        named |= {word for word in words if word.startswith("vault_")}
    assert named
    assert named <= set(secrets.SECRETS)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, "one")
    write(path, "two", 0o644)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("two", 0o644)
    assert list(tmp_path.iterdir()) == [path]


RUNNING = {"review": "id1", "ci": "id2"}


@pytest.mark.parametrize(
    ("fingerprint", "instances", "missing", "reason"),
    [
        ("f", RUNNING, [], ""),
        ("other", RUNNING, [], "checkout or inventory have changed"),
        ("f", {"ci": "id2"}, [], "hosts are not running: review"),
        ("f", {}, [], "hosts are not running: ci, review"),
        ("f", {"review": "new", "ci": "id2"}, [], "hosts have been made anew"),
        ("f", RUNNING, ["https://192.0.2.1/: refused"], "not answering: https://192.0.2.1/: refused"),
    ],
)
def test_when_a_lab_has_to_be_applied_again(
    lab: Lab, fingerprint: str, instances: dict[str, str], missing: list[str], reason: str
) -> None:
    lab.directory.mkdir(parents=True)
    assert state.stale(lab, "f", RUNNING, []) == "no earlier run went through"
    state.note(lab, "f", RUNNING)
    assert state.stale(lab, fingerprint, instances, missing) == reason


def test_hosts_that_joined_the_lab_are_not_its_own(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test's host comes and goes beside the lab's, which is no reason to apply them again."""
    inventory = lab.root / "inventories/demo/hosts.yml"
    inventory.parent.mkdir(parents=True)
    inventory.write_text(
        yaml.safe_dump({"all": {"children": {"lab": {"hosts": {"ci": {"lab_address": 20}}}}}})
    )
    listed = [{"Names": [f"{lab.container_prefix}-{host}"], "Id": host * 2} for host in ("ci", "t-base")]
    podman = tmp_path / "bin" / "podman"
    podman.parent.mkdir()
    podman.write_text(f"#!/bin/sh\necho '{json.dumps(listed)}'\n")
    podman.chmod(0o755)
    monkeypatch.setenv("PATH", str(podman.parent), prepend=os.pathsep)
    assert hosts.running(lab) == {"ci": "cici"}


def test_the_fingerprint_sees_content_mode_and_names_but_no_caches(lab: Lab) -> None:
    role = lab.root / "roles" / "x" / "tasks"
    role.mkdir(parents=True)
    (role / "main.yml").write_text("a")
    lab.inventory.mkdir(parents=True)
    (lab.inventory / "lab.yml").write_text("b")
    seen = [state.fingerprint(lab)]
    for change in (
        lambda: (role / "main.yml").write_text("c"),
        lambda: (role / "main.yml").chmod(0o755),
        lambda: (role / "main.yml").rename(role / "other.yml"),
        lambda: (lab.inventory / "lab.yml").write_text("d"),
    ):
        change()
        seen.append(state.fingerprint(lab))
    assert len(set(seen)) == len(seen)
    (role / "__pycache__").mkdir()
    (role / "__pycache__" / "x.pyc").write_text("cache")
    (lab.root / ".cache").mkdir()
    (lab.root / ".cache" / "x").write_text("cache")
    assert state.fingerprint(lab) == seen[-1]


def test_what_is_noted_can_be_read(lab: Lab) -> None:
    lab.directory.mkdir(parents=True)
    state.note(lab, "f", RUNNING)
    assert json.loads(lab.applied.read_text())["instances"] == RUNNING


def test_hosts_that_a_further_inventory_adds(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "inventories", tmp_path / "inventories")
    lab = Lab("test", tmp_path)
    secrets.ensure(lab, "10.9.0.0/24")
    before = hosts.addresses(lab)
    for name in ("hosts.yml", "executor2.yml"):
        shutil.copy(ROOT / "inventories/scale_out" / name, lab.inventory / f"scale_out_{name}")
    added = {"ci2": "10.9.0.21", "ci3": "10.9.0.22", "executor2": "10.9.0.31"}
    assert hosts.addresses(lab) == before | added
    assert len(set(hosts.addresses(lab).values())) == len(before) + len(added)


def test_a_host_may_stand_in_two_files(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "inventories", tmp_path / "inventories")
    lab = Lab("test", tmp_path)
    secrets.ensure(lab, "10.9.0.0/24")
    before = hosts.described(lab)
    further = {"all": {"children": {"lab": {"hosts": {"executor": {"lab_kind": "vm"}}}}}}
    (lab.inventory / "further.yml").write_text(yaml.safe_dump(further))
    assert hosts.described(lab) == before | {"executor": before["executor"] | {"lab_kind": "vm"}}
    assert hosts.addresses(lab)["executor"] == "10.9.0.30"


def test_virtual_machines_that_run_are_told_from_those_that_ended(tmp_path: Path) -> None:
    lab = Lab("test", tmp_path)
    assert hosts.machines(lab) == {}
    ended = subprocess.Popen(["true"])
    ended.wait()
    for name, pid in (("xen1", os.getpid()), ("xen2", ended.pid)):
        (lab.directory / "vms" / name).mkdir(parents=True)
        (lab.directory / "vms" / name / "pid").write_text(f"{pid}\n")
    (lab.directory / "vms" / "xen3").mkdir()
    found = hosts.machines(lab)
    assert list(found) == ["xen1"]
    assert found["xen1"].startswith(f"{os.getpid()} ")
    assert hosts.machines(lab) == found
