"""docs/xen_guest.md says what is so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.xen_guest.dom0 import SOURCE, Dom0
from xenci.guest.config import load
from xenci.guest.errors import CODES
from xenci.guest.images import read
from xenci.guest.operations import OPERATIONS

PAGE = (SOURCE.parent / "docs/xen_guest.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(text: str) -> list[str]:
    return re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split(" |")]
        for line in text.splitlines()
        if line[:1] == "|"
    ]


def words(cell: str) -> list[str]:
    return re.findall(r"`([a-z_]+)`", cell)


def test_commands(new_dom0: Callable[..., Dom0]) -> None:
    dom0 = new_dom0()
    program = dom0.root / "bin/xenci-guest"
    program.write_text(
        f"#!/bin/sh\nPYTHONPATH={SOURCE} exec {sys.executable} -m xenci.guest "
        f'--config {dom0.root}/xenci-guest.json "$@"\n'
    )
    program.chmod(0o755)
    for command in blocks(PAGE.partition("## ")[0])[0].splitlines():
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            env={"PATH": f"{dom0.root}/bin:/usr/bin:/bin"},
            capture_output=True,
            check=True,
            timeout=60,
        )
        assert json.loads(done.stdout)["ok"], command


def test_operations() -> None:
    told: dict[str, tuple[set[str], set[str]]] = {}
    for row in rows(section("Operations")):
        names = words(row[0])
        if names and names[0] in OPERATIONS:
            fields = row[1].split(";") if len(names) > 1 else [row[1]]
            for name, cell in zip(names, fields, strict=True):
                required, _, optional = cell.partition("[")
                told[name] = (set(words(required)), set(words(optional)))
    there = {
        name: (set(operation.shape.required), set(operation.shape.optional))
        for name, operation in OPERATIONS.items()
    }
    assert told == there
    after = section("Operations").partition("--operator")[2]
    for name, operation in OPERATIONS.items():
        assert operation.shape.operator == (f"`{name}`" in after.partition("\n\n")[0]), name


def test_codes() -> None:
    told = {code: row[-1].strip() == "yes" for row in rows(section("Errors")) for code in words(row[0])}
    assert told == CODES


def test_configuration(tmp_path: Path) -> None:
    text = section("What the host has: `/etc/xenci-guest.json`")
    shown = json.loads(blocks(text)[0])
    other = json.loads(next(part for part in re.findall(r"`(\{.*?\})`", text) if "lvm_thin" in part))
    for storage in (shown["storage"], other):
        file = tmp_path / "c.json"
        file.write_text(json.dumps({**shown, "storage": storage}))
        config = load(file)
        assert config.storage.backend == storage["backend"]
    for key in (
        "state",
        "run",
        "console_logs",
        "xl_logs",
        "types",
        "ssh_port",
        "boot_timeout",
        "min_free_percent",
    ):
        assert f"`{key}` (" in text.replace("\n", " ")
        if key != "types":
            assert f"`{key}` (`{getattr(config, key)}`)".replace("(`", "(").replace(
                "`)", ")"
            ) in text.replace("\n", " ").replace("(`", "(").replace("`)", ")")


def test_manifest(tmp_path: Path) -> None:
    manifest = json.loads(blocks(section("What an image must do"))[0].replace('"..."', f'"{"0" * 64}"'))
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    for part in ("kernel", "initrd", "root"):
        (tmp_path / manifest[part]).write_bytes(b"x")
    assert read(tmp_path, "debian-12", "1").types == ("pv", "pvh")
