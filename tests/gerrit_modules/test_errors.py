"""What users are told when something is not as it should be, by the server itself."""

from __future__ import annotations

import datetime
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.gerrit_contract.lab import free_port
from tests.gerrit_contract.replay import Server
from tests.gerrit_modules.conftest import Run

BAD_LABEL = {"name": "X", "values": {"0": "", "1": ""}, "copy_condition": "nonsense:x"}


@pytest.mark.parametrize(
    ("module", "params", "words"),
    [
        ("group", {"name": "g", "password": "wrong"}, ["refuses the login of 'admin'", "HTTP Credentials"]),
        ("group", {"name": "g", "username": "nobody"}, ["refuses the login of 'nobody'"]),
        ("group", {"name": "g", "members": ["nobody"]}, ["no account 'nobody'", "gerrit_account"]),
        ("group", {"name": "g", "includes": ["nowhere"]}, ["no group 'nowhere'", "gerrit_group"]),
        ("group", {"name": "g", "owner": "nowhere"}, ["no group 'nowhere' to own g"]),
        ("group", {"name": "Registered Users"}, ["system group"]),
        ("account", {"name": "b b"}, ["refuses the user name 'b b'"]),
        ("account", {"name": "x", "groups": ["nowhere"]}, ["no group 'nowhere'"]),
        ("account", {"name": "x", "email": "admin@example.com"}, ["belongs to one account only"]),
        ("account", {"name": "x", "email": "not an address"}, ["refuses the e-mail address"]),
        ("account", {"name": "x", "ssh_keys": ["ssh-ed25519 nonsense"]}, ["Invalid SSH Key"]),
        ("project", {"name": "p", "parent": "nowhere"}, ["no project 'nowhere' to be the parent of p"]),
        ("project", {"name": "All-Users", "parent": "All-Users"}, ["cannot be the parent"]),
        ("project", {"name": "bad?name"}, ["refuses to make the project"]),
        ("project", {"name": "All-Projects", "labels": [BAD_LABEL]}, ["copy condition"]),
        ("access", {"rules": [{"ref": "refs/heads/*", "permission": "nonsense", "group": "Administrators"}]},
         ["Unknown permission: nonsense"]),
        ("access", {"project": "nowhere", "rules": []}, ["no project 'nowhere'"]),
    ],
)  # fmt: skip
def test_refusal(run: Run, module: str, params: dict[str, Any], words: list[str]) -> None:
    result = run(module, params)
    assert result.get("failed"), result
    for word in words:
        assert word in result["msg"]


def test_ordinary_account_may_not(run: Run) -> None:
    run("account", {"name": "ordinary", "http_password": "pass"})
    result = run("group", {"name": "mine", "username": "ordinary", "password": "pass"})
    assert "'ordinary' may not PUT /groups/mine" in result["msg"]
    assert "Administrators" in result["msg"]


def test_server_that_is_not_up(run: Run) -> None:
    result = run("group", {"name": "g", "url": f"http://127.0.0.1:{free_port()}"})
    assert "cannot be reached" in result["msg"]
    assert "Is Gerrit running" in result["msg"]


def test_http_where_https_is_asked(run: Run, server: Server) -> None:
    if server.url.startswith("https"):
        return
    result = run("group", {"name": "g", "url": server.url.replace("http://", "https://")})
    assert "Is that port HTTPS?" in result["msg"]


class Silent(BaseHTTPRequestHandler):
    """Answers when it is told to, which is after the client lost patience."""

    patience = threading.Event()

    def do_GET(self) -> None:
        self.patience.wait(30)


def serve(context: ssl.SSLContext | None = None) -> HTTPServer:
    server = HTTPServer(("127.0.0.1", 0), Silent)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def silent() -> Iterator[HTTPServer]:
    """A server that takes requests and does not answer them."""
    server = serve()
    yield server
    Silent.patience.set()
    server.shutdown()
    server.server_close()


def test_server_that_does_not_answer(run: Run, silent: HTTPServer) -> None:
    began = datetime.datetime.now()
    result = run("group", {"name": "g", "url": f"http://127.0.0.1:{silent.server_port}", "timeout": 1})
    assert "no answer within 1 s" in result["msg"]
    assert datetime.datetime.now() - began < datetime.timedelta(seconds=10)


def test_certificate_of_an_unknown_authority(run: Run, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "crt.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=127.0.0.1"
    )
    made = [*command.split(), "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = serve(context)
    Silent.patience.set()
    url = f"https://127.0.0.1:{server.server_port}"
    try:
        assert "is not trusted" in run("group", {"name": "g", "url": url})["msg"]
        assert "ca_path" in run("info", {"url": url, "must_answer": False})["msg"]
        trusted = run("group", {"name": "g", "url": url, "ca_path": str(certificate)})
        assert "is not trusted" not in trusted["msg"]
    finally:
        server.shutdown()
        server.server_close()
