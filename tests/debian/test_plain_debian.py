"""On a machine as users have one: unified cgroups, AppArmor, and a systemd that has booted it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.debian.conftest import ROOT, Machines
from tests.e2e.conftest import Command

CHECKOUT = "/root/xenci"
INNER = "10.208.0.0/24"
# Where the image of containers goes that was made here; one of another recipe would take long there.
CACHE = "/root/.cache/xenci/images"


@pytest.mark.parametrize("host", ["executor", "plain"])
def test_the_machine_is_what_it_is_meant_to_be(host: str, machines: Machines) -> None:
    assert machines.run(host, "stat --file-system --format %T /sys/fs/cgroup") == "cgroup2fs\n"
    assert machines.run(host, "cat /sys/module/apparmor/parameters/enabled") == "Y\n"
    assert machines.run(host, "cat /proc/1/comm") == "systemd\n"


def test_jobs_run_in_bubblewrap_on_it(machines: Machines) -> None:
    up = Command("demo", "up", "--lab", machines.lab.name)
    assert up.finish() == 0, up.tail
    assert "good +1, bad -1" in up.lines[-1]
    # Its own hardening holds there, and nothing was refused to it on the way.
    assert "ProtectSystem=strict" in machines.run(
        "executor", "systemctl show --property ProtectSystem zuul-executor"
    )
    assert "DENIED" not in machines.run("executor", "dmesg")


def test_a_lab_comes_and_goes_there(machines: Machines) -> None:
    # As much room as the lab asks for.
    disk = "/dev/disk/by-id/virtio-data"
    machines.run(
        "plain",
        f"mkfs.ext4 -q {disk} && mount {disk} /mnt && cp -a /var/lib/. /mnt/ && umount /mnt"
        f" && mount {disk} /var/lib && mkdir -p {CHECKOUT} {CACHE}",
    )
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    pack = ["tar", "--create", "--null", "--files-from", "-"]
    archive = subprocess.run(pack, cwd=ROOT, input=files, check=True, capture_output=True).stdout
    machines.run("plain", f"tar --extract --directory {CHECKOUT}", archive)
    made = max(
        (Path.home() / ".cache/xenci/images").glob("lab-host-*.tar"), key=lambda tar: tar.stat().st_mtime
    )
    machines.run("plain", f"cat >{CACHE}/{made.name}", made.read_bytes())
    machines.run("plain", f"make -C {CHECKOUT} setup", patience=3600)

    xenci = f"cd {CHECKOUT} && .venv/bin/xenci"
    machines.run("plain", f"{xenci} lab up --lab inner --subnet {INNER}", patience=3600)
    for host in ("review", "executor", "node1"):
        enter = f"ssh -F {CHECKOUT}/.lab/inner/ssh_config -o BatchMode=yes {host}"
        assert machines.run("plain", f"{enter} systemctl is-system-running --wait") == "running\n"
        # What roles do there: a service, and a firewall.
        machines.run("plain", f"{enter} 'nft add table inet probe && systemd-run --wait --quiet true'")
    machines.run("plain", f"{xenci} lab down --lab inner", patience=900)
    assert machines.run("plain", "podman ps --all --quiet") == ""
