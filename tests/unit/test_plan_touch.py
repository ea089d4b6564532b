"""Which services a change to an inventory reaches: rather too many than too few."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from xenci.paths import checkout
from xenci.plan import touch
from xenci.runs import look

ROOT = checkout()
PLAYBOOKS = list(look.playbooks(ROOT))


@pytest.fixture
def versions(tmp_path: Path) -> tuple[Path, Path]:
    """Two versions of the demo's inventory, the same so far."""
    for name in ("old", "new"):
        shutil.copytree(ROOT / "inventories/demo", tmp_path / name)
    return tmp_path / "old", tmp_path / "new"


def reached(versions: tuple[Path, Path]) -> list[str]:
    """Names of the services, but that of the whole site's check."""
    found = touch.reached([versions[0]], [versions[1]], ROOT, PLAYBOOKS)
    names = look.services(found)
    assert names[:1] in ((), ("site",))
    return list(names[1:])


def put(versions: tuple[Path, Path], name: str, text: str) -> None:
    path = versions[1] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "---\n") + text)


def test_nothing_reaches_nothing(versions: tuple[Path, Path]) -> None:
    assert touch.reached([versions[0]], [versions[1]], ROOT, PLAYBOOKS) == []
    put(versions, "group_vars/zookeeper/zookeeper.yml", "# only a comment\n")
    assert reached(versions) == []


@pytest.mark.parametrize(
    ("file", "line", "services"),
    [
        ("log_server/log_server.yml", "log_server_days: 40", ["log_server"]),
        ("zuul_executor/more.yml", "zuul_executor_disk_limit_per_job: 1", ["zuul_executor"]),
        ("zookeeper/more.yml", "zookeeper_client_port: 1", ["zookeeper"]),
        ("all/more.yml", "local_read_by_nobody: 1", []),
    ],
)
def test_a_roles_input_reaches_its_service(
    versions: tuple[Path, Path], file: str, line: str, services: list[str]
) -> None:
    put(versions, f"group_vars/{file}", line + "\n")
    assert reached(versions) == services


def test_what_is_made_of_a_name_is_reached_too(versions: tuple[Path, Path]) -> None:
    for version in versions:
        path = version / "group_vars/log_server/log_server.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text("log_server_days: '{{ local_month }}'\n")
    put(versions, "group_vars/all/month.yml", "local_month: 40\n")
    assert reached(versions) == ["log_server"]


def test_a_role_inside_a_role_is_seen(versions: tuple[Path, Path]) -> None:
    """Renewal is an input of role pki; the firewall is one of base, which every service uses."""
    put(versions, "group_vars/all/more.yml", "pki_renew_days: 40\n")
    assert reached(versions) == ["pki"]
    put(versions, "group_vars/all/more.yml", "base_firewall: false\n")
    assert {"base", "log_server", "zuul_executor", "bastion"} <= set(reached(versions))


def test_hosts_and_groups_reach_everything(versions: tuple[Path, Path]) -> None:
    put(versions, "groups.yml", "# even a comment\n")
    assert touch.reached([versions[0]], [versions[1]], ROOT, PLAYBOOKS) == PLAYBOOKS


def test_an_encrypted_file_reaches_what_reads_secrets(versions: tuple[Path, Path]) -> None:
    put(versions, "group_vars/all/vault.yml", "")
    (versions[1] / "group_vars/all/vault.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n00\n")
    assert {"zuul_executor", "zuul_scheduler", "postgresql"} <= set(reached(versions))
    assert "job_nodes" not in reached(versions)
