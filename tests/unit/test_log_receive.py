"""The log receiver, run as sshd runs it: with SSH_ORIGINAL_COMMAND and a tar stream on its stdin."""

from __future__ import annotations

import io
import json
import os
import signal
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xenci.log_receive.expire import DAY, expire
from xenci.log_receive.path import is_build

SOURCE = Path(__file__).parents[2] / "src"
BUILD = "34/1234/2/check/hypervisor-tools-tests/abc1234"
URL = "https://logs.example.org/"
SMALL = ("--reserve-mib", "0")


def start(root: Path, command: str, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "xenci.log_receive", "receive"),
            *("--root", str(root), "--url", URL, *SMALL, *options),
        ],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "SSH_ORIGINAL_COMMAND": command},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def send(root: Path, path: str, data: bytes, *options: str) -> tuple[int, dict[str, str]]:
    """Upload, and return exit status and answer; nothing but one line of JSON may come back."""
    process = start(root, f"upload {path}", *options)
    output, errors = process.communicate(data, timeout=30)
    assert errors == b""
    assert output.count(b"\n") == 1
    return process.returncode, json.loads(output)


def archive(*members: tuple[str, bytes] | tarfile.TarInfo, **settings: Any) -> bytes:
    """Return a tar archive of files, given as name and content, or of members as they are."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", **settings) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                information = tarfile.TarInfo(member[0])
                information.size = len(member[1])
                information.mtime = 1_700_000_000
                tar.addfile(information, io.BytesIO(member[1]))
    return stream.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    return member


def files(root: Path) -> dict[str, bytes]:
    """Return every file below root, what is being received included."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with one build in it, which nothing that comes later may touch."""
    folder = tmp_path / "logs"
    folder.mkdir()
    status, answer = send(folder, "34/1234/1/check/other/0000000", archive(("job-output.txt", b"old\n")))
    assert (status, answer) == (0, {"url": f"{URL}34/1234/1/check/other/0000000/"})
    return folder


OLD = {"34/1234/1/check/other/0000000/job-output.txt": b"old\n"}


def test_upload(root: Path) -> None:
    data = archive(("./job-output.txt", b"hello\n"), ("./node/tests.txt", "größe\n".encode()))
    assert send(root, BUILD, data) == (0, {"url": f"{URL}{BUILD}/"})
    text = "größe\n".encode()
    assert files(root) == {
        **OLD, f"{BUILD}/job-output.txt": b"hello\n", f"{BUILD}/node/tests.txt": text,
    }  # fmt: skip
    written = (root / BUILD / "job-output.txt").stat()
    assert written.st_mtime == 1_700_000_000
    assert stat.S_IMODE(written.st_mode) == 0o640
    assert stat.S_IMODE((root / BUILD).stat().st_mode) == 0o750


