"""What users are told when Gerrit refuses or does not answer."""

from __future__ import annotations

import ssl
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.modules.script import Call, recorded

Run = Callable[..., dict[str, Any]]
GROUP = {"name": "demo-core"}


CONNECTION_REFUSED = urllib.error.URLError(ConnectionRefusedError(111, "Connection refused"))
DISTRUST = urllib.error.URLError(
    ssl.SSLCertVerificationError(1, "self-signed certificate in certificate chain")
)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            recorded("error.wrong-password", "GET", "/groups/demo-core"),
            ["refuses the login of 'admin'", "HTTP password"],
        ),
        (
            recorded("error.ordinary.other-sshkeys", "GET", "/groups/demo-core"),
            ["may not GET /groups/demo-core", "modify account not permitted", "Administrators"],
        ),
        (CONNECTION_REFUSED, ["cannot be reached", "Is Gerrit running"]),
        (urllib.error.URLError(TimeoutError("timed out")), ["no answer within 30 s", "Raise timeout"]),
        (TimeoutError("The read operation timed out"), ["no answer within 30 s"]),
        (DISTRUST, ["is not trusted", "ca_path"]),
        (urllib.error.URLError(ssl.SSLError(1, "wrong version number")), ["Is that port HTTPS?"]),
        (Call("GET", "/groups/demo-core", "<html>proxy</html>", 502), ["Gerrit behind it is not"]),
        (Call("GET", "/groups/demo-core", "<!DOCTYPE html>", 200), ["Check url"]),
        (Call("GET", "/groups/demo-core", "", 302), ["redirects", "final address"]),
        (Call("GET", "/groups/demo-core", "Internal server error", 500), ["answers 500", "error_log"]),
    ],
)
def test_refusal_says_what_to_do(run: Run, answer: Call | Exception, words: list[str]) -> None:
    result = run("gerrit_group", GROUP, [answer])
    assert result["failed"]
    for word in words:
        assert word in result["msg"]


def test_url_without_scheme(run: Run) -> None:
    assert "https://" in run("gerrit_group", {**GROUP, "url": "review.example.org"}, [])["msg"]


def test_missing_file_of_the_authority(run: Run, tmp_path: Path) -> None:
    params = {**GROUP, "ca_path": str(tmp_path / "ca.crt")}
    result = run("gerrit_group", params, [FileNotFoundError(2, "No such file or directory")])
    assert f"There is no file {tmp_path}/ca.crt" in result["msg"]


def test_secrets_are_not_shown(run: Run) -> None:
    answer = Call("GET", "/groups/demo-core", "admin-secret is wrong", 500)
    assert "admin-secret" not in str(run("gerrit_group", GROUP, [answer]))


VERSION = recorded("server.version.anonymous", "GET", "/config/server/version", anonymous=True)


def test_info_waits_for_a_server_that_starts(run: Run) -> None:
    result = run("gerrit_info", {"wait": 20}, [CONNECTION_REFUSED, VERSION])
    assert (result["reachable"], result["version"], result["changed"]) == (True, "3.13.8", False)


def test_info_does_not_wait_unasked(run: Run) -> None:
    assert "cannot be reached" in run("gerrit_info", {}, [CONNECTION_REFUSED])["msg"]


def test_info_of_a_server_that_may_be_down(run: Run) -> None:
    assert run("gerrit_info", {"must_answer": False}, [CONNECTION_REFUSED])["reachable"] is False


def test_info_never_takes_distrust_for_a_server_that_is_down(run: Run) -> None:
    assert run("gerrit_info", {"must_answer": False, "wait": 20}, [DISTRUST])["failed"]


def test_info_reads(run: Run) -> None:
    calls = [
        VERSION,
        recorded("project.list.all"),
        recorded("project.get"),
        recorded("project.get.access"),
        recorded("project.get.branches"),
        recorded("project.get.HEAD"),
        recorded("project.get.config"),
        recorded("project.get.labels"),
        recorded("project.get.submit_requirements"),
        recorded("project.get.missing"),
        recorded("group.get.missing"),
        recorded("account.get.detail"),
    ]
    params = {"projects": ["*", "demo", "none-such"], "groups": ["none-such"], "accounts": ["xen-ci"]}
    result = run("gerrit_info", params, calls)
    assert "All-Users" in result["all_projects"]
    assert list(result["projects"]) == ["demo"]
    assert result["projects"]["demo"]["parent"] == "base-acl"
    assert result["projects"]["demo"]["access"] == {"refs/*": {"owner": {"rules": {"demo-core": "allow"}}}}
    assert result["groups"] == {}
    assert result["accounts"]["xen-ci"]["number"] == 1000001
