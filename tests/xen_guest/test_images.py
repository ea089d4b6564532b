"""Images: taken in whole, never changed, removed when nothing uses them."""

from __future__ import annotations

import json
import stat
from typing import Any

import pytest

from tests.xen_guest.dom0 import Dom0


def versions(dom0: Dom0) -> dict[str, tuple[bool, int]]:
    """Version: whether it is current, and how many guests use it."""
    images = dom0.ask("images")["images"]
    return {image["version"]: (image["current"], image["guests"]) for image in images}


def test_import_again_changes_nothing(dom0: Dom0) -> None:
    source = str(dom0.root / "source/debian-12-1")
    again = dom0.ask("import", "--operator", image="debian-12", version="1", source=source)
    assert again == {"ok": True, "changed": False, "image": {"name": "debian-12", "version": "1"}}
    [image] = dom0.ask("images")["images"]
    assert (image["current"], image["types"], image["size_mib"]) == (True, ["pv", "pvh", "hvm"], 1)


def test_imported_files_are_read_only(dom0: Dom0) -> None:
    folder = dom0.root / "images/debian-12/1"
    modes = {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert modes == {0o444}


def test_new_version_leaves_running_guests_alone(dom0: Dom0) -> None:
    dom0.create("g1")
    assert dom0.add_image(version="2")["changed"]
    assert versions(dom0) == {"1": (False, 1), "2": (True, 0)}
    assert dom0.create("g2")["guest"]["version"] == "2"
    assert [guest["state"] for guest in dom0.ask("list")["guests"]] == ["running", "running"]
    error = dom0.ask("remove", "--operator", image="debian-12", version="1")["error"]
    assert (error["code"], error["message"]) == ("image_in_use", "image debian-12 1 is used by g1")
    assert dom0.ask("prune", "--operator", image="debian-12", keep=0)["removed"] == []
    dom0.ask("delete", name="g1")
    assert dom0.ask("prune", "--operator", image="debian-12", keep=0)["removed"] == ["1"]
    assert versions(dom0) == {"2": (True, 1)}


def test_a_version_that_is_to_be_tried_first(dom0: Dom0) -> None:
    source = str(dom0.root / "source/debian-12-1")
    new = {"image": "debian-12", "version": "2", "source": source}
    assert dom0.ask("import", "--operator", **new, current=False)["changed"]
    assert versions(dom0) == {"1": (True, 0), "2": (False, 0)}
    assert dom0.create("g1")["guest"]["version"] == "1"
    assert dom0.create("g2", version="2")["guest"]["version"] == "2"
    assert not dom0.ask("import", "--operator", **new, current=False)["changed"]
    assert dom0.ask("import", "--operator", image="debian-12", version="2")["changed"]
    assert versions(dom0) == {"1": (False, 1), "2": (True, 1)}
    error = dom0.ask("import", "--operator", image="debian-12", version="3")["error"]
    assert (error["code"], error["message"]) == (
        "no_such_image",
        "image debian-12 3 is not there: give its source",
    )


def test_prune_keeps_the_newest(dom0: Dom0) -> None:
    for version in ("2", "3", "4"):
        dom0.add_image(version=version)
    assert dom0.ask("prune", "--operator", image="debian-12", keep=1)["removed"] == ["2", "1"]
    assert sorted(versions(dom0)) == ["3", "4"]


def test_remove_all(dom0: Dom0) -> None:
    dom0.add_image(version="2")
    assert dom0.ask("remove", "--operator", image="debian-12")["removed"] == ["1", "2"]
    assert dom0.ask("remove", "--operator", image="debian-12") == {
        "ok": True,
        "changed": False,
        "removed": [],
    }
    assert list((dom0.root / "images").iterdir()) == []
    assert list((dom0.xen / "volumes").iterdir()) == []


def test_other_content_needs_another_version(dom0: Dom0) -> None:
    manifest = dom0.root / "source/debian-12-1/manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "cmdline": "quiet"}))
    source = str(manifest.parent)
    error = dom0.ask("import", "--operator", image="debian-12", version="1", source=source)["error"]
    assert error["code"] == "exists"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"root": "../root.img"}, "root is '../root.img': it must be the name of a file beside the manifest"),
        ({"root": "disk.img"}, "sha256 has no checksum of disk.img"),
        ({"cmdline": 'quiet"\nkernel="/etc/shadow'}, "cmdline is"),
        ({"types": ["xen"]}, "types is ['xen']"),
        ({"sha256": []}, "sha256 has no checksum of vmlinux"),
    ],
)
def test_bad_manifest(dom0: Dom0, change: dict[str, Any], said: str) -> None:
    error = dom0.add_image("fedora", "1", **change)["error"]
    assert error["code"] == "bad_image"
    assert said in error["message"]
    assert not (dom0.root / "images/fedora").exists()


def test_damaged_copy_is_refused(dom0: Dom0) -> None:
    folder = dom0.root / "source/debian-12-1"
    (folder / "root.img").write_bytes(b"damaged")
    error = dom0.ask("import", "--operator", image="debian-12", version="2", source=str(folder))["error"]
    assert (error["code"], "root.img has sha256" in error["message"]) == ("bad_image", True)
    assert versions(dom0) == {"1": (True, 0)}
    assert dom0.ask("audit")["clean"]


def test_image_that_can_not_be_used_says_why(dom0: Dom0) -> None:
    (dom0.root / "images/debian-12/1/vmlinux").unlink()
    assert "kernel is 'vmlinux': there is no such file" in dom0.ask("images")["images"][0]["problem"]
    assert dom0.create("g1")["error"]["code"] == "bad_image"
    assert dom0.left() == {}


def test_storage_full(dom0: Dom0) -> None:
    dom0.set("full")
    assert dom0.add_image("fedora", "1")["error"]["code"] == "storage_full"
    assert dom0.ask("audit")["clean"]
