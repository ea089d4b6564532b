"""The role `xen_host` on a real machine with Xen, and what it has made of it."""

from __future__ import annotations

import json

import pytest

from tests.xen.host import XenHost


def test_check_mode_on_the_bare_host_changes_nothing(bare: XenHost) -> None:
    with bare.timer("role xen_host, check mode on the bare host"):
        recap = bare.playbook("playbooks/configure_xen_host.yml", "--check", "--diff")
    assert recap["changed"] > 10
    assert bare.ssh("ls /sys/class/net").stdout.split() == ["enp0s2", "lo"]
    assert bare.ssh("test -e /usr/local/bin/xenci-guest", check=False).returncode == 1
    assert bare.ssh("test -e /sys/hypervisor/uuid", check=False).returncode == 1


@pytest.mark.core
def test_the_second_run_changes_nothing(host: XenHost) -> None:
    assert host.ssh("cat /sys/hypervisor/type").stdout == "xen\n"
    with host.timer("role xen_host, second run"):
        assert host.playbook("playbooks/configure_xen_host.yml", "--diff")["changed"] == 0


def test_base_has_nothing_to_do_either(host: XenHost) -> None:
    with host.timer("base, second run"):
        assert host.playbook("playbooks/configure_base.yml")["changed"] == 0


def test_the_host_knows_what_it_has(host: XenHost) -> None:
    reply = host.launcher("capacity")
    assert reply["ok"], reply
    assert reply["total"] == {"memory_mib": 1792, "vcpus": 4, "storage_mib": 20480, "guests": 4}
    assert reply["xen"]["version"].startswith("4.")
    assert reply["types"] == ["pv"]
    # What is promised is really there.
    assert reply["xen"]["free_memory_mib"] >= reply["total"]["memory_mib"]


def test_the_bridge_has_the_address_of_the_card(host: XenHost) -> None:
    links = {link["ifname"]: link for link in json.loads(host.ssh("ip -json -4 address").stdout)}
    assert [one["local"] for one in links["xenbr0"]["addr_info"]] == [host.address]
    assert "enp0s2" not in {name for name, link in links.items() if link["addr_info"]}
    assert host.ssh("systemctl is-active xenci-bridge-revert.timer", check=False).stdout.strip() == "inactive"


def test_a_launcher_gets_xenci_guest_and_nothing_else(host: XenHost) -> None:
    done = host.as_launcher("cat /etc/shadow", text="not JSON")
    assert json.loads(done.stdout)["error"]["code"] == "bad_request"
    assert "not_allowed" in host.as_launcher("xenci-guest --operator", text='{"operation": "resume"}').stdout
    stolen = (host.lab.keys / "xen_launcher").read_text(encoding="utf-8")
    host.inside("node1", "sh", "-c", "umask 077; cat >/root/xen_launcher", text=stolen)
    known = (host.lab.directory / "known_hosts.d" / host.address).read_text(encoding="utf-8")
    host.inside("node1", "sh", "-c", "cat >/root/known_hosts", text=known)
    elsewhere = host.inside("node1", "ssh", *host.options("xen_launcher"), f"root@{host.address}", "true")
    assert "Permission denied" in elsewhere.stderr


def test_storage_shares_blocks_and_comes_back_after_a_boot(host: XenHost) -> None:
    if host.wanted("xen_host_storage_backend") == "lvm_thin":
        assert host.ssh("lvs --noheadings --options segtype xenci/thin").stdout.strip() == "thin-pool"
        return
    assert "reflink=1" in host.ssh("xfs_info /srv/xenci").stdout
    assert "LABEL=xenci-guests /srv/xenci xfs" in host.ssh("tr -s '\\t ' ' ' </etc/fstab").stdout
