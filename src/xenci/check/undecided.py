"""Values that an inventory leaves to be decided: `<what to give>` in place of a value.

Each is named once; what is made of it can't be judged yet, so that nothing else is said of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from xenci.check.mistake import Place
from xenci.check.origins import place, template_at

PLACEHOLDER = re.compile(r"\s*<([^<>]+)>\s*")
HINT = "still to be decided"


def take(content: Any) -> Iterator[tuple[Place | None, str]]:
    """Put an undefined value in the place of each placeholder; where they were, and what each asks for."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in list(items):
        if isinstance(value, (dict, list)):
            yield from take(value)
        elif isinstance(value, str) and (found := PLACEHOLDER.fullmatch(value)):
            content[key] = template_at(f"{{{{ undef(hint='{HINT}') }}}}", value)
            yield place(value), found[1]
