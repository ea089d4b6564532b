"""Tests that need Zuul itself; they run in a venv of their own, `make test-zuul`."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.zuul import layout
from xenci.zuul import host_keys


@pytest.fixture(scope="session")
def zuul_root() -> Path:
    """The installed package of Zuul."""
    import zuul

    return Path(zuul.__file__).parent


@pytest.fixture(scope="session", autouse=True)
def strict():
    """Everything that the executor's process gets; other services get less."""
    host_keys.apply("executor")


@pytest.fixture
def run():
    """Run `xenci-zuul` as a process."""

    def call(*arguments: str) -> subprocess.CompletedProcess:
        command = [str(Path(sys.executable).parent / "xenci-zuul"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return call


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """`site(mode)`: the demo in a mode, as Zuul reads it; rendered once."""
    made = {}

    def get(mode: str) -> layout.Site:
        if mode not in made:
            directory = tmp_path_factory.mktemp(mode)
            done = layout.render(directory, site_thirdparty_mode=mode)
            assert done.returncode == 0, done.stdout + done.stderr
            made[mode] = layout.Site(directory / "infra")
        return made[mode]

    return get
