"""The parts of roles/golden_image/files/make-image that need neither root nor packages."""

from __future__ import annotations

import importlib.util
import lzma
import stat
import struct
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest
from image_parts import furnish, initrd, kernel, packages, run, sources

from xenci.paths import checkout

FILES = checkout() / "roles/golden_image/files"
DEBIAN = "Types: deb\nURIs: http://mirror.example.org/debian\nSuites: bookworm bookworm-updates\n"


@pytest.fixture
def program() -> ModuleType:
    """The program as a module."""
    loader = SourceFileLoader("make_image", str(FILES / "make-image"))
    spec = importlib.util.spec_from_loader("make_image", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package sources of a Debian 12."""
    (tmp_path / "apt/sources.list.d").mkdir(parents=True)
    (tmp_path / "apt/sources.list.d/debian.sources").write_text(DEBIAN)
    (tmp_path / "apt/sources.list.d/other.list").write_text("deb http://example.org/tools bookworm main\n")
    (tmp_path / "os-release").write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    monkeypatch.setattr(sources, "APT", tmp_path / "apt")
    monkeypatch.setattr(sources, "OS_RELEASE", tmp_path / "os-release")
    return tmp_path / "apt"


def test_sources_are_the_machines_own(apt: Path) -> None:
    assert sources.sources("bookworm") == {"debian.sources": DEBIAN}


def test_sources_of_another_release(apt: Path) -> None:
    [text] = sources.sources("trixie").values()
    assert "Suites: trixie trixie-updates\n" in text
    (apt / "sources.list").write_text("deb http://mirror.example.org/debian trixie main\n")
    assert list(sources.sources("trixie")) == ["sources.list"]


def test_no_sources(apt: Path, tmp_path: Path) -> None:
    (tmp_path / "os-release").write_text("ID=other\n")
    assert sources.sources("trixie") == {}
    with pytest.raises(run.ImageError, match="no package source of this machine offers trixie"):
        packages.bootstrap("trixie", [], tmp_path, tmp_path, tmp_path)


def dry(program: ModuleType, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a dry run says."""
    assert program.main(["--suite", "bookworm", "--output", "/nowhere/image", "--dry-run", *arguments]) == 0
    return capsys.readouterr().out.strip()


def test_the_version_follows_from_the_inputs(
    program: ModuleType, apt: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = tmp_path / "files"
    (files / "etc").mkdir(parents=True)
    (files / "etc/motd").write_text("hello\n")
    base = dry(program, capsys)
    assert base.startswith("made 1-")
    assert dry(program, capsys) == base
    assert dry(program, capsys, "--package", "gcc", "--package", "bc") == dry(
        program, capsys, "--package", "bc", "--package", "gcc"
    )
    said = {
        base,
        dry(program, capsys, "--package", "gcc"),
        dry(program, capsys, "--size", "4096"),
        dry(program, capsys, "--edition", "2026.11"),
        dry(program, capsys, "--files", str(files)),
    }
    (files / "etc/motd").write_text("hullo\n")
    said.add(dry(program, capsys, "--files", str(files)))
    (files / "etc/motd").chmod(0o755)
    said.add(dry(program, capsys, "--files", str(files)))
    (apt / "sources.list.d/debian.sources").write_text(DEBIAN.replace("mirror", "other"))
    said.add(dry(program, capsys))
    assert len(said) == 8
    # Who may read a file depends on how somebody's checkout was made.
    before = dry(program, capsys, "--files", str(files))
    (files / "etc/motd").chmod(0o700)
    assert dry(program, capsys, "--files", str(files)) == before


def test_a_version_that_is_there_is_left_alone(
    program: ModuleType, apt: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "image"
    version = dry(program, capsys).split()[1]
    image.mkdir()
    (image / "manifest.json").write_text(f'{{"version": "{version}"}}')
    assert program.main(["--suite", "bookworm", "--output", str(image)]) == 0
    assert capsys.readouterr().out == f"unchanged {version}\n"
    assert [path.name for path in image.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--suite", "sid"], "invalid choice"),
        (["--suite", "bookworm", "--edition", "../x"], "use letters, digits"),
        (["--suite", "bookworm", "--files", "/no/such"], "there is no folder /no/such"),
    ],
)
def test_wrong_arguments(
    arguments: list[str], says: str, program: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        program.main([*arguments, "--output", "/nowhere/image"])
    assert caught.value.code == 2
    assert says in capsys.readouterr().err


def packed(payload: bytes) -> bytes:
    """A bzImage with a payload, as far as its header is looked at."""
    image = bytearray(3 * 512)
    image[0x1F1], image[0x202:0x206] = 1, b"HdrS"
    struct.pack_into("<II", image, 0x248, 512, len(payload))
    return bytes(image) + payload


def test_a_kernel_is_unpacked() -> None:
    elf = b"\x7fELF" + bytes(range(256)) * 100
    assert kernel.unpacked(packed(lzma.compress(elf) + b"size")) == elf
    with pytest.raises(run.ImageError, match="no ELF"):
        kernel.unpacked(packed(lzma.compress(b"text") + b"size"))
    with pytest.raises(run.ImageError, match="unknown way: it begins with 4c5a"):
        kernel.unpacked(packed(b"LZIP"))
    with pytest.raises(run.ImageError, match="no bzImage"):
        kernel.unpacked(bytes(4096))


def test_modules_come_after_what_they_need(tmp_path: Path) -> None:
    (tmp_path / "modules.dep").write_text(
        "kernel/fs/ext4/ext4.ko: kernel/fs/mbcache.ko kernel/fs/jbd2/jbd2.ko kernel/lib/crc16.ko\n"
        "kernel/fs/mbcache.ko:\nkernel/drivers/block/xen-blkfront.ko.xz: kernel/lib/crc16.ko\n"
    )
    (tmp_path / "modules.builtin").write_text("kernel/drivers/net/xen-netfront.ko\n")
    found = kernel.boot_modules(tmp_path, ["ext4", "xen_blkfront", "xen_netfront"])
    assert [path.name for path in found] == [
        "crc16.ko",
        "jbd2.ko",
        "mbcache.ko",
        "ext4.ko",
        "xen-blkfront.ko.xz",
    ]
    with pytest.raises(run.ImageError, match="no module xfs"):
        kernel.boot_modules(tmp_path, ["xfs"])


def test_what_systemd_starts_by_itself() -> None:
    owned = [
        "/lib/systemd/system/sysinit.target.wants/systemd-binfmt.service",
        "/lib/systemd/system/sysinit.target.wants/cryptsetup.target",
        "/lib/systemd/system/systemd-binfmt.service",
        "/usr/lib/systemd/system/timers.target.wants/systemd-tmpfiles-clean.timer",
    ]
    assert furnish.started(owned) == {"systemd-binfmt.service", "systemd-tmpfiles-clean.timer"}


def test_files_are_put_over_a_tree(tmp_path: Path) -> None:
    top, tree = tmp_path / "top", tmp_path / "tree"
    (top / "etc").mkdir(parents=True)
    (top / "etc/program").write_text("new")
    (top / "etc/program").chmod(0o700)
    (top / "etc/link").symlink_to("/dev/null")
    (tree / "etc").mkdir(parents=True)
    # What is there may be a link: what it leads to must stay as it is.
    (tree / "etc/program").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text("old")
    furnish.overlay(tree, top)
    assert (tmp_path / "elsewhere").read_text() == "old"
    assert (tree / "etc/program").read_text() == "new"
    assert stat.S_IMODE((tree / "etc/program").stat().st_mode) == 0o755
    assert (tree / "etc/link").readlink() == Path("/dev/null")


def test_a_cpio_archive(tmp_path: Path) -> None:
    archive = b"".join(
        initrd.cpio(
            [
                ("bin", stat.S_IFDIR | 0o755, b""),
                ("bin/sh", stat.S_IFLNK | 0o777, b"busybox"),
                ("init", stat.S_IFREG | 0o755, b"#!/bin/sh\n"),
            ]
        )
    )
    assert archive[:6] == b"070701"
    assert len(archive) % 4 == 0
    assert archive.index(b"TRAILER!!!") > archive.index(b"#!/bin/sh\n")
