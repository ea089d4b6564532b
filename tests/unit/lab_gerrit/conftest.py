"""One lab Gerrit for the tests that only use it; those that kill it make their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.lab_gerrit.lab import Lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("lab"))
    made.init()
    made.start()
    try:
        made.fill()
        yield made
    finally:
        made.stop()
