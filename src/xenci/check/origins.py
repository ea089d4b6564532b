"""Where a value was written: the one file that leans on ansible-core's private origin tags.

`tests/unit/check/test_origins.py` fails when a new ansible-core has moved them.
"""

from __future__ import annotations

from ansible._internal._datatag._tags import Origin
from ansible.template import trust_as_template

from xenci.check.mistake import Place


def place(value: object) -> Place | None:
    """Where Ansible read a value, a key or a name; None where it doesn't say (true, null, results)."""
    # Errors of the YAML parser carry the tag itself.
    origin = value if isinstance(value, Origin) else Origin.get_tag(value)
    if origin is None or origin.path is None:
        return None
    return Place(str(origin.path), origin.line_num or 1, origin.col_num or 1)


def template_at(text: str, value: object) -> str:
    """A template that stands where Ansible read a value."""
    origin = Origin.get_tag(value)
    template: str = trust_as_template(origin.tag(text) if origin else text)
    return template
