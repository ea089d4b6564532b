"""The xen_* modules over the real xenci-guest, on a host made of doubles."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from tests.xen_guest.dom0 import KEY, SOURCE, Dom0, ssh_servers

Run = Callable[..., dict[str, Any]]
GUEST = {"name": "g1", "image": "debian-12", "type": "pv", "memory_mib": 256, "authorized_keys": [KEY]}


@pytest.fixture
def dom0(tmp_path: Path) -> Any:
    """A host with an image, and the program where the modules find it."""
    with ssh_servers() as port:
        host = Dom0(tmp_path / "dom0", "reflink", port)
        assert host.add_image()["ok"]
        program = host.root / "bin/xenci-guest"
        program.write_text(
            f"#!/bin/sh\nPATH={host.root}/bin:/usr/bin:/bin PYTHONPATH={SOURCE} "
            f'exec {sys.executable} -m xenci.guest --config {host.root}/xenci-guest.json "$@"\n'
        )
        program.chmod(0o755)
        yield host


@pytest.fixture
def run(dom0: Dom0, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``run(module, check=False, **params)``: what the module tells Ansible."""
    monkeypatch.setattr("ansible.module_utils._internal.is_controller", False)

    def call(name: str, /, check: bool = False, **params: Any) -> dict[str, Any]:
        module = importlib.import_module(f"ansible_collections.xenci.stack.plugins.modules.{name}")
        params.setdefault("executable", str(dom0.root / "bin/xenci-guest"))
        with (
            patch_module_args({**params, "_ansible_check_mode": check, "_ansible_diff": True}),
            pytest.raises(SystemExit),
        ):
            module.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return call


def test_guest_is_made_once(run: Run, dom0: Dom0) -> None:
    first = run("xen_guest", **GUEST)
    assert (first["changed"], first["actions"]) == (True, ["create guest g1"])
    assert first["guest"]["address"] == "127.77.0.10"
    assert first["guest"]["host_keys"][0].startswith("ssh-ed25519 ")
    assert first["diff"]["before"] == {}
    second = run("xen_guest", **GUEST)
    assert (second["changed"], second["actions"]) == (False, [])
    assert second["diff"]["before"] == second["diff"]["after"]
    assert second["guest"]["host_keys"] == first["guest"]["host_keys"]
    assert len(dom0.domains()) == 1


def test_check_mode_makes_nothing(run: Run, dom0: Dom0) -> None:
    result = run("xen_guest", check=True, **GUEST)
    assert (result["changed"], result["actions"]) == (True, ["create guest g1"])
    assert result["diff"]["after"]["memory_mib"] == 256
    assert dom0.left() == {}


def test_guest_is_never_changed(run: Run) -> None:
    run("xen_guest", **GUEST)
    for check in (True, False):
        result = run("xen_guest", check=check, **{**GUEST, "memory_mib": 512})
        assert (result["failed"], result["code"]) == (True, "exists")
        assert "memory_mib is 256, not 512" in result["msg"]


def test_dead_guest(run: Run, dom0: Dom0) -> None:
    run("xen_guest", **GUEST)
    next((dom0.xen / "domains").iterdir()).unlink()
    present = run("xen_guest", **GUEST)
    assert (present["changed"], present["guest"]["state"]) == (False, "dead")
    assert run("xen_guest", check=True, state="running", **GUEST)["actions"] == ["start guest g1"]
    assert dom0.domains() == []
    running = run("xen_guest", state="running", **GUEST)
    assert (running["changed"], running["guest"]["state"]) == (True, "running")
    assert not run("xen_guest", state="running", **GUEST)["changed"]


def test_reverted(run: Run, dom0: Dom0) -> None:
    assert run("xen_guest", state="reverted", **GUEST)["actions"] == ["create guest g1"]
    disk = dom0.root / "disks/g1.img"
    clean = disk.read_bytes()
    disk.write_bytes(b"dirt")
    assert run("xen_guest", check=True, state="reverted", **GUEST)["changed"]
    assert disk.read_bytes() == b"dirt"
    result = run("xen_guest", state="reverted", **GUEST)
    assert result["actions"] == ["give guest g1 a fresh clone of its image"]
    assert disk.read_bytes() == clean


def test_absent(run: Run, dom0: Dom0) -> None:
    run("xen_guest", **GUEST)
    assert run("xen_guest", check=True, name="g1", state="absent")["changed"]
    assert len(dom0.domains()) == 1
    result = run("xen_guest", name="g1", state="absent")
    assert (result["changed"], result["guest"], result["diff"]["after"]) == (True, {}, {})
    assert not run("xen_guest", name="g1", state="absent")["changed"]
    assert dom0.left() == {}


@pytest.mark.parametrize("content", ['{"name": "g1"', None])
def test_half_a_guest_is_made_whole(run: Run, dom0: Dom0, content: str | None) -> None:
    run("xen_guest", **GUEST)
    record = dom0.root / "state/records/g1.json"
    half = json.dumps({**json.loads(record.read_text()), "state": "creating"})
    record.write_text(half if content is None else content)
    result = run("xen_guest", **GUEST)
    assert result["actions"] == ["delete what there is of guest g1", "create guest g1"]
    assert result["guest"]["state"] == "running"


def test_refusal_tells_code_and_console(run: Run, dom0: Dom0) -> None:
    dom0.config["ssh_port"] = 9
    dom0.write_config()
    dom0.set("crash")
    result = run("xen_guest", **GUEST)
    assert (result["code"], result["reason"], "Kernel panic" in result["console"]) == ("died", "crash", True)
    assert dom0.left() == {}


