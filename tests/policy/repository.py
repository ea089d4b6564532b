"""What the policy tests look at: the files of the repository, as git knows them."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


@functools.cache
def files() -> tuple[Path, ...]:
    """Tracked and new files, without what is ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    return tuple(ROOT / name for name in sorted(set(listed.split("\0"))) if name and (ROOT / name).is_file())


@functools.cache
def text_files() -> dict[str, str]:
    """Content of every text file, by its name from the root; recordings are data and left out."""
    texts = {}
    for path in files():
        name = str(path.relative_to(ROOT))
        content = path.read_bytes()
        if not name.startswith("tests/recordings/") and b"\0" not in content:
            texts[name] = content.decode("utf-8")
    return texts


def roles() -> list[Path]:
    """Every directory below roles/ that holds a file."""
    top = ROOT / "roles"
    return sorted({top / path.relative_to(top).parts[0] for path in files() if top in path.parents})


def load(path: Path) -> Any:
    """A YAML file; Ansible's own tags are read as plain strings."""

    class Loader(yaml.SafeLoader):
        """Safe loader that knows !vault and !unsafe."""

    for tag in ("!vault", "!unsafe"):
        Loader.add_constructor(tag, lambda _loader, node: str(node.value))
    return yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)  # noqa: S506  # it is a SafeLoader
