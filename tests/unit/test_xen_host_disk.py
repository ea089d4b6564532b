"""The disk of the guests: what the role `xen_host` makes of lsblk's words, before it may empty a disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROOT = Path(__file__).resolve().parents[2]
Part = tuple[str, str, str | None, str | None, str | None, str | None, str | None]
FIELDS = ("name", "kname", "pkname", "fstype", "pttype", "label", "mountpoint")
# Debian 12's lsblk lists a disk before what is on it, Debian 13's after it.
EMPTY: list[Part] = [("vdb", "vdb", None, None, None, None, None)]
REFLINK: list[Part] = [("vdb", "vdb", None, "xfs", None, "xenci-guests", "/srv/xenci")]
LVM: list[Part] = [
    ("xenci-thin_tmeta", "dm-0", "vdb", None, None, None, None),
    ("xenci-thin_tdata", "dm-1", "vdb", None, None, None, None),
    ("xenci-thin", "dm-2", "dm-1", None, None, None, None),
    ("vdb", "vdb", None, "LVM2_member", None, None, None),
]
OTHER_LVM: list[Part] = [
    ("home-data", "dm-0", "vdb", "ext4", None, None, "/home"),
    ("vdb", "vdb", None, "LVM2_member", None, None, None),
]
PARTITIONS: list[Part] = [
    ("vdb", "vdb", None, None, "gpt", None, None),
    ("vdb1", "vdb1", "vdb", "ext4", "gpt", None, "/home"),
]
OURS_AS_A_PARTITION: list[Part] = [("vda5", "vda5", "vda", "xfs", "gpt", "xenci-guests", "/srv/xenci")]


def said(parts: list[Part], backend: str) -> dict[str, Any]:
    """What the role's variables say of a disk."""
    loader = DataLoader()
    variables = loader.load_from_file(str(ROOT / "roles/xen_host/vars/main.yml"), trusted_as_template=True)
    listed = json.dumps({"blockdevices": [dict(zip(FIELDS, part, strict=True)) for part in parts]})
    variables |= {"__xen_host_disk": {"stdout": listed}, "xen_host_storage_backend": backend}
    templar = Templar(loader, variables)
    names = ("is_ours", "data", "mounted")
    return {name: templar.template(trust_as_template(f"{{{{ __xen_host_{name} }}}}")) for name in names}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("parts", "backend"),
    [(REFLINK, "reflink"), (OURS_AS_A_PARTITION, "reflink"), (LVM, "lvm_thin")],
)
def test_what_the_role_has_made_is_left_alone(parts: list[Part], backend: str, order: int) -> None:
    answer = said(parts[::order], backend)
    assert answer["is_ours"] is True
    assert answer["data"] == []


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("parts", "backend", "data"),
    [
        (EMPTY, "reflink", []),
        (EMPTY, "lvm_thin", []),
        (REFLINK, "lvm_thin", ["xfs"]),
        (LVM, "reflink", ["LVM2_member", "xenci-thin", "xenci-thin_tdata", "xenci-thin_tmeta"]),
        (OTHER_LVM, "lvm_thin", ["LVM2_member", "home-data"]),
        (PARTITIONS, "lvm_thin", ["gpt", "vdb1"]),
        (PARTITIONS, "reflink", ["gpt", "vdb1"]),
    ],
)
def test_all_else_is_somebodys_data(parts: list[Part], backend: str, data: list[str], order: int) -> None:
    answer = said(parts[::order], backend)
    assert answer["is_ours"] is False
    assert sorted(answer["data"]) == data
    assert answer["mounted"] == [part[-1] for part in parts if part[-1]]