def test_options_that_are_needed(run: Run) -> None:
    result = run("xen_guest", name="g1")
    assert "image, authorized_keys" in result["msg"]


def test_image(run: Run, dom0: Dom0) -> None:
    source = str(dom0.root / "source/debian-12-1")
    assert not run("xen_image", name="debian-12", version="1", source=source)["changed"]
    dom0.add_image("other", "2")
    new = {"name": "fedora", "version": "2", "source": str(dom0.root / "source/other-2")}
    predicted = run("xen_image", check=True, **new)
    assert predicted["diff"]["after"] == {"name": "fedora", "versions": ["2"], "current": "2"}
    assert not (dom0.root / "images/fedora").exists()
    result = run("xen_image", **new)
    assert (result["actions"], result["diff"]) == (predicted["actions"], predicted["diff"])
    assert not run("xen_image", **new)["changed"]
    assert run("xen_image", name="fedora", state="absent", check=True)["actions"] == ["remove image fedora 2"]
    assert run("xen_image", name="fedora", state="absent")["changed"]
    assert not run("xen_image", name="fedora", state="absent")["changed"]


def test_image_that_is_to_be_tried_first(run: Run, dom0: Dom0) -> None:
    version = {"name": "debian-12", "version": "2"}
    new = {**version, "source": str(dom0.root / "source/debian-12-1"), "current": False}
    result = run("xen_image", **new)
    assert result["diff"]["after"] == {"name": "debian-12", "versions": ["1", "2"], "current": "1"}
    assert not run("xen_image", **new)["changed"]
    result = run("xen_image", **version)
    assert (result["changed"], result["actions"]) == (True, ["make guests of debian-12 2"])
    assert not run("xen_image", **version)["changed"]
    assert run("xen_image", name="debian-12", version="3")["code"] == "no_such_image"


def test_old_images_go(run: Run, dom0: Dom0) -> None:
    run("xen_guest", **GUEST)  # of version 1
    for version in ("2", "3", "4"):
        dom0.add_image(version=version)
    wanted = {"name": "debian-12", "version": "4", "source": str(dom0.root / "source/debian-12-4"), "keep": 1}
    predicted = run("xen_image", check=True, **wanted)
    assert predicted["actions"] == ["remove image debian-12 2, which nothing uses"]
    result = run("xen_image", **wanted)
    assert result["diff"]["after"] == {"name": "debian-12", "versions": ["1", "3", "4"], "current": "4"}
    assert [image["version"] for image in dom0.ask("images")["images"]] == ["1", "3", "4"]
    assert not run("xen_image", **wanted)["changed"]


def test_image_in_use(run: Run) -> None:
    run("xen_guest", **GUEST)
    result = run("xen_image", name="debian-12", state="absent")
    assert (result["code"], result["msg"]) == ("image_in_use", "image debian-12 1 is used by g1")


def test_image_that_is_not_there(run: Run, dom0: Dom0) -> None:
    new = {"name": "fedora", "version": "1", "source": str(dom0.root / "nowhere")}
    assert run("xen_image", check=True, **new)["changed"]  # an earlier task may make it
    result = run("xen_image", **new)
    assert (result["code"], "manifest.json is not there" in result["msg"]) == ("bad_image", True)


def test_info(run: Run, dom0: Dom0) -> None:
    run("xen_guest", **GUEST)
    info = run("xen_host_info", audit=True)
    assert (info["changed"], info["installed"], info["audit"]) == (
        False,
        True,
        {"clean": True, "findings": []},
    )
    assert info["capacity"]["used"]["guests"] == 1
    assert [guest["name"] for guest in info["guests"]] == ["g1"]
    assert [image["guests"] for image in info["images"]] == [1]
    dom0.set("xl_down")
    assert run("xen_host_info")["code"] == "xen_failed"


def test_host_out_of_service(run: Run, dom0: Dom0) -> None:
    drained = {"state": "drained", "reason": "a new disk"}
    assert run("xen_host", check=True, **drained)["diff"] == {
        "before": {"drained": ""},
        "after": {"drained": "a new disk"},
    }
    assert dom0.ask("capacity")["drained"] == ""
    result = run("xen_host", **drained)
    assert (result["changed"], result["host"]) == (True, {"drained": "a new disk"})
    assert dom0.create("g1")["error"]["code"] == "drained"
    assert not run("xen_host", **drained)["changed"]
    assert run("xen_host", state="drained", reason="a newer one")["changed"]
    assert run("xen_host", check=True)["actions"] == ["let it take guests again"]
    assert run("xen_host")["host"] == {"drained": ""}
    assert not run("xen_host")["changed"]
    assert dom0.create("g1")["ok"]
    assert "reason" in run("xen_host", state="drained")["msg"]
    assert run("xen_host", state="drained", reason="ä")["code"] == "bad_request"


def test_host_without_the_program(run: Run) -> None:
    missing = {"executable": "xenci-guest-of-nowhere"}
    assert run("xen_host_info", **missing)["installed"] is False
    result = run("xen_guest", check=True, **GUEST, **missing)
    assert result["changed"]
    assert "not installed yet" in str(result["warnings"])
    assert "role xen_host installs it" in run("xen_guest", **GUEST, **missing)["msg"]


def test_program_that_says_no_json(run: Run, tmp_path: Path) -> None:
    program = tmp_path / "broken"
    program.write_text("#!/bin/sh\ncat >/dev/null\necho Traceback >&2\nexit 3\n")
    program.chmod(0o755)
    result = run("xen_host_info", executable=str(program))
    assert (result["code"], "ended with status 3 and no reply: Traceback" in result["msg"]) == (
        "internal",
        True,
    )
