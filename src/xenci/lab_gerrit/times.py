"""Times as the REST API shows them."""

from __future__ import annotations

import datetime


def timestamp(seconds: float) -> str:
    """UTC, nanoseconds, no zone."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f") + "000"
