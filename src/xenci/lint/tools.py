"""What yamllint and ansible-lint say, as mistakes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from xenci.check.inventory import encrypted
from xenci.check.mistake import Mistake, Place

YAMLLINT = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): \[\w+\] (?P<what>.+)")


class ToolError(Exception):
    """A linter did not run; the text is what it printed."""


def yamllint(infra: Path) -> Iterator[Mistake]:
    """YAML that people can't read well, by the rules in the checkout's `.yamllint`."""
    files = [
        str(path.relative_to(infra))
        for pattern in ("*.yml", "*.yaml")
        for path in sorted(infra.rglob(pattern))
        if path.is_file() and not path.is_symlink() and not encrypted(str(path))
    ]
    done = run(["yamllint", "--strict", "--format", "parsable", *files], infra)
    found = [match for line in done.stdout.splitlines() if (match := YAMLLINT.fullmatch(line))]
    if done.returncode and not found:
        raise ToolError(f"yamllint: {(done.stderr or done.stdout).strip()}")
    for match in found:
        place = Place(str(infra / match["file"]), int(match["line"]), int(match["column"]))
        yield Mistake(place, "", match["what"], "")


def ansible_lint(infra: Path, root: Path, password: Path) -> Iterator[Mistake]:
    """Playbooks and roles that Ansible's own linter refuses, by the checkout's `.ansible-lint`."""
    done = run(
        ["ansible-lint", "--offline", "--strict", "--nocolor", "--format", "codeclimate"],
        infra,
        ANSIBLE_COLLECTIONS_PATH=str(root / ".cache"),
        ANSIBLE_VAULT_PASSWORD_FILE=str(password),
    )
    try:
        found = json.loads(done.stdout)
    except ValueError:
        raise ToolError(f"ansible-lint: {(done.stderr or done.stdout).strip()}") from None
    for one in found:
        where = one["location"]
        line = where["lines"]["begin"] if "lines" in where else where["positions"]["begin"]["line"]
        more = (one.get("content") or {}).get("body") or one["description"]
        what = f"{one['check_name']}: {' '.join(str(more).split())}"
        yield Mistake(Place(str(infra / where["path"]), int(line)), "", what, "")


def run(command: Sequence[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one of the programs beside this Python."""
    program = Path(sys.executable).with_name(command[0])
    if not program.exists():
        raise ToolError(f"there is no {command[0]} beside {sys.executable}: run make setup")
    # They call Ansible's programs by name.
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [str(program), *command[1:]],
        cwd=folder,
        env={**os.environ, **environment, "PATH": path, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
