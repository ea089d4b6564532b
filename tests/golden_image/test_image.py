"""A golden image as it is really built: what its guests find. Whether it boots, tests/xen see."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from xenci.guest import images
from xenci.paths import checkout

ROOT = checkout()
PROGRAM = ROOT / "roles/golden_image/files/make-image"
Inside = Callable[..., str]


@pytest.fixture(scope="session", params=["bookworm", "trixie"])
def image(request: pytest.FixtureRequest) -> images.Image:
    """An image, as xenci-guest reads it; nothing is built while its inputs stay the same."""
    folder = ROOT / ".cache/golden_image" / request.param
    command = [PROGRAM, "--suite", request.param, "--output", folder]
    subprocess.run(command, check=True, timeout=1800)
    again = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert again.stdout.startswith("unchanged ")
    return images.read(folder, request.param, "1")


@pytest.fixture(scope="session")
def tree(image: images.Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in its root disk, with a host key, as a guest gets one."""
    top = tmp_path_factory.mktemp(image.name)
    subprocess.run(["debugfs", "-R", f"rdump / {top}", image.root], check=True, capture_output=True)
    key = top / "etc/ssh/ssh_host_ed25519_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (top / "run/sshd").mkdir()
    return top


@pytest.fixture
def inside(tree: Path) -> Inside:
    """Run a program in the tree, with the mounts that every system has; its output."""
    script = (
        'top=$1; shift; mount --bind /dev "$top/dev"; mount -t proc proc "$top/proc"; exec chroot "$top" "$@"'
    )

    def call(*command: str) -> str:
        argv = ["unshare", "--mount", "sh", "-euc", script, "sh", tree, *command]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


def listed(image: images.Image, path: str) -> str:
    """What debugfs says of a file in the image itself."""
    command = ["debugfs", "-R", f"stat {path}", image.root]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_manifest_tells_what_is_in_it(image: images.Image) -> None:
    manifest = image.manifest
    assert image.types == ("pv", "pvh")
    for file in (image.kernel, image.initrd, image.root):
        with file.open("rb") as stream:
            assert hashlib.file_digest(stream, "sha256").hexdigest() == manifest["sha256"][file.name]
    assert f"linux-image-{manifest['kernel_release']}" in manifest["packages"]
    assert {"git", "make", "openssh-server", "python3", "rsync", "sudo"} <= set(manifest["packages"])
    assert not {"udev", "dbus", "initramfs-tools-core", "libpam-systemd"} & set(manifest["packages"])
    assert json.loads((image.folder / "manifest.json").read_text("utf-8"))["built"].endswith("Z")


def test_xen_can_start_it(image: images.Image) -> None:
    with image.kernel.open("rb") as stream:
        assert stream.read(4) == b"\x7fELF"
        stream.seek(0)
        notes = stream.read()
    # The notes that Xen's toolstack looks for: a PV guest, and the entry of a PVH one.
    assert b"xen-3.0" in notes
    assert image.initrd.stat().st_size < 8 * images.MIB


def test_the_disk_is_mostly_empty(image: images.Image) -> None:
    status = image.root.stat()
    assert status.st_size == 2048 * images.MIB
    assert status.st_blocks * 512 < 600 * images.MIB


def test_it_is_nobody_yet(image: images.Image) -> None:
    for path in ("/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_rsa_key", "/etc/hostname"):
        assert "Inode" not in listed(image, path)
    assert "Size: 0" in listed(image, "/etc/machine-id")
    assert "Mode:  01777" in listed(image, "/tmp")


def test_sshd_starts_with_what_the_seed_brings(inside: Inside) -> None:
    inside("/usr/sbin/sshd", "-t")
    settings = inside("/usr/sbin/sshd", "-T").splitlines()
    assert "hostkey /etc/ssh/ssh_host_ed25519_key" in settings
    assert "authorizedkeysfile /etc/ssh/authorized_keys/%u .ssh/authorized_keys" in settings
    for refused in ("passwordauthentication no", "permitrootlogin no", "usepam no"):
        assert refused in settings


def test_the_units_make_sense(inside: Inside, tree: Path) -> None:
    inside("systemd-analyze", "verify", "--man=no", "default.target", "ssh.service", "grow-root.service")
    assert (tree / "etc/systemd/system/default.target").readlink().name == "multi-user.target"
    # Without these a boot takes three times as long.
    for unit in ("systemd-logind.service", "systemd-random-seed.service", "apt-daily.timer"):
        assert (tree / "etc/systemd/system" / unit).readlink() == Path("/dev/null")
    generators = tree / "usr/lib/systemd/system-generators"
    for path in generators.iterdir():
        assert (tree / "etc/systemd/system-generators" / path.name).readlink() == Path("/dev/null"), path


def test_jobs_find_their_user_and_tools(inside: Inside, image: images.Image) -> None:
    assert inside("getent", "shadow", "zuul").startswith("zuul:*:")
    assert "User:     0" in listed(image, "/etc/sudoers.d/golden_image")
    assert "Mode:  0440" in listed(image, "/etc/sudoers.d/golden_image")
    inside("visudo", "-c")
    for tool in ("git", "make", "rsync", "python3"):
        assert inside(tool, "--version")
    release = image.manifest["kernel_release"]
    for module in ("overlay", "nft_ct", "tun", "xen_blkback"):
        assert inside("modprobe", "--dry-run", "--verbose", "--set-version", release, module)


def test_the_initrd_has_what_its_program_calls(image: images.Image, tree: Path, tmp_path: Path) -> None:
    with image.initrd.open("rb") as stream:
        command = [tree / "usr/bin/busybox", "cpio", "-id"]
        subprocess.run(command, stdin=stream, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "init").read_bytes() == (PROGRAM.parent / "init").read_bytes()
    known = subprocess.run(
        [tree / "usr/bin/busybox", "--list"], check=True, capture_output=True, text=True
    ).stdout.split()
    assert {path.name for path in (tmp_path / "bin").iterdir()} - {"busybox"} <= set(known)
    names = [path.name[3:] for path in sorted((tmp_path / "modules").iterdir())]
    assert names.index("jbd2.ko") < names.index("ext4.ko") < names.index("xen-blkfront.ko")
    for path in (tmp_path / "modules").iterdir():
        assert path.read_bytes().startswith(b"\x7fELF"), path


def test_a_build_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    command = [PROGRAM, "--suite", "bookworm", "--output", tmp_path / "image"]

    def until(ask: Callable[[], object]) -> None:
        deadline = time.monotonic() + 300
        while not ask():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    with subprocess.Popen(command) as build:
        until(lambda: list(tmp_path.glob(".image.*/tree/usr/bin/dpkg")))
        build.kill()
    until(
        lambda: (
            subprocess.run(["pgrep", "--full", tmp_path], stdout=subprocess.DEVNULL, check=False).returncode
        )
    )
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text(encoding="utf-8")
    assert [path for path in tmp_path.iterdir() if path.is_dir()]
    # The next one removes what it was at, here though it gets no further itself.
    again = subprocess.run(
        [*command, "--package", "no-such-package"], capture_output=True, text=True, check=False
    )
    assert again.returncode == 1, again.stderr
    assert "no-such-package" in again.stderr
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
