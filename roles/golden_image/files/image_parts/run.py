"""Run programs, and say why they failed."""

from __future__ import annotations

import os
import subprocess

PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


class ImageError(Exception):
    """The image can't be made; the text says why."""


def run(command: list[str]) -> str:
    """Run a program; its output, or ImageError with the end of what it said."""
    environment = {**os.environ, "LC_ALL": "C", "PATH": PATH}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-15:]
        raise ImageError("\n".join([f"{command[0]} ended with status {done.returncode}:", *said]))
    return done.stdout
