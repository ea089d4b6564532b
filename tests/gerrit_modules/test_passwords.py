"""A password that is set is the only one: the one before, and every other secret, are refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gerrit_contract.replay import Server
from tests.gerrit_modules import demo
from tests.gerrit_modules.conftest import Run


def ask(server: Server, path: str, user: str, secret: str, method: str = "GET", body: Any = None) -> int:
    """Status of a request."""
    return demo.ask(server, user, path, method, body, secret)[0]


def opens(server: Server, user: str, secret: str) -> bool:
    return ask(server, "/accounts/self", user, secret) == 200


def test_first_password(run: Run, server: Server) -> None:
    params = {"name": "ci", "http_password": "first"}
    assert run("account", params, check=True)["changed"]
    assert not opens(server, "ci", "first")
    assert run("account", params)["changed"]
    assert opens(server, "ci", "first")
    assert not run("account", params)["changed"]


def test_check_mode_sets_none(run: Run, server: Server) -> None:
    result = run("account", {"name": "ci", "http_password": "second"}, check=True)
    assert result["actions"] == ["set the HTTP password (the wanted one is refused)"]
    assert opens(server, "ci", "first")
    assert not opens(server, "ci", "second")


def test_rotation_ends_the_one_before(run: Run, server: Server) -> None:
    for old, new in (("first", "second"), ("second", "third")):
        result = run("account", {"name": "ci", "http_password": new, "ended_passwords": [old]})
        assert result["changed"], result
        assert opens(server, "ci", new)
        assert not opens(server, "ci", old)
        assert not run("account", {"name": "ci", "http_password": new, "ended_passwords": [old]})["changed"]


def test_password_that_came_with_the_account_ends_too(run: Run, server: Server) -> None:
    """Gerrit 3.13 keeps the password of `PUT /accounts/NAME {http_password}` apart, as the token `legacy`."""
    made = ask(
        server, "/accounts/made", server.admin, server.admin_password, "PUT", {"http_password": "of-birth"}
    )
    assert made == 201
    assert opens(server, "made", "of-birth")
    assert run("account", {"name": "made", "http_password": "new"})["changed"]
    assert opens(server, "made", "new")
    assert not opens(server, "made", "of-birth")


def test_token_beside_the_password_is_ended(run: Run, server: Server) -> None:
    put = ask(server, "/accounts/self/tokens/mine", "ci", "third", "PUT", {"lifetime": "1d"})
    if put == 404:  # before 3.13 there are no tokens
        return
    kept = run("account", {"name": "ci", "http_password": "third", "exclusive_password": False})
    assert not kept["changed"]
    result = run("account", {"name": "ci", "http_password": "third"})
    assert result["actions"] == ["set the HTTP password (other tokens exist)"]
    assert ask(server, "/accounts/self/tokens/mine", "ci", "third") == 404
    assert opens(server, "ci", "third")


def test_administrator_changes_its_own(run: Run, server: Server) -> None:
    """First the password that init left, then one that it set itself; each task can be run again as it is."""
    first = server.admin_password
    for old, new in ((first, "admin-second"), ("admin-second", "admin-third")):
        params = {"name": server.admin, "password": old, "http_password": new, "ended_passwords": [old]}
        assert run("account", params)["changed"]
        assert opens(server, server.admin, new)
        assert not opens(server, server.admin, old)
        assert not run("account", params)["changed"]
    back = {"name": server.admin, "password": "admin-third", "http_password": first}
    assert run("account", back)["changed"]
    assert opens(server, server.admin, first)


def test_secret_that_cannot_be_ended_is_an_error(run: Run, server: Server) -> None:
    """Asked to keep other tokens, the module says so rather than leave a door open unseen."""
    ask(server, "/accounts/open", server.admin, server.admin_password, "PUT", {"http_password": "of-birth"})
    params = {
        "name": "open",
        "http_password": "new",
        "exclusive_password": False,
        "ended_passwords": ["of-birth"],
    }
    result = run("account", params)
    if opens(server, "open", "of-birth"):
        assert result["failed"]
        assert "still opens the account" in result["msg"]
    else:  # before 3.13
        assert result["changed"]


@pytest.mark.parametrize("secret", ['qu"ote', "sl/ash", "ümlaut", "a b", "co:lon", "per%cent", "back\\slash"])
def test_any_characters(run: Run, server: Server, secret: str) -> None:
    assert run("account", {"name": "ci", "http_password": secret})["changed"]
    assert opens(server, "ci", secret)
    assert not run("account", {"name": "ci", "http_password": secret})["changed"]
