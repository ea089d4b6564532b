"""gerrit_account against scripted calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.modules.script import Call, recorded, response

Run = Callable[..., dict[str, Any]]
CI = {"name": "xen-ci"}
GET = recorded("account.get.detail")
MISSING = recorded("account.get.missing", "GET", "/accounts/xen-ci/detail")
CREATED = response("account.create.ci")
CREATE = Call("PUT", "/accounts/xen-ci", CREATED, 201, {"name": "Example Xen CI"})
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFirst ci@one"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOther ci@two"
SELF = {"_account_id": 1000001}


def login(secret: str, good: bool, user: str = "xen-ci") -> Call:
    """A try to log in."""
    if good:
        return Call("GET", "/accounts/self", SELF, 200, login=(user, secret))
    return recorded("error.wrong-password", login=(user, secret))


def tokens(*names: str, number: int = 1000001) -> Call:
    return Call("GET", f"/accounts/{number}/tokens", [{"id": name} for name in names])


def end(token: str, number: int = 1000001) -> Call:
    return recorded("account.token.delete", "DELETE", f"/accounts/{number}/tokens/{token}")


NO_TOKENS = Call("GET", "/accounts/1000001/tokens", "Not found: tokens", 404)


def put(secret: str, number: int = 1000001) -> Call:
    return Call(
        "PUT", f"/accounts/{number}/password.http", f'"{secret}"', 201, {"http_password": secret}
    )  # fmt: skip


def key(number: int, text: str) -> dict[str, Any]:
    return {"seq": number, "ssh_public_key": text, "comment": text.split()[2], "valid": True}


def keys(*listed: dict[str, Any]) -> Call:
    return Call("GET", "/accounts/1000001/sshkeys", list(listed))


def test_new_account(run: Run) -> None:
    group = {**response("group.get.detail"), "members": []}
    uuid = group["id"]
    members = [Call("GET", "/groups/demo-core", group), Call("GET", f"/groups/{uuid}/detail", group)]
    calls = [
        MISSING,
        *members,
        CREATE,
        Call("GET", "/accounts/1000001/emails", []),
        Call(
            "PUT", "/accounts/1000001/emails/xen-ci%40review.example.org", {}, 201, {"no_confirmation": True}
        ),
        Call("PUT", "/accounts/1000001/emails/xen-ci%40review.example.org/preferred", "", 201),
        Call("POST", "/accounts/1000001/sshkeys", key(1, KEY), 201, KEY),
        tokens(),
        put("new"),
        login("new", good=True),
        Call("PUT", f"/groups/{uuid}/members/1000001", SELF, 201),
    ]
    params = {
        **CI,
        "full_name": "Example Xen CI",
        "email": "xen-ci@review.example.org",
        "ssh_keys": [KEY],
        "http_password": "new",
        "groups": ["demo-core"],
    }
    result = run("gerrit_account", params, calls)
    assert result["changed"]
    assert "'new'" not in str(result["account"])


def test_as_wanted_is_not_changed(run: Run) -> None:
    calls = [GET, keys(key(1, KEY)), login("right", good=True), tokens("default")]
    params = {
        **CI,
        "full_name": "Example Xen CI",
        "email": "XEN-CI@review.example.org",
        "ssh_keys": [KEY.replace("ci@one", "another comment")],
        "http_password": "right",
    }
    result = run("gerrit_account", params, calls)
    assert not result["changed"], result["actions"]
    assert result["diff"]["before"] == result["diff"]["after"]


def test_keys_are_exclusive(run: Run) -> None:
    listed = keys(key(1, OTHER))
    calls = [
        GET,
        listed,
        Call("DELETE", "/accounts/1000001/sshkeys/1", "", 204),
        Call("POST", "/accounts/1000001/sshkeys", key(2, KEY), 201, KEY),
    ]
    result = run("gerrit_account", {**CI, "ssh_keys": [KEY]}, calls)
    assert result["diff"]["before"]["ssh_keys"] == [OTHER]
    assert result["diff"]["after"]["ssh_keys"] == [KEY]


def test_keys_can_be_added_only(run: Run) -> None:
    listed = keys(key(1, OTHER))
    calls = [GET, listed, Call("POST", "/accounts/1000001/sshkeys", key(2, KEY), 201, KEY)]
    result = run("gerrit_account", {**CI, "ssh_keys": [KEY], "ssh_keys_exclusive": False}, calls)
    assert result["diff"]["after"]["ssh_keys"] == sorted([KEY, OTHER])


def test_text_that_is_no_key(run: Run) -> None:
    result = run("gerrit_account", {**CI, "ssh_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----"]}, [MISSING])
    assert ".pub file" in result["msg"]


def test_check_mode_only_reads(run: Run) -> None:
    calls = [GET, login("new", good=False)]
    result = run("gerrit_account", {**CI, "full_name": "Other", "http_password": "new"}, calls, check=True)
    assert result["actions"] == [
        "set the full name to 'Other'",
        "set the HTTP password (the wanted one is refused)",
    ]
    assert result["diff"]["before"]["full_name"] == "Example Xen CI"


def test_rotation_on_3_13_ends_the_password_of_the_first_day(run: Run) -> None:
    calls = [
        GET,
        login("second", good=False),
        tokens("legacy"),
        put("second"),
        login("second", good=True),
        end("legacy"),
        login("first", good=False),
    ]
    run("gerrit_account", {**CI, "http_password": "second", "ended_passwords": ["first"]}, calls)


def test_rotation_on_3_13_makes_room_for_the_new_one(run: Run) -> None:
    calls = [
        GET,
        login("third", good=False),
        tokens("default", "legacy"),
        end("default"),
        put("third"),
        login("third", good=True),
        end("legacy"),
    ]
    run("gerrit_account", {**CI, "http_password": "third"}, calls)


def test_rotation_before_3_13(run: Run) -> None:
    calls = [
        GET, login("new", good=False), NO_TOKENS, put("new"), login("new", good=True), login("old",
        good=False)
    ]  # fmt: skip
    run("gerrit_account", {**CI, "http_password": "new", "ended_passwords": ["old"]}, calls)


def test_old_password_that_still_works_is_noticed(run: Run) -> None:
    calls = [
        GET,
        login("new", good=True),
        login("old", good=True),
        NO_TOKENS,
        put("new"),
        login("new", good=True),
        login("old", good=True),
    ]
    result = run("gerrit_account", {**CI, "http_password": "new", "ended_passwords": ["old"]}, calls)
    assert "still opens the account" in result["msg"]


def test_other_tokens_are_ended_though_the_password_is_right(run: Run) -> None:
    calls = [
        GET,
        login("right", good=True),
        tokens("default", "legacy"),
        tokens("default", "legacy"),
        end("default"),
        put("right"),
        login("right", good=True),
        end("legacy"),
    ]
    result = run("gerrit_account", {**CI, "http_password": "right"}, calls)
    assert result["actions"] == ["set the HTTP password (other tokens exist)"]


def test_tokens_of_people_can_be_kept(run: Run) -> None:
    calls = [GET, login("right", good=True)]
    params = {**CI, "http_password": "right", "exclusive_password": False}
    assert not run("gerrit_account", params, calls)["changed"]


def test_password_only_on_create(run: Run) -> None:
    params = {**CI, "http_password": "any", "update_password": "on_create"}
    assert not run("gerrit_account", params, [GET])["changed"]


ADMIN = Call("GET", "/accounts/admin/detail", response("admin.self"), login=("admin", "secret"))


def test_administrator_ends_its_first_password(run: Run) -> None:
    """`init --dev` of 3.13 leaves the token `initialToken`, which opens the account with `secret`."""
    calls = [
        login("new", good=False, user="admin"),
        ADMIN,
        login("new", good=False, user="admin"),
        tokens("initialToken", number=1000000),
        put("new", number=1000000),
        login("new", good=True, user="admin"),
        Call("DELETE", "/accounts/1000000/tokens/initialToken", "", 204, login=("admin", "new")),
        login("secret", good=False, user="admin"),
    ]
    params = {"name": "admin", "password": "secret", "http_password": "new", "ended_passwords": ["secret"]}
    assert run("gerrit_account", params, calls)["changed"]


def test_administrator_rotates_its_own_password_with_a_borrowed_token(run: Run) -> None:
    token = {"id": "ansible-rotation", "token": "borrowed"}
    calls = [
        login("new", good=False, user="admin"),
        Call("GET", "/accounts/admin/detail", response("admin.self"), login=("admin", "old")),
        login("new", good=False, user="admin"),
        tokens("default", number=1000000),
        Call("DELETE", "/accounts/1000000/tokens/ansible-rotation", "Not found", 404, login=("admin", "old")),
        Call(
            "PUT",
            "/accounts/1000000/tokens/ansible-rotation",
            token,
            201,
            {"lifetime": "1h"},
            ("admin", "old"),
        ),
        Call("DELETE", "/accounts/1000000/tokens/default", "", 204, login=("admin", "borrowed")),
        put("new", number=1000000),
        login("new", good=True, user="admin"),
        Call("DELETE", "/accounts/1000000/tokens/ansible-rotation", "", 204, login=("admin", "new")),
    ]
    run("gerrit_account", {"name": "admin", "password": "old", "http_password": "new"}, calls)


def test_administrator_whose_password_is_right_already(run: Run) -> None:
    calls = [
        login("new", good=True, user="admin"),
        Call("GET", "/accounts/admin/detail", response("admin.self"), login=("admin", "new")),
        login("new", good=True, user="admin"),
        login("secret", good=False, user="admin"),
        tokens("default", number=1000000),
    ]
    params = {"name": "admin", "password": "secret", "http_password": "new", "ended_passwords": ["secret"]}
    assert not run("gerrit_account", params, calls)["changed"]


INACTIVE = recorded("account.inactive.detail")
BY_NUMBER = recorded("account.inactive.id.detail")


def test_inactive_account_is_found_and_activated(run: Run) -> None:
    calls = [INACTIVE, BY_NUMBER, recorded("account.active.id")]
    result = run("gerrit_account", {"name": "bare"}, calls)
    assert result["actions"] == ["activate the account"]


def test_inactive_account_that_shall_be_so(run: Run) -> None:
    result = run(
        "gerrit_account", {"name": "bare", "active": False, "http_password": "x"}, [INACTIVE, BY_NUMBER]
    )
    assert not result["changed"]
    assert "left alone" in str(result["warnings"])


def test_loose_match_is_not_taken_for_the_account(run: Run) -> None:
    """Gerrit answers to part of a name too."""
    loose = Call("GET", "/accounts/Example/detail", response("account.get.detail"))
    calls = [loose, Call("PUT", "/accounts/Example", {"_account_id": 7}, 201, {"name": "Example"})]
    assert run("gerrit_account", {"name": "Example"}, calls)["actions"] == ["create the account Example"]


@pytest.mark.parametrize(
    ("params", "calls", "words"),
    [
        (CI, [MISSING, recorded("account.create.exists", body={"name": "xen-ci"})], "is taken"),
        (
            {"name": "b b"},
            [
                recorded("account.get.missing", "GET", "/accounts/b%20b/detail"),
                recorded("account.create.bad-username", body={"name": "b b"}),
            ],
            "Invalid username",
        ),
        (
            {**CI, "email": "dev@review.example.org"},
            [
                GET,
                recorded("account.get.emails", "GET", "/accounts/1000001/emails"),
                recorded(
                    "account.create.email-taken", "PUT", "/accounts/1000001/emails/dev%40review.example.org",
                    body={"no_confirmation": True},
                ),
            ],
            "belongs to one account only",
        ),
        ({**CI, "groups": ["none-such"]}, [GET, recorded("group.get.missing")], "no group 'none-such'"),
        ({"name": "77"}, [Call("GET", "/accounts/77/detail", "Not found", 404)], "no account number 77"),
    ],
)  # fmt: skip
def test_refusals(run: Run, params: dict[str, Any], calls: list[Call], words: str) -> None:
    assert words in run("gerrit_account", params, calls)["msg"]
