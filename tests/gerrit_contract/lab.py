"""A lab Gerrit on loopback, from an empty site, for one run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.gerrit_contract.replay import Server

ADMIN_PASSWORD = "secret-at-first"
CANONICAL_URL = "https://review.example.org/"
START_LIMIT = 20.0


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def lab_gerrit(folder: Path) -> Iterator[Server]:
    """Make a site below `folder` and serve it; its log is `folder`/lab_gerrit.log, its capture
    `capture.jsonl`.
    """
    site, http, ssh = folder / "site", free_port(), free_port()
    password = folder / "admin-password"
    password.write_text(ADMIN_PASSWORD)
    program = [sys.executable, "-m", "xenci.lab_gerrit"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    subprocess.run(
        [*program, "init", "--site", str(site), "--admin-password-file", str(password)],
        check=True,
        env=environment,
    )
    options = ["--http-port", str(http), "--ssh-port", str(ssh), "--canonical-url", CANONICAL_URL]
    options += ["--capture", str(folder / "capture.jsonl")]
    with (folder / "lab_gerrit.log").open("wb") as log:
        daemon = subprocess.Popen(
            [*program, "daemon", "--site", str(site), *options], stderr=log, stdout=log, env=environment
        )
    try:
        url = f"http://127.0.0.1:{http}"
        _wait(url, daemon, folder / "lab_gerrit.log")
        yield Server(url, "127.0.0.1", ssh, admin_password=ADMIN_PASSWORD, canonical_url=CANONICAL_URL)
    finally:
        daemon.terminate()
        daemon.wait(10)


def _wait(url: str, daemon: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        if daemon.poll() is not None:
            raise RuntimeError(f"lab Gerrit ended with {daemon.returncode}:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"{url}/config/server/version", timeout=2):  # noqa: S310  http on loopback
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise RuntimeError(f"lab Gerrit did not answer within {START_LIMIT} s:\n{log.read_text()}")
