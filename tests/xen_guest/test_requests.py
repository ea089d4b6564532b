"""Whatever is asked: a reply of one line, a code, and nothing outside the host's folders."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.xen_guest.dom0 import GUEST, KEY, Dom0
from xenci.guest.__main__ import answer
from xenci.guest.errors import CODES
from xenci.guest.names import domain_uuid
from xenci.guest.operations import OPERATIONS
from xenci.guest.request import CHECKS, LAUNCHER, OPERATOR, READER

VALID = {
    "name": "g1",
    "image": "debian-12",
    "version": "1",
    "type": "pv",
    "memory_mib": 256,
    "vcpus": 1,
    "disk_mib": 2,
    "authorized_keys": [KEY],
    "labels": {"a": "b"},
    "ssh_timeout": 0,
    "bytes": 10,
    "clean": False,
    "current": True,
    "source": "/nowhere",
    "reason": "because",
    "keep": 1,
    "xen": "/boot/xen.gz",
    "kernel": "/boot/vmlinuz",
    "initrd": "/boot/initrd.img",
    "xen_options": "dom0_mem=1024M,max:1024M",
    "kernel_options": "ro quiet",
}


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "a request is an object"),
        (b"[" * 60000, "not JSON"),
        (b" " * 70000, "a request has at most 65536 bytes"),
        ({}, "operation is null: must be one of capacity, list,"),
        ({"operation": "shell"}, 'operation is "shell": must be one of'),
        ({"operation": ["list"]}, "must be one of"),
        ({"operation": "delete"}, "name is missing: delete needs name"),
        ({"operation": "list", "name": "g1"}, '"name" is not known: list has no fields'),
        ({"operation": "delete", "name": "../../etc"}, "must be a host name"),
        ({"operation": "delete", "name": "g1\n"}, "must be a host name"),
        ({"operation": "delete", "name": "-rf"}, "must be a host name"),
        ({"operation": "delete", "name": "g" * 64}, "must be a host name"),
        ({"operation": "create", "name": "g1", **GUEST, "memory_mib": True}, "memory_mib is true"),
        ({"operation": "create", "name": "g1", **GUEST, "memory_mib": 256.0}, "memory_mib is 256.0"),
        (
            {"operation": "create", "name": "g1", **GUEST, "vcpus": 0},
            "vcpus is 0: must be a whole number from 1",
        ),
        ({"operation": "create", "name": "g1", **GUEST, "image": "../x"}, "image is"),
        ({"operation": "create", "name": "g1", **GUEST, "version": "current"}, "is the name of a link"),
        ({"operation": "create", "name": "g1", **GUEST, "type": "xen"}, "must be one of pv, pvh, hvm"),
        ({"operation": "create", "name": "g1", **GUEST, "labels": {"A": "b"}}, "labels: key is"),
        ({"operation": "create", "name": "g1", **GUEST, "authorized_keys": []}, "a list of 1 to 16"),
        (
            {"operation": "create", "name": "g1", **GUEST, "authorized_keys": [f'command="sh" {KEY}']},
            "authorized_keys[0] is",
        ),
        (
            {"operation": "create", "name": "g1", **GUEST, "authorized_keys": [f"{KEY}\nssh-rsa AAAA"]},
            "authorized_keys[0] is",
        ),
    ],
)
def test_refusals(new_dom0: Callable[..., Dom0], request_: Any, said: str) -> None:
    dom0 = new_dom0()
    error = dom0.end(dom0.start(request_))["error"]
    assert error["code"] == "bad_request"
    assert said in error["message"]
    assert len(error["message"]) < 600
    assert dom0.left() == {}


def test_what_ssh_was_asked_for_is_not_looked_at(
    new_dom0: Callable[..., Dom0], monkeypatch: pytest.MonkeyPatch
) -> None:
    dom0 = new_dom0()
    monkeypatch.setenv("SSH_ORIGINAL_COMMAND", "xenci-guest --operator; touch /tmp/x")
    assert dom0.ask("drain", reason="x")["error"]["code"] == "not_allowed"


def test_usage(new_dom0: Callable[..., Dom0]) -> None:
    dom0 = new_dom0()
    for options, status in ((["--shell"], 2), (["--help"], 0)):
        process = dom0.start({"operation": "list"}, *options)
        output, errors = process.communicate(timeout=30)
        assert process.returncode == status
        assert b"xenci-guest [--operator | --reader]" in output + errors


def test_every_field_has_a_check_and_every_check_a_field() -> None:
    used = {name for one in OPERATIONS.values() for name in one.shape.required + one.shape.optional}
    assert used == set(CHECKS) == set(VALID)


@given(st.from_regex(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True))
def test_domain_uuid_is_one(name: str) -> None:
    import uuid

    assert str(uuid.UUID(domain_uuid(name))) == domain_uuid(name)
    assert uuid.UUID(domain_uuid(name)).version == 4


words = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["..", "/", "../../../etc/passwd", "g1", "a b", "$(id)", ";id", "-f", "g1\0", "\ud800", '"', "%s"]
    ),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
fields = st.fixed_dictionaries(
    {}, optional={name: st.one_of(st.just(value), json_values) for name, value in VALID.items()}
)
shaped = st.sampled_from(sorted(OPERATIONS)).flatmap(
    lambda name: st.fixed_dictionaries(
        {"operation": st.just(name)},
        optional={
            field: st.one_of(st.just(VALID[field]), json_values)
            for field in OPERATIONS[name].shape.required + OPERATIONS[name].shape.optional
        },
    )
)
requests = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda value: json.dumps(value).encode(), json_values),
    st.builds(
        lambda operation, more: json.dumps({"operation": operation, **more}).encode(),
        st.one_of(st.sampled_from(sorted(OPERATIONS)), words),
        fields,
    ),
    st.builds(lambda value: json.dumps(value).encode(), shaped),
)


def tree(root: Path) -> dict[str, float]:
    """Every file below a folder, and when it was changed."""
    return {str(path): path.lstat().st_mtime for path in root.rglob("*")}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=requests, caller=st.sampled_from([LAUNCHER, OPERATOR, READER]))
@example(raw=b'{"operation": "import", "image": "a", "version": "1", "source": "/"}', caller=OPERATOR)
@example(raw=b'{"operation": "delete", "name": "\\ud800"}', caller=LAUNCHER)
@example(raw=b'{"operation": "list", "\\ud800": 1e999}', caller=LAUNCHER)
def test_fuzz(fuzzed: Dom0, raw: bytes, caller: str) -> None:
    before = tree(fuzzed.root / "outside")
    reply = answer(io.BytesIO(raw), fuzzed.root / "xenci-guest.json", caller)
    line = json.dumps(reply)
    assert "\n" not in line
    if not reply["ok"]:
        assert reply["error"]["code"] in set(CODES) - {"internal", "bad_config"}, reply
        assert reply["error"]["retry"] is CODES[reply["error"]["code"]]
    assert tree(fuzzed.root / "outside") == before
    inside = {path.name for path in fuzzed.root.iterdir()}
    assert inside <= {
        "bin",
        "xen",
        "disks",
        "images",
        "source",
        "state",
        "run",
        "outside",
        "xenci-guest.json",
    }


@pytest.fixture
def fuzzed(new_dom0: Callable[..., Dom0], monkeypatch: pytest.MonkeyPatch) -> Dom0:
    """A host for many requests in this process, with things beside its folders that nothing may touch."""
    dom0 = new_dom0()
    outside = dom0.root / "outside"
    outside.mkdir()
    (outside / "precious.json").write_text("{}")
    monkeypatch.setenv("PATH", f"{dom0.root}/bin:/usr/bin:/bin")
    return dom0
