"""`xenci lint`: whether a change to the infra repository is fit to be reviewed.

What is looked at is data and may be anybody's: nothing here has a secret, and whoever runs this on a change
that nobody has read does it on a machine that may be thrown away, since Ansible works out templates of the
inventory.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path

from xenci.check import Result, merge
from xenci.check.mistake import Mistake, Place

INVENTORY = "inventory"
"""Where an infra repository has its inventory."""


def lint(infra: Path, root: Path, inventories: Sequence[str] = (INVENTORY,)) -> Result:
    """Everything that is wrong in a checkout of infra.

    :param root: checkout of xenci.
    :param inventories: inventory sources below `infra`, the later outranking the earlier.
    """
    # Here, since some of them load Ansible, which reads its settings once.
    from xenci import check
    from xenci.lint import agree, stubs, tools

    infra = infra.resolve()
    with tempfile.TemporaryDirectory(prefix="xenci-lint-") as folder:
        # Resolved, as `check` resolves what it is given.
        copy = Path(folder).resolve() / "infra"
        password = stubs.copy(infra, copy, root)
        sources = [copy / name for name in inventories]
        checked = check.check(sources, root, password, [copy], stubs=True)
        mistakes = [*checked.mistakes, *tools.yamllint(copy), *tools.ansible_lint(copy, root, password)]
        # What has mistakes can't be rendered, or not rightly, and both would say the same.
        if not any(one.place.path.startswith(tuple(map(str, sources))) for one in checked.mistakes):
            mistakes += agree.check(sources, copy, root, password)
        found = merge([home(one, copy, infra) for one in mistakes])
    return Result(found, checked.unreadable, checked.left)


def home(one: Mistake, copy: Path, infra: Path) -> Mistake:
    """A mistake of the copy as one of the checkout."""

    def there(text: str) -> str:
        return text.replace(str(copy), str(infra))

    place = Place(there(one.place.path), one.place.line, one.place.column)
    return dataclasses.replace(
        one, place=place, what=there(one.what), fix=there(one.fix), value=there(one.value)
    )
