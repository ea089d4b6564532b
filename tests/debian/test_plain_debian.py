"""On a machine as users have one: unified cgroups, AppArmor, and a systemd that has booted it."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import IO

import pytest

from tests.e2e.conftest import ROOT, Command
from tests.xen.host import ssh
from xenci.demo.lab import Lab

CHECKOUT = "/root/xenci"
INNER = "10.208.0.0/24"
# Where the image of containers goes that was made here; one of another recipe would take long there.
CACHE = "/root/.cache/xenci/images"


def said(lab: Lab, host: str, command: str, file: IO[bytes] | None = None, patience: float = 600.0) -> str:
    """What a command that must go well says on a host."""
    return ssh(lab, host, command, file, patience=patience).stdout


@pytest.mark.parametrize("host", ["executor", "plain"])
def test_the_machine_is_what_it_is_meant_to_be(host: str, lab: Lab) -> None:
    assert said(lab, host, "stat --file-system --format %T /sys/fs/cgroup") == "cgroup2fs\n"
    assert said(lab, host, "cat /sys/module/apparmor/parameters/enabled") == "Y\n"
    assert said(lab, host, "cat /proc/1/comm") == "systemd\n"


def test_jobs_run_in_bubblewrap_on_it(lab: Lab) -> None:
    up = Command("demo", "up", "--lab", lab.name)
    assert up.finish() == 0, up.tail
    assert "good +1, bad -1" in up.lines[-1]
    # Its own hardening holds there, and nothing was refused to it on the way.
    assert "ProtectSystem=strict" in said(
        lab, "executor", "systemctl show --property ProtectSystem zuul-executor"
    )
    assert "DENIED" not in said(lab, "executor", "dmesg")


def test_a_lab_comes_and_goes_there(lab: Lab) -> None:
    # As much room as the lab asks for.
    disk = "/dev/disk/by-id/virtio-data"
    said(
        lab,
        "plain",
        f"mkfs.ext4 -q {disk} && mount {disk} /mnt && cp -a /var/lib/. /mnt/ && umount /mnt"
        f" && mount {disk} /var/lib && mkdir -p {CHECKOUT} {CACHE}",
    )
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    with tempfile.TemporaryFile() as archive:
        pack = ["tar", "--create", "--null", "--files-from", "-"]
        subprocess.run(pack, cwd=ROOT, input=files, stdout=archive, check=True)
        archive.seek(0)
        said(lab, "plain", f"tar --extract --directory {CHECKOUT}", archive)
    made = max(
        (Path.home() / ".cache/xenci/images").glob("lab-host-*.tar"), key=lambda tar: tar.stat().st_mtime
    )
    with made.open("rb") as image:
        said(lab, "plain", f"cat >{CACHE}/{made.name}", image)
    said(lab, "plain", f"make -C {CHECKOUT} setup", patience=3600)

    xenci = f"cd {CHECKOUT} && .venv/bin/xenci"
    said(lab, "plain", f"{xenci} lab up --lab inner --subnet {INNER}", patience=3600)
    for host in ("review", "executor", "node1"):
        enter = f"ssh -F {CHECKOUT}/.lab/inner/ssh_config -o BatchMode=yes {host}"
        assert said(lab, "plain", f"{enter} systemctl is-system-running --wait") == "running\n"
        # What roles do there: a service, and a firewall.
        said(lab, "plain", f"{enter} 'nft add table inet probe && systemd-run --wait --quiet true'")
    said(lab, "plain", f"{xenci} lab down --lab inner", patience=900)
    assert said(lab, "plain", "podman ps --all --quiet") == ""
