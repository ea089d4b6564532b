"""What a host knows of a file, in a line."""

from __future__ import annotations

from typing import Any

import pytest

from xenci.runs.history import line

AT = {"path": "/etc/a", "gone": False, "changed_at": "2026-01-02T03:04:05Z", "known": True}
ROOT = {"user": "root", "source": "192.0.2.7", "since": "2026-01-02T03:00:00Z", "key": "ED25519 SHA256:abc"}
BOB = {"user": "bob", "source": "192.0.2.8", "since": "2026-01-02T03:00:00Z", "key": ""}
SUDO = {"user": "alice", "at": "2026-01-02T03:03:50Z", "command": "/usr/bin/vi /etc/a"}


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "changed 2026-01-02 03:04:05 UTC; nobody was logged in by SSH then"),
        (
            {"sessions": [ROOT, ROOT, BOB]},
            "changed 2026-01-02 03:04:05 UTC; logged in then: root from 192.0.2.7 (ED25519 SHA256:abc),"
            " bob from 192.0.2.8",
        ),
        (
            {"sessions": [ROOT], "commands": [SUDO]},
            "changed 2026-01-02 03:04:05 UTC; alice by sudo at 03:03:50: /usr/bin/vi /etc/a",
        ),
        ({"known": False}, "changed 2026-01-02 03:04:05 UTC; the host's journal has nothing so old"),
        (
            {"gone": True},
            "not there; its folder was changed 2026-01-02 03:04:05 UTC; nobody was logged in by SSH then",
        ),
        ({"gone": True, "changed_at": ""}, "neither it nor its folder is there"),
    ],
)
def test_line(more: dict[str, Any], text: str) -> None:
    assert line({**AT, "sessions": [], "commands": [], **more}) == text
