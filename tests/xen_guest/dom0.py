"""A dom0 made of doubles, in which the real program runs as a process."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"
PROGRAMS = (
    *("xl", "xenstore-list", "cp", "ssh-keygen"),
    *("findmnt", "mount", "umount", "btrfs", "nft", "dpkg-query", "lsblk", "systemctl"),
    *("lvs", "lvcreate", "lvchange", "lvextend", "lvremove", "dd"),
)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUbU0sSPiYYEtWM8vJhVhDpa6FKVsLJkhKHZkPrVKGm ci"
# Debian 11's, say: XENCI_GUEST_PYTHON=/usr/bin/python3.9 pytest tests/xen_guest
PYTHON = os.environ.get("XENCI_GUEST_PYTHON", sys.executable)
SILENT_PORT = 9  # discard: nobody listens
GUEST: dict[str, Any] = {
    "image": "debian-12",
    "type": "pv",
    "memory_mib": 256,
    "vcpus": 1,
    "authorized_keys": [KEY],
}


class Dom0:
    """The host's files, and calls of `xenci-guest` on it."""

    def __init__(self, root: Path, backend: str, ssh_port: int, slots: int = 2) -> None:
        self.root, self.xen, self.backend = root, root / "xen", backend
        for folder in ("bin", "xen/domains", "xen/volumes", "xen/log", "disks", "images", "source"):
            (root / folder).mkdir(parents=True)
        for program in PROGRAMS:
            (root / "bin" / program).symlink_to(HERE / "double.py")
        self.set("next", "1")
        self.config: dict[str, Any] = {
            "state": str(root / "state"),
            "run": str(root / "run"),
            "images": str(root / "images"),
            "console_logs": str(root / "xen/log"),
            "xl_logs": str(root / "xen/log"),
            "storage": {"backend": "reflink", "folder": str(root / "disks")}
            if backend == "reflink"
            else {"backend": "lvm_thin", "volume_group": "vg", "pool": "thin"},
            "capacity": {"memory_mib": 4096, "vcpus": 16, "storage_mib": 1000},
            "network": {
                "bridge": "xenbr0",
                "prefix": 24,
                "gateway": "127.77.0.1",
                "dns": ["127.77.0.1"],
                "slots": [
                    {"mac": f"00:16:3e:4d:00:{number:02x}", "address": f"127.77.0.{number}"}
                    for number in range(10, 10 + slots)
                ],
            },
            "ssh_port": ssh_port,
            "boot_timeout": 20,
            "min_free_percent": 0,
        }
        self.write_config()

    def write_config(self) -> None:
        """Put the configuration in place, as the role xen_host does."""
        (self.root / "xenci-guest.json").write_text(json.dumps(self.config))

    def set(self, name: str, value: str = "yes") -> None:
        """Tell the doubles something."""
        (self.xen / name).write_text(value)

    def unset(self, name: str) -> None:
        """Tell it no more."""
        (self.xen / name).unlink()

    def start(self, request: Any, *options: str) -> subprocess.Popen[bytes]:
        """Start the program with a request (bytes as they are, anything else as JSON)."""
        process = subprocess.Popen(
            [PYTHON, "-m", "xenci.guest", "--config", str(self.root / "xenci-guest.json"), *options],
            env={
                "PATH": f"{self.root}/bin:/usr/bin:/bin",
                "PYTHONPATH": str(SOURCE),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin
        process.stdin.write(request if isinstance(request, bytes) else json.dumps(request).encode())
        process.stdin.close()
        process.stdin = None
        return process

    def end(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        """Return the reply: one line of JSON and nothing else, whatever was asked."""
        output, errors = process.communicate(timeout=120)
        assert errors == b""
        assert output.count(b"\n") == 1, output
        reply: dict[str, Any] = json.loads(output)
        assert process.returncode == (0 if reply["ok"] else 1)
        return reply

    def ask(self, operation: str, *options: str, **fields: Any) -> dict[str, Any]:
        """Return the reply to a request."""
        return self.end(self.start({"operation": operation, **fields}, *options))

    def create(self, name: str, **fields: Any) -> dict[str, Any]:
        """Ask for a guest."""
        return self.ask("create", name=name, **{**GUEST, **fields})

    def add_image(self, name: str = "debian-12", version: str = "1", **manifest: Any) -> dict[str, Any]:
        """Import an image of a few bytes, whose content is its name and version."""
        folder = self.root / "source" / f"{name}-{version}"
        folder.mkdir()
        content = {
            "root.img": f"{name} {version}".encode() * 1000,
            "vmlinux": b"kernel",
            "initrd.img": b"initrd",
        }
        for file, data in content.items():
            (folder / file).write_bytes(data)
        sums = {file: hashlib.sha256(data).hexdigest() for file, data in content.items()}
        whole = {
            "kernel": "vmlinux",
            "initrd": "initrd.img",
            "root": "root.img",
            "cmdline": "root=/dev/xvda rw console=hvc0",
            "types": ["pv", "pvh", "hvm"],
            "sha256": sums,
            **manifest,
        }
        (folder / "manifest.json").write_text(json.dumps(whole))
        return self.ask("import", "--operator", image=name, version=version, source=str(folder))

    def domains(self) -> list[dict[str, Any]]:
        """Return Xen's domains."""
        return [json.loads(file.read_text()) for file in sorted((self.xen / "domains").iterdir())]

    def disks(self) -> list[str]:
        """Return the guests that have a disk."""
        files = [file.name for file in (self.root / "disks").iterdir()]
        volumes = [file.name for file in (self.xen / "volumes").iterdir()]
        return sorted(
            [name.removesuffix(".img") for name in files]
            + [name.removeprefix("guest-") for name in volumes if name.startswith("guest-")]
        )

    def left(self) -> dict[str, list[str]]:
        """Return everything that is there of guests but console logs, as the host itself shows it."""
        state = self.root / "state"
        parts = {
            "domains": [domain["name"] for domain in self.domains()],
            "disks": self.disks(),
            "records": [file.name for file in (state / "records").glob("*")],
            "folders": [file.name for file in (state / "guests").glob("*")],
            "locks": [file.name for file in (self.root / "run").glob("*") if file.name != "all"],
        }
        return {part: found for part, found in parts.items() if found}

    def calls(self) -> list[str]:
        """Return the commands that were run."""
        return (self.xen / "calls").read_text().splitlines()


@contextmanager
def ssh_servers() -> Iterator[int]:
    """Answer as an SSH server would, on one port of every local address; give the port."""
    with socket.create_server(("0.0.0.0", 0), backlog=64) as server:  # noqa: S104  # 127.77.0.* are guests

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"SSH-2.0-guest\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