def test_what_gnu_tar_sends(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    deep = folder / ("long-name-" * 12) / ("of-a-folder-" * 10)
    deep.mkdir(parents=True)
    (folder / "empty").mkdir()
    (deep / "file.txt").write_text("deep\n")
    tar = subprocess.run(["tar", "-C", folder, "-cf", "-", "."], capture_output=True, check=True)
    assert send(root, BUILD, tar.stdout)[0] == 0
    assert (root / BUILD / deep.relative_to(folder) / "file.txt").read_text() == "deep\n"
    assert (root / BUILD / "empty").is_dir()


HOSTILE = {
    "parent": archive(("../0000000/job-output.txt", b"new")),
    "parent inside": archive(("a/../../b", b"x")),
    "absolute": archive(("/tmp/xenci-escaped", b"x")),
    "symlink": archive(special("a", tarfile.SYMTYPE, "/etc/passwd")),
    "through a symlink": archive(special("a", tarfile.SYMTYPE, "/tmp"), ("a/xenci-escaped", b"x")),
    "hard link": archive(("b", b"x"), special("a", tarfile.LNKTYPE, "b")),
    "character device": archive(special("a", tarfile.CHRTYPE)),
    "block device": archive(special("a", tarfile.BLKTYPE)),
    "fifo": archive(special("a", tarfile.FIFOTYPE)),
    "control character": archive(("a\nb", b"x")),
    "twice": archive(("a", b"x"), ("a", b"y")),
    "twice by spelling": archive(("a", b"x"), ("./a", b"y")),
    "file as a folder": archive(("a", b"x"), ("a/b", b"y")),
    "folder as a file": archive(("a/b", b"y"), ("a", b"x")),
    "deep": archive(("a/" * 40 + "b", b"x")),
    "empty": archive(),
    "only the folder itself": archive(special(".", tarfile.DIRTYPE)),
    "no archive": b"hello" * 1000,
    "nothing": b"",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_archive(root: Path, data: bytes) -> None:
    status, answer = send(root, BUILD, data)
    assert status == 1
    assert list(answer) == ["error"]
    assert str(root) not in answer["error"]
    assert files(root) == OLD
    assert not (root / BUILD).exists()
    assert list((root / ".incoming").iterdir()) == []
    assert not Path("/tmp/xenci-escaped").exists()


def test_pax_header_that_claims_a_huge_size(root: Path) -> None:
    header = tarfile.TarInfo("huge")
    header.type = tarfile.XHDTYPE
    header.size = 6 << 30
    data = header.tobuf(tarfile.USTAR_FORMAT) + b"1" * (1 << 20)
    assert send(root, BUILD, data)[0] == 1
    assert files(root) == OLD


@pytest.mark.parametrize("padding", [0, 1, 512, 513, 1024 + 512, 1024 + 1024 + 10])
def test_stream_that_breaks(root: Path, padding: int) -> None:
    """Wherever the stream ends before the archive's end mark, nothing is published."""
    whole = archive(("a", b"\0" * 1024), ("b", b"x" * 600))
    end = 512 + 1024 + 512 + 1024  # the two members; behind them comes the end mark
    assert send(root, BUILD, whole[: end - padding])[0] == 1
    assert files(root) == OLD
    assert send(root, BUILD, whole)[0] == 0


PATHS = [
    "", ".", "..", "/etc", "34/1234/2/check/job", "34/1234/2/check/job/abc1234/x",
    "../34/1234/2/check/job/abc1234",
    "34/1234/2/check/../abc1234", "34/1234/2/check/./abc1234", "34//1234/2/check/job/abc1234",
    "/34/1234/2/check/job/abc1234", "34/1234/2/check/job/abc1234/", "33/1234/2/check/job/abc1234",
    "34/1234/0/check/job/abc1234", "34/1234/2/.incoming/job/abc1234", "34/1234/2/check/job/ABC1234",
    "34/1234/2/check/job/abc12345", "34/1234/2/check/j ob/abc1234", "34/1234/2/check/j\nob/abc1234",
    "34/1234/2/check/job/abc1234\n", "٣٤/1234/2/check/job/abc1234", "4/01234/2/check/job/abc1234",
    f"ab/{'c' * 40}/post/job/abc1234",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_path_that_is_no_build(root: Path, path: str) -> None:
    assert not is_build(path)
    status, _ = send(root, path, archive(("a", b"x")))
    assert status == 1
    assert files(root) == OLD


@pytest.mark.parametrize(
    "path",
    [BUILD, "5/5/1/check/j/0000000", f"ab/ab{'c' * 38}/post/job.x/abc1234", f"ab/ab{'c' * 30}/p/j/abc1234"],
)
def test_path_of_a_build(root: Path, path: str) -> None:
    assert is_build(path)
    assert send(root, path, archive(("a", b"x")))[0] == 0


def test_another_builds_folder(root: Path) -> None:
    status, answer = send(root, next(iter(OLD)).rpartition("/")[0], archive(("job-output.txt", b"new\n")))
    assert (status, answer) == (1, {"error": "there are logs of this build already"})
    assert files(root) == OLD


@pytest.mark.parametrize(
    "command", ["", "ls", "upload", f"upload {BUILD} x", f"upload  {BUILD}", "scp -t /", "sh -c id"]
)
def test_other_commands(root: Path, command: str) -> None:
    process = start(root, command)
    output, _ = process.communicate(archive(("a", b"x")), timeout=30)
    assert process.returncode == 1
    assert "only" in json.loads(output)["error"]
    assert files(root) == OLD


def test_limits(root: Path) -> None:
    many = archive(*((f"f{number}", b"") for number in range(20)))
    large = archive(("a", b"x" * (3 << 20)))
    for options, data in (
        (("--max-files", "10"), many),
        (("--max-mib", "2"), large),
        (("--reserve-mib", "1000000000"), large),
    ):
        status, answer = send(root, BUILD, data, *options)
        assert status == 1
        assert answer["error"]
        assert files(root) == OLD
    assert "disk is full" in answer["error"]
    assert send(root, BUILD, many)[0] == 0


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_stopped_in_the_middle(root: Path, number: int) -> None:
    process = start(root, f"upload {BUILD}")
    assert process.stdin
    process.stdin.write(archive(("a", b"x" * 1000), ("b", b"y" * (1 << 20)))[: 1 << 19])
    process.stdin.flush()
    wait_for(lambda: len(files(root)) > 1)
    assert not (root / BUILD).exists()
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "stopped" in json.loads(output)["error"]
    assert files(root) == OLD
    assert list((root / ".incoming").iterdir()) == []


def test_timeout(root: Path) -> None:
    process = start(root, f"upload {BUILD}", "--timeout", "1")
    assert process.wait(timeout=30) == 1
    assert process.stdout
    assert "too long" in json.loads(process.stdout.read())["error"]


def test_killed_in_the_middle_leaves_what_expire_removes(root: Path) -> None:
    process = start(root, f"upload {BUILD}")
    assert process.stdin
    process.stdin.write(archive(("a", b"x" * 1000), ("b", b"y" * (1 << 20)))[: 1 << 19])
    process.stdin.flush()
    wait_for(lambda: len(files(root)) > 1)
    process.kill()
    process.wait(timeout=30)
    assert not (root / BUILD).exists()
    assert send(root, BUILD, archive(("a", b"x")))[0] == 0
    assert expire(root, 32, time.time() + 2 * DAY) == []
    assert files(root) == {**OLD, f"{BUILD}/a": b"x"}


def test_expire(root: Path) -> None:
    assert send(root, BUILD, archive(("a/b", b"x")))[0] == 0
    now = time.time()
    old = "34/1234/1/check/other/0000000"
    os.utime(root / old, (now - 33 * DAY,) * 2)
    # Neither a file of an operator's own nor what a link leads to is touched.
    (root / "robots.txt").write_text("User-agent: *\n")
    outside = root.parent / "outside"
    (outside / "56/1256/1/check/job").mkdir(parents=True)
    (outside / "56/1256/1/check/job/abc1234").mkdir()
    os.utime(outside / "56/1256/1/check/job/abc1234", (0, 0))
    (root / "56").symlink_to(outside / "56")
    assert expire(root, 32, now) == [old]
    assert not (root / "34/1234/1").exists()
    assert files(root) == {f"{BUILD}/a/b": b"x", "robots.txt": b"User-agent: *\n"}
    assert (outside / "56/1256/1/check/job/abc1234").is_dir()
    assert expire(root, 32, now + 33 * DAY) == [BUILD]
    assert not (root / "34").exists()
