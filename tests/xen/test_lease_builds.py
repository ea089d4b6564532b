"""An approved change is tested on a Xen host that its builds have leased as a whole, and then merged."""

from __future__ import annotations

from tests.e2e import review
from tests.e2e.faults import items, until
from tests.xen.host import XenHost, lived
from xenci.demo import commands, report
from xenci.demo.site import Site

PATIENCE = 2400.0
"""Seconds for two leases of an emulated host: each restarts it, the boot test once more."""

TARGET = """
.PHONY: xen-boot
xen-boot:
\tmkdir xen-boot
\tcp /boot/xen-*-amd64.gz xen-boot/xen.gz
"""
# libvirt refuses to migrate a guest to its own host, Debian's Xen to migrate a paravirtualized one.
LIFE = {"xen-boot-test": "xen-life-xl.xml", "libvirt-xen": "xen-life-virsh.xml"}


def test_an_approved_change_is_booted_and_merged(host: XenHost, site: Site) -> None:
    makefile = commands.desk(site, "alice").clone("sandbox") / "Makefile"
    change = review.propose(site, "sandbox", {"Makefile": makefile.read_text(encoding="utf-8") + TARGET})
    until(lambda: review.verified(site, change) == 1)
    review.approve(site, change)
    with host.timer("gate: two builds, each on the host leased as a whole"):
        until(lambda: review.status(site, change) == "MERGED" or review.verified(site, change) < 0, PATIENCE)
    until(lambda: not items(site, change))
    assert review.status(site, change) == "MERGED", review.said(site, change)

    builds = site.tenant(f"builds?change={change.number}&pipeline=gate&complete=true")
    assert {build["job_name"]: build["result"] for build in builds} == dict.fromkeys(LIFE, "SUCCESS")
    for build in builds:
        host.timer.seconds.append((f"the build {build['job_name']}", build["duration"]))
        assert lived(report.log(site, build, LIFE[build["job_name"]])) == ("7", "0", ["migrate"]), build
    (boot,) = [build for build in builds if build["job_name"] == "xen-boot-test"]
    assert f"xenci_build={boot['uuid']}" in report.log(site, boot, "xen-boot.txt")

    # Nothing of it is on the host, and guests are made there again.
    until(lambda: host.asked("capacity").get("leased") == {}, 600)
    assert host.launcher("audit")["clean"]
    assert "xenci_build" not in host.ssh("xl info").stdout
    assert host.ssh("ls /boot").stdout.count("xenci-build") == 0
