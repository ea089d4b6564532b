"""What becomes of /etc/network/interfaces when a bridge takes a card over."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.xenci.stack.plugins.module_utils.xen.bridge import BridgeError, plan, script

MAC = "02:00:0a:ce:00:3c"
LOOPBACK = "auto lo\niface lo inet loopback\n"
STATIC = f"""{LOOPBACK}
# The way out.
allow-hotplug enp1s0
iface enp1s0 inet static
    address 192.0.2.10/24
    gateway 192.0.2.1
    # Named by hand.
    dns-nameservers 192.0.2.1
iface enp1s0 inet6 auto
    autoconf 1
"""
BRIDGED = f"""{LOOPBACK}
# The way out.
iface enp1s0 inet manual

auto xenbr0
iface xenbr0 inet static
    hwaddress {MAC}
    bridge_ports enp1s0
    bridge_stp off
    bridge_fd 0
    address 192.0.2.10/24
    gateway 192.0.2.1
    # Named by hand.
    dns-nameservers 192.0.2.1
iface xenbr0 inet6 auto
    autoconf 1
"""


def changed(**files: str) -> dict[str, str]:
    planned: dict[str, str] = plan(files, "enp1s0", "xenbr0", MAC)
    return planned


def test_all_that_was_the_cards_is_the_bridges() -> None:
    assert changed(interfaces=STATIC) == {"interfaces": BRIDGED}


def test_only_files_that_change_are_written() -> None:
    other = "source /etc/network/interfaces.d/*\n" + LOOPBACK
    assert changed(interfaces=other, setup="auto enp1s0 eth1\niface enp1s0 inet dhcp\n") == {
        "setup": "auto eth1\niface enp1s0 inet manual\n\nauto xenbr0\niface xenbr0 inet dhcp\n"
        f"    hwaddress {MAC}\n    bridge_ports enp1s0\n    bridge_stp off\n    bridge_fd 0\n"
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LOOPBACK, "enp1s0 gets no address from"),
        ("iface enp1s0 inet manual\n", "make xenbr0 over it by the means"),
        (BRIDGED, "xenbr0 is in interfaces, but it is not up"),
    ],
)
def test_what_it_can_not_change(text: str, says: str) -> None:
    with pytest.raises(BridgeError, match=says):
        changed(interfaces=text)


def test_a_name_that_only_begins_so_is_left_alone() -> None:
    both = "auto enp1s0\niface enp1s0 inet dhcp\nauto enp1s0.7\niface enp1s0.7 inet dhcp\n"
    assert "auto enp1s0.7\niface enp1s0.7 inet dhcp\n" in changed(interfaces=both)["interfaces"]


FAKE = """#!/bin/sh
echo "$(basename "$0") $*" >>"$TRACE"
case "$(basename "$0") $*" in
    "ip -4 route show default") echo "default via 192.0.2.1 dev any" ;;
    "$FAILS") exit 1 ;;
esac
"""


@pytest.mark.parametrize(
    ("fails", "content", "calls"),
    [
        ("", "new", ["ifdown --force enp1s0", "ifup xenbr0"]),
        ("ifup xenbr0", "old", ["ifdown --force enp1s0", "ifup xenbr0", "ifup enp1s0"]),
        ("ping -q -c 1 -w 20 192.0.2.1", "old", ["ifup xenbr0", "ping -q -c 1", "ifup enp1s0"]),
    ],
)
def test_where_the_gateway_does_not_answer_all_is_as_it_was(
    tmp_path: Path, fails: str, content: str, calls: list[str]
) -> None:
    for name in ("ip", "ifup", "ifdown", "ping"):
        (tmp_path / name).write_text(FAKE)
        (tmp_path / name).chmod(0o755)
    for version in ("old", "new"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "0").write_text(version)
    interfaces, trace = tmp_path / "inter faces", tmp_path / "trace"
    text = script("enp1s0", "xenbr0", str(tmp_path), {str(interfaces): ""})
    done = subprocess.run(
        ["sh", "-c", text, "bridge", "apply"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "TRACE": str(trace), "FAILS": fails},
        check=False,
    )
    assert done.returncode == (1 if fails else 0)
    assert interfaces.read_text() == content
    said = trace.read_text()
    places = [said.index(call) for call in calls]
    assert places == sorted(places)
