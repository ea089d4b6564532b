"""Every version is pinned, in one place."""

from __future__ import annotations

import importlib.metadata
import itertools
import json
import re
import sysconfig
import tomllib
from pathlib import Path

from tests.policy.repository import ROOT, load


def pins() -> dict[str, str]:
    """Version by canonical name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {
        canonical(name): version for name, _, version in (line.partition("==") for line in lines) if version
    }


def canonical(name: str) -> str:
    """A distribution's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_direct_requirements_carry_no_version() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    for requirement in itertools.chain.from_iterable(extras.values()):
        assert canonical(requirement) in pins(), f"{requirement}: its version belongs into constraints.txt"


def test_the_environment_holds_what_is_pinned() -> None:
    pinned = pins()
    for distribution in importlib.metadata.distributions():
        name = canonical(distribution.metadata["Name"])
        if name not in {"pip", "setuptools", "xenci"}:
            assert pinned.get(name) == distribution.version, f"{name} {distribution.version} is not pinned so"


def test_collections_are_those_of_the_ansible_package() -> None:
    tree = Path(sysconfig.get_path("purelib")) / "ansible_collections"
    for collection in load(ROOT / "requirements.yml")["collections"]:
        manifest = tree / collection["name"].replace(".", "/") / "MANIFEST.json"
        version = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"]
        assert version == collection["version"], collection["name"]


def test_galaxy_and_package_have_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert load(ROOT / "galaxy.yml")["version"] == project["version"]
