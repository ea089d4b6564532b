"""Whether the generated part of infra is what the inventory says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from xenci import render
from xenci.check.mistake import Mistake, Place


def check(sources: Sequence[Path], infra: Path, root: Path, password: Path) -> Iterator[Mistake]:
    """Files that `xenci render` would write in another way; of an inventory that can't be rendered, why."""
    environment = {"ANSIBLE_VAULT_PASSWORD_FILE": str(password)}
    try:
        differing = render.render(sources, infra, root=root, check=True, environment=environment)
    except render.RenderError as error:
        yield Mistake(Place(str(sources[0])), "", f"the inventory can't be rendered, {error}", "")
        return
    for name in differing:
        path = infra / name
        what = "is not what" if path.exists() else "is not there, but follows from what"
        where = Place(str(path if path.exists() else sources[0]))
        fix = "change the inventory, run xenci render, and commit both"
        yield Mistake(where, "", f"{name} {what} the inventory says", fix)
