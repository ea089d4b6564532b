"""Where a value was written: the one file that leans on ansible-core's private origin tags.

`tests/unit/check/test_origins.py` fails when a new ansible-core has moved them.
"""

from __future__ import annotations

from ansible._internal._datatag._tags import Origin

from xenci.check.mistake import Place


def place(value: object) -> Place | None:
    """Where Ansible read a value, a key or a name; None where it doesn't say (true, null, results)."""
    # Errors of the YAML parser carry the tag itself.
    origin = value if isinstance(value, Origin) else Origin.get_tag(value)
    if origin is None or origin.path is None:
        return None
    return Place(str(origin.path), origin.line_num or 1, origin.col_num or 1)
