"""Whatever the clients of a whole demo said to the lab Gerrit was answered as a real Gerrit does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.e2e.conftest import ROOT, Command
from xenci.demo.lab import Lab


def test_exchanges_are_as_recorded(finished: Command, lab: Lab, tmp_path: Path) -> None:
    assert finished.lines
    capture = tmp_path / "exchanges.jsonl"
    read = [
        "ssh",
        "-F",
        str(lab.directory / "ssh_config"),
        "review",
        "cat /srv/lab-gerrit/logs/exchanges.jsonl",
    ]
    with capture.open("wb") as file:
        subprocess.run(read, check=True, stdout=file)
    match = [sys.executable, "-m", "tests.gerrit_contract.match", str(capture)]
    done = subprocess.run(match, cwd=ROOT, check=False, capture_output=True, text=True)
    sys.stdout.write(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
