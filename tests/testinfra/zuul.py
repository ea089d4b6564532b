"""What the tests of Zuul's services share: the REST API of the stack that they join."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests

from tests.testinfra.conftest import LAB, ROOT, address, connect, group, inventory

CA = ROOT / ".lab" / LAB / "pki/ca.crt"
TENANT = "xenci"


def stack_host(name: str) -> str:
    """A host of the stack in a group, not one of the scenario's."""
    fresh = inventory().get("scenario", {}).get("hosts", [])
    return next(host for host in inventory()[name]["hosts"] if host not in fresh)


def get(path: str, host: str | None = None, **options: Any) -> requests.Response:
    """Answer of Zuul's web server on `host`, the stack's where none is given; its certificate is checked."""
    url = f"https://{address(host or stack_host('zuul_web'))}/api/{path}"
    return requests.get(url, verify=CA, timeout=20, **options)


def components(kind: str) -> dict[str, str]:
    """State of each running component of a kind, by host name."""
    return {each["hostname"]: each["state"] for each in get("components").json().get(kind, [])}


def token() -> str:
    """An administrator's token, made with the secret of the stack's web server."""
    made = connect(stack_host("zuul_web")).check_output(
        "/opt/zuul/bin/xenci-zuul admin -c /etc/zuul/web.conf create-auth-token"
        f" --auth-config zuul_operator --tenant {TENANT} --user tests --expires-in 600"
    )
    return made.split()[-1]


def until(ask: Callable[[], Any], seconds: float) -> Any:
    """The first true answer of `ask`, asked each second; TimeoutError after `seconds`."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > end:
            raise TimeoutError(f"nothing true within {seconds:.0f} s; the last answer: {answer!r}")
        time.sleep(1)
    return answer


def exposure(host: Any, unit: str) -> float:
    """What `systemd-analyze security` says of a unit: 0 is best."""
    words = host.check_output(f"systemd-analyze security --no-pager {unit} | tail -1").split()
    return float(words[words.index(f"{unit}:") + 1])


def names(role: str) -> str:
    """Name under which the role's first host makes itself known."""
    return str(connect(group(role)[0]).check_output("python3 -c 'import socket; print(socket.getfqdn())'"))
