"""The role golden_image as Ansible runs it, on a dom0 of doubles, with an image that is made already."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.xen_guest.dom0 import SOURCE, Dom0, ssh_servers
from xenci import playbook
from xenci.paths import checkout

ROOT = checkout()
PROGRAM = ROOT / "roles/golden_image/files/make-image"
Run = Callable[..., list[playbook.Answer]]


@pytest.fixture
def dom0(tmp_path: Path) -> Iterator[Dom0]:
    """A host without that image; `ssh` there leads nowhere, and says what it was asked for."""
    with ssh_servers() as port:
        host = Dom0(tmp_path / "dom0", "reflink", port)
        programs = {
            "xenci-guest": f"PATH={host.root}/bin:/usr/bin:/bin PYTHONPATH={SOURCE} "
            f'exec {sys.executable} -m xenci.guest --config {host.root}/xenci-guest.json "$@"',
            "ssh": f'echo "$@" >>{host.root}/logins; test ! -e {host.root}/no-login',
        }
        (host.root / "sbin").mkdir()
        for name, text in programs.items():
            program = host.root / "sbin" / name
            program.write_text(f"#!/bin/sh\n{text}\n")
            program.chmod(0o755)
        yield host


def made(cache: Path, edition: str) -> str:
    """Put an image of a few bytes where the role looks for it; its version is the right one."""
    folder = cache / "tiny"
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["--suite", "bookworm", "--edition", edition, "--output", str(folder), "--dry-run"]
    said = subprocess.run([PROGRAM, *arguments], check=True, capture_output=True, text=True).stdout
    content = {"root.img": edition.encode() * 1000, "vmlinux": b"kernel", "initrd.img": b"initrd"}
    for name, data in content.items():
        (folder / name).write_bytes(data)
    manifest: dict[str, Any] = {
        "version": said.split()[1],
        "kernel": "vmlinux",
        "initrd": "initrd.img",
        "root": "root.img",
        "types": ["pv", "pvh"],
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in content.items()},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "image.tar.zst").unlink(missing_ok=True)
    return str(manifest["version"])


@pytest.fixture
def run(dom0: Dom0, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run(edition, check=False)``: answers of the playbook of production."""
    monkeypatch.setenv("PATH", f"{dom0.root}/sbin:{os.environ['PATH']}")
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = tmp_path / "hosts.json"
    inventory.write_text(
        json.dumps({"all": {"children": {"xen_host": {"hosts": {"xen1": here}}, "disabled": {}}}})
    )

    def call(edition: str, check: bool = False) -> list[playbook.Answer]:
        variables = {
            "site_xen_images": [{"name": "tiny", "suite": "bookworm", "edition": edition}],
            "golden_image_cache": str(tmp_path / "cache"),
            "golden_image_way": str(tmp_path),
            "golden_image_keep": 0,
        }
        return playbook.run(
            "configure_golden_image", [inventory], root=ROOT, extra_vars=variables, check=check
        )

    return call


def changed(answers: list[playbook.Answer]) -> list[str]:
    """The tasks that changed something."""
    assert [answer.failure for answer in answers if answer.failure] == []
    return [answer.task.rpartition("| ")[2] for answer in answers if answer.result.get("changed")]


def versions(dom0: Dom0) -> dict[str, bool]:
    """Version, and whether guests are made of it."""
    return {image["version"]: image["current"] for image in dom0.ask("images")["images"]}


def test_the_life_of_an_image(run: Run, dom0: Dom0, tmp_path: Path) -> None:
    first = made(tmp_path / "cache", "1")
    assert changed(run("1", check=True)) == ["Make new guests of it"]
    assert versions(dom0) == {}
    assert "Log in and use it" not in changed(run("1"))
    assert versions(dom0) == {first: True}
    [login] = (dom0.root / "logins").read_text().splitlines()
    assert "StrictHostKeyChecking=yes" in login
    assert "zuul@127.77.0.10" in login
    assert changed(run("1")) == []
    assert dom0.left() == {}
    # A version that can't be used is never current, and is tried again.
    dom0.create("g1", image="tiny")
    second = made(tmp_path / "cache", "2")
    (dom0.root / "no-login").touch()
    answers = run("2")
    [failure] = [answer.failure for answer in answers if answer.failure]
    assert "Log in and use it" in failure
    assert versions(dom0) == {first: True, second: False}
    assert [domain["name"] for domain in dom0.domains()] == ["g1"]
    (dom0.root / "no-login").unlink()
    assert "Import it, without making guests of it yet" not in changed(run("2"))
    # The old one stays while a guest is made of it.
    assert versions(dom0) == {first: False, second: True}
    dom0.ask("delete", name="g1")
    assert changed(run("2")) == ["Make new guests of it"]
    assert versions(dom0) == {second: True}
    assert dom0.left() == {}
