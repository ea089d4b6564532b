"""A real Gerrit as the lab's review server: the one host `review` gets another role, and all else stays."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from pathlib import Path

import yaml

from xenci.demo.lab import Lab
from xenci.demo.machine import UnfitError
from xenci.files import write


@dataclasses.dataclass(frozen=True)
class War:
    """A war, its version as in 3.11.5, and its SHA-256."""

    path: Path
    version: str
    sha256: str


def war(path: Path, version: str | None) -> War:
    """What is known of a war.

    :param version: in place of the one in the file's name.
    :raises UnfitError: when there is no such file, or no version.
    """
    path = path.resolve()
    if not path.is_file():
        raise UnfitError([f"there is no war {path}: correct GERRIT_WAR"])
    named = re.search(r"\d+\.\d+\.\d+", path.name)
    if not version and not named:
        raise UnfitError(
            [f"{path.name} does not say which version it is: give GERRIT_VERSION=3.11.5 or the like"]
        )
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return War(path, version or (named[0] if named else ""), digest)


def use(lab: Lab, given: War) -> bool:
    """Write into the lab's inventory that its review server runs a war; whether that is new.

    :raises UnfitError: when the lab has the other kind of review server already.
    """
    file = lab.inventory / "gerrit_server.yml"
    if lab.applied.exists() and not file.exists():
        raise UnfitError(
            [f"lab {lab.name} has a review server of the lab's own: remove it first (demo-down)"]
        )
    variables = {
        "gerrit_war_file": str(given.path),
        "gerrit_war_sha256": given.sha256,
        "gerrit_version": given.version,
    }
    group = {"hosts": {"review": None}, "vars": variables}
    text = "---\n" + yaml.safe_dump({"all": {"children": {"gerrit_server": group}}}, sort_keys=False)
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return False
    write(file, text)
    return True
