"""Whether a guest's SSH server is up. Its keys are known before it boots: they are never taken from here."""

from __future__ import annotations

import socket
import time

PAUSE = 1.0


def answers(address: str, port: int) -> bool:
    """Tell whether an SSH server greets; if not, that takes PAUSE seconds to three times PAUSE."""
    begun = time.monotonic()
    try:
        with socket.create_connection((address, port), timeout=PAUSE) as connection:
            connection.settimeout(2 * PAUSE)
            return connection.recv(4) == b"SSH-"
    except OSError:
        # Refused at once by a guest whose network is up: ask again, but not without a breath.
        time.sleep(max(0.0, PAUSE - (time.monotonic() - begun)))
        return False
