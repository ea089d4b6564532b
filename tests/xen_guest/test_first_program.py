"""The first program of a golden image's guest, with the seed that xenci-guest makes."""

from __future__ import annotations

import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from tests.xen_guest.dom0 import KEY, SOURCE, Dom0

INIT = SOURCE.parent / "roles/golden_image/files/init"


def test_it_makes_a_guest_itself(new_dom0: Callable[..., Dom0], tmp_path: Path) -> None:
    dom0 = new_dom0()
    guest = dom0.create("g1")["guest"]
    for folder in ("seed", "root/etc/ssh/authorized_keys"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "root/etc/machine-id").touch()
    with tarfile.open(dom0.root / "state/guests/g1/seed.tar") as archive:
        archive.extractall(tmp_path / "seed")  # noqa: S202  # our own
    # From where the seed is unpacked to where only a guest can go on.
    files = INIT.read_text("utf-8").partition("-C /seed\n")[2].partition("ip link set lo up")[0]
    assert "cp -p" in files
    for folder in ("seed", "root"):
        files = files.replace(f"/{folder}/", f"{tmp_path}/{folder}/")
    subprocess.run(["sh", "-c", f"set -eu\n{files}"], check=True)
    etc = tmp_path / "root/etc"
    assert (etc / "hostname").read_text() == "g1\n"
    assert len((etc / "machine-id").read_text().strip()) == 32
    assert (etc / "hosts").read_text() == "127.0.0.1 localhost\n127.0.1.1 g1\n::1 localhost\n"
    assert (etc / "resolv.conf").read_text() == "nameserver 127.77.0.1\n"
    assert (etc / "ssh/authorized_keys/zuul").read_text() == f"{KEY}\n"
    assert (etc / "ssh/ssh_host_ed25519_key.pub").read_text().split() == guest["host_keys"][0].split()
    assert stat.S_IMODE((etc / "ssh/ssh_host_ed25519_key").stat().st_mode) == 0o600


def test_it_is_told_where_the_network_is() -> None:
    text = INIT.read_text("utf-8")
    for word in ("$ADDRESS", "$GATEWAY", "$DNS"):
        assert word in text
