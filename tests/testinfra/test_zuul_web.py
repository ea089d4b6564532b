"""Zuul's web server: page and API over HTTPS; administrators by token."""

import socket
import ssl

import pytest
import requests

from tests.testinfra import nginx, zuul
from tests.testinfra.conftest import address, group

GROUP = "zuul_web"
UNIT = "zuul-web.service"
HOST = group(GROUP)[0]


def test_api_answers():
    assert zuul.get("info", HOST).json()["info"]["capabilities"]["auth"]["realms"]
    assert zuul.TENANT in [tenant["name"] for tenant in zuul.get("tenants", HOST).json()]
    assert "pipelines" in zuul.get(f"tenant/{zuul.TENANT}/status", HOST).json()


def test_page_is_there():
    page = requests.get(f"https://{address(HOST)}/t/{zuul.TENANT}/status", verify=zuul.CA, timeout=20)
    assert page.status_code == 200
    assert '<div id="root">' in page.text
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_results_come_from_the_database():
    assert zuul.get(f"tenant/{zuul.TENANT}/builds", HOST).status_code == 200


def test_live_logs_come_over_a_web_socket():
    context = ssl.create_default_context(cafile=str(zuul.CA))
    request = (
        f"GET /api/tenant/{zuul.TENANT}/console-stream HTTP/1.1\r\nHost: {address(HOST)}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with (
        socket.create_connection((address(HOST), 443), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=address(HOST)) as tls,
    ):
        tls.sendall(request.encode())
        assert tls.recv(64).startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("not.a.token", 401), ("good", 200)])
def test_only_a_token_of_ours_makes_an_administrator(token, status):
    value = zuul.token() if token == "good" else token
    headers = {"Authorization": f"Bearer {value}"} if value else {}
    url = f"https://{address(HOST)}/api/tenant/{zuul.TENANT}/project/{project()}/autohold"
    # Asked for nothing that Zuul could do: an administrator hears what is missing.
    answer = requests.post(url, headers=headers, json={}, verify=zuul.CA, timeout=20)
    assert (answer.status_code == 401) == (status == 401)


def project():
    """Canonical name of some project."""
    return zuul.get(f"tenant/{zuul.TENANT}/projects", HOST).json()[0]["canonical_name"]


def test_plain_http_and_the_backend_are_closed():
    for port in (80, 9000):
        with pytest.raises(OSError, match=r"timed out|refused"):
            socket.create_connection((address(HOST), port), timeout=3)


def test_it_holds_no_password_of_the_review_server(host):
    config = host.file("/etc/zuul/web.conf")
    assert (config.user, config.group, config.mode) == ("root", "zuul-web", 0o640)
    assert "sshkey=" not in config.content_string


def test_the_units_are_hardened(host):
    assert zuul.exposure(host, UNIT) <= 1.5
    assert host.check_output(f"systemctl show --value --property User {UNIT}") == "zuul-web"
    nginx.is_hardened(host)
