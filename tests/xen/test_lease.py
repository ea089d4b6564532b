"""A whole Xen host is leased, spoilt, and comes back; asked for as a launcher does, used as executors do."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.e2e.faults import until
from tests.xen.host import ROOT, XenHost, lived

PATIENCE = 900.0
"""Seconds for what an emulated host does: restart, and look at itself."""

# What a lease may not change, seen without the program that is tested.
LOOK = """
find /etc /boot -xdev -type f -exec sha256sum {} +; find /etc /boot -xdev -printf '%p %m %u %g %l\\n'
dpkg-query -W; ls /sys/class/net /home /root; nft --stateless list ruleset
xl list | awk '{print $1, $2}'; xl info | grep -E 'xen_(version|commandline)'; uname -r
findmnt --noheadings --output FSROOT /; btrfs subvolume list / | grep xenci
""".strip()
DIRT = """
set -eu
echo dirt >>/etc/motd; rm /etc/issue; useradd --create-home intruder; touch /boot/xen-9.9-amd64.gz
sed -i s/quiet// /boot/grub/grub.cfg
dpkg --remove --force-depends less
ip link add dirt0 type bridge; nft add table inet dirt
btrfs subvolume create /home/dirt; mkdir -p /srv/xenci/guests; touch /srv/xenci/guests/dirt.img
"""


def seen(host: XenHost) -> list[str]:
    """What is on the host, line by line."""
    return host.ssh(f"({LOOK}) | sort").stdout.splitlines()


def lease(host: XenHost, name: str) -> dict[str, Any]:
    """Lease the host; returns the lease."""
    keys = [(host.lab.keys / "zuul_node.pub").read_text(encoding="utf-8").strip()]
    with host.timer("lease"):
        reply = host.launcher("lease", name=name, authorized_keys=keys)
    assert reply["ok"], reply
    found: dict[str, Any] = reply["lease"]
    return found


def as_job(
    host: XenHost, found: dict[str, Any], command: str, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command in dom0 as the executor does: by the host keys that `lease` has returned."""
    known = "".join(f"{host.address} {key}\n" for key in found["host_keys"])
    kept = host.inside("executor", "sh", "-c", "cat >/root/known_hosts", text=known)
    assert kept.returncode == 0, kept.stderr
    words = ("ssh", *host.options("zuul_node"), f"{found['user']}@{host.address}", command)
    return host.inside("executor", *words, text=text)


def release(host: XenHost, name: str) -> None:
    """Ask until the lease has ended."""
    until(lambda: host.asked("release", name=name).get("returning") is False, PATIENCE)


def test_a_spoilt_host_comes_back(host: XenHost) -> None:
    before = seen(host)
    outside = f"timeout 5 bash -c ': </dev/tcp/{host.at(20)}/22'"
    assert host.ssh(outside).returncode == 0
    found = lease(host, "spoil")
    assert host.launcher("capacity")["leased"] == {"name": "spoil", "state": "leased"}
    done = as_job(host, found, "sudo bash -s", text=DIRT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert seen(host) != before
    # Only executors get in, and dom0 gets out no further than guests do.
    as_job(host, found, "nohup python3 -m http.server 19885 >/dev/null 2>&1 &")
    stream = ("timeout", "10", "bash", "-c", f": </dev/tcp/{host.address}/19885")
    until(lambda: host.inside("executor", *stream).returncode == 0)
    assert host.inside("node1", *stream).returncode != 0
    assert as_job(host, found, outside).returncode != 0
    with host.timer("release: restart, look, let guests return"):
        release(host, "spoil")
    assert seen(host) == before
    capacity = host.launcher("capacity")
    # A disk of no guest is removed by the audit; nothing else of the lease was outside of the root.
    assert (capacity["leased"], capacity["drained"]) == ({}, "")
    assert host.launcher("audit")["clean"]
    assert as_job(host, found, "true").returncode == 255


def test_a_planned_boot_is_the_leases_and_a_power_cut_ends_it(host: XenHost) -> None:
    before = seen(host)
    found = lease(host, "boot")
    option = "xenci_build=e2e"
    options = (
        f"{host.ssh('xl info').stdout.partition('xen_commandline        : ')[2].splitlines()[0]} {option}"
    )
    # Another file than the one that the host boots.
    host.ssh("cp /boot/xen-*-amd64.gz /boot/xenci-build-xen.gz")
    request = {"operation": "boot", "xen": "/boot/xenci-build-xen.gz", "xen_options": options}
    done = as_job(host, found, "sudo xenci-guest --operator", text=json.dumps(request))
    assert json.loads(done.stdout)["ok"], done.stdout + done.stderr
    boot = host.ssh("cat /proc/sys/kernel/random/boot_id").stdout
    with host.timer("boot of what the lease has put there"):
        as_job(host, found, "sudo systemctl reboot")
        until(
            lambda: as_job(host, found, "cat /proc/sys/kernel/random/boot_id").stdout not in ("", boot),
            PATIENCE,
        )
        until(lambda: as_job(host, found, "sudo xl info").returncode == 0, PATIENCE)
    assert option in host.ssh("xl info").stdout
    assert host.ssh("findmnt --noheadings --output FSROOT /").stdout == "/@xenci-leased\n"
    program = (ROOT / "infra/roles/xen_life/files/xen_life.py").read_text(encoding="utf-8")
    with host.timer("the life of a small guest"):
        life = f"sudo python3 - --toolstack xl --logs /var/tmp/logs --option {option}"
        done = as_job(host, found, life, text=program)
    assert done.returncode == 0, done.stdout + host.ssh("cat /var/tmp/logs/xen-life-xl.txt").stdout[-6000:]
    # Debian's Xen migrates no paravirtualized guest.
    assert lived(host.ssh("cat /var/tmp/logs/xen-life-xl.xml").stdout) == ("7", "0", ["migrate"])
    with host.timer("power cut, and the way back"):
        host.ssh("(sleep 1; echo b >/proc/sysrq-trigger) >/dev/null 2>&1 &")
        until(lambda: host.asked("capacity").get("leased") == {}, PATIENCE)
    assert host.asked("release", name="boot") == {"ok": True, "released": False, "returning": False}
    assert seen(host) == before


def test_guests_leave_before_and_return_after(host: XenHost, request_: dict[str, Any]) -> None:
    assert host.launcher("create", name="first", **request_)["ok"]
    keys = request_["authorized_keys"]
    reply = host.launcher("lease", name="whole", authorized_keys=keys)
    assert reply["error"]["code"] == "full", reply
    assert host.launcher("create", name="second", **request_)["error"]["code"] == "full"
    assert host.launcher("delete", name="first")["deleted"]
    lease(host, "whole")
    assert host.launcher("create", name="second", **request_)["error"]["code"] == "full"
    release(host, "whole")
    reply = host.launcher("create", name="second", **request_)
    assert reply["ok"], reply
    assert host.job(reply["guest"], "cat /sys/hypervisor/type").stdout == "xen\n"
    assert host.launcher("delete", name="second")["deleted"]
    assert host.launcher("audit")["clean"]
