"""`xenci render`: the infra repository, as far as it follows from the inventory.

The values are Ansible's to work out (defaults, groups, templates in variables), so Ansible renders them: the
role `infra_config`, through `playbooks/operate_render.yml`. This module calls it and says what changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from xenci import playbook


class RenderError(Exception):
    """The inventory could not be rendered; the text says why."""


def render(
    inventories: Sequence[Path],
    destination: Path,
    *,
    root: Path,
    check: bool = False,
    environment: Mapping[str, str] | None = None,
) -> list[str]:
    """Write the files that follow from the inventory into the infra checkout `destination`.

    `root` is the checkout of xenci, `environment` what Ansible needs beyond this process's. Returns the
    paths, relative to `destination`, that changed; with `check` those that would have, and writes nothing.
    Raises RenderError.
    """
    variables = {"infra_config_directory": str(destination.resolve())}
    try:
        answers = playbook.run(
            "operate_render",
            inventories,
            root=root,
            extra_vars=variables,
            check=check,
            environment=environment,
        )
    except playbook.PlaybookError as error:
        raise RenderError(str(error)) from error
    if failure := next((answer.failure for answer in answers if answer.failure), ""):
        raise RenderError(failure)
    items = [item for answer in answers for item in answer.result.get("results", []) if item.get("changed")]
    return sorted(item["item"] for item in items if item["item"].endswith((".yaml", ".yml")))
