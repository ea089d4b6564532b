"""/accounts."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable
from typing import Any

from xenci.lab_gerrit.accounts import Account, TokenExistsError, account_info
from xenci.lab_gerrit.groups import SYSTEM_GROUPS, Group, Groups
from xenci.lab_gerrit.rest.call import NO_CONTENT, Call, Reply, RestError, Route, not_found, timestamp
from xenci.lab_gerrit.rest.query import terms
from xenci.lab_gerrit.rest.server_info import defaults
from xenci.lab_gerrit.server import Server
from xenci.lab_gerrit.store import dumps, loads

_USERNAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9.!#$%&'*+/=?^_`{|}~@-]*[a-zA-Z0-9])?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LIFETIME = re.compile(r"(\d+)\s*(s|m|h|d|w|y)\w*")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31557600}
_DONE = ""  # Gerrit's answer where there is nothing to say: an empty JSON string


def account_of(call: Call, text: str) -> Account:
    """The one account that an identifier names; 404 if none, 403 for `self` without login."""
    if text == "self":
        if call.account is None:
            raise RestError(403, "Resolving account 'self' requires login")
        return call.account
    accounts = call.server.accounts
    found = accounts.find(text)
    if len(found) == 1:
        return found[0]
    inactive = accounts.find(text, inactive=True)
    if not found and inactive:
        lines = "\n".join(
            f"{account.id}: {account.name or 'Name of user not set'} ({account.id})" for account in inactive
        )
        raise RestError(
            404,
            f"Account '{text}' only matches inactive accounts. To use an inactive account, retry with one "
            f"of the "
            f"following exact account IDs:\n{lines}",
        )
    if len(found) > 1:
        lines = "\n".join(f"{account.id}: {account.signature}" for account in found)
        raise RestError(404, f"Account '{text}' is ambiguous (at most 3 shown):\n{lines}")
    raise RestError(404, f"Account '{text}' not found")


def _account(call: Call) -> Account:
    return account_of(call, call.path["account"])


def _own(call: Call, capability: str = "modifyAccount", text: str = "modify account") -> Account:
    """The account in the URL, if it is the caller's own or he may change others'."""
    account = _account(call)
    if call.account_id != account.id:
        call.user  # noqa: B018  403 for anonymous users
        call.require_capability(capability, text)
    return account


async def query(call: Call) -> Any:
    """GET /accounts/: `q`, or with `suggest` the words that somebody has typed."""
    call.known_options("q", "query", "n", "limit", "S", "start", "o", "O", "suggest")
    text = call.option("q") or call.option("query")
    suggest = call.option("suggest") is not None
    if text is None:
        raise RestError(400, "missing query field")
    found = call.server.accounts.matching(text) if suggest else _matching(call, text)
    found.sort(key=lambda account: (account.name or "", account.email or "", account.id))
    start = call.number("S") or call.number("start") or 0
    limit = call.number("n") or call.number("limit") or (10 if suggest else len(found))
    page = found[start : start + limit]
    options = set(call.options("o"))
    details = suggest or bool(options & {"DETAILS", "ALL_EMAILS"})
    infos = []
    for account in page:
        info = account_info(account, detailed=details)
        if (suggest or "ALL_EMAILS" in options) and _sees_all_emails(call, account):
            info["secondary_emails"] = _secondary(call.server, account)
        infos.append(info)
    if infos and len(found) > start + limit:
        infos[-1]["_more_accounts"] = True
    return infos


def _matching(call: Call, text: str) -> list[Account]:
    accounts = call.server.accounts
    found = accounts.all()
    operators = {"is", "name", "email", "username", "id"}
    given = terms(text, operators)
    if ("is", "inactive") not in given:
        found = [account for account in found if account.active]
    for operator, value in given:
        if operator == "is":
            found = [
                account
                for account in found
                if account.active == (value == "active") and account.status != "deleted"
            ]
        elif operator == "username":
            found = [account for account in found if account.username == value]
        elif operator == "email":
            found = [account for account in found if value.lower() in accounts.emails(account.id)]
        elif operator == "id":
            found = [account for account in found if str(account.id) == value]
        elif operator == "name":
            words = value.lower().split()
            found = [account for account in found if _has_words(account, words)]
        else:
            found = [
                account
                for account in found
                if account in accounts.matching(value) or str(account.id) == value
            ]
    return found


def _has_words(account: Account, words: Iterable[str]) -> bool:
    names = re.split(r"[^a-z0-9]+", (account.name or "").lower())
    return all(any(name.startswith(word) for name in names) for word in words)


def _sees_all_emails(call: Call, account: Account) -> bool:
    return call.account_id == account.id or call.server.access.capability(
        call.account_id, "viewSecondaryEmails"
    )


def _secondary(server: Server, account: Account) -> list[str]:
    return [email for email in server.accounts.emails(account.id) if email != account.email]


async def create_account(server: Server, actor: Account, username: str, given: dict[str, Any]) -> Account:
    """Make an account from an AccountInput; RestError says why not. Used by REST and ssh."""
    if given.get("username") not in (None, username):
        raise RestError(400, "username must match URL")
    if not _USERNAME.fullmatch(username):
        raise RestError(400, f"Invalid username '{username}'")
    if server.accounts.by_username(username):
        raise RestError(409, "account exists")
    email = given.get("email")
    if email is not None:
        _check_email(server, email)
    groups = Groups(server)
    members: list[Group] = []
    for text in given.get("groups") or []:
        group = groups.find(text)
        if group is None or group.row is None:
            raise RestError(422, f"Group Not Found: {text}")
        members.append(group)
    account = server.accounts.create(username, given.get("name"), email)
    if given.get("http_password"):
        server.accounts.add_token(account.id, "legacy", given["http_password"])
    for group in members:
        await groups.add_members(actor, group, [account])
    if given.get("ssh_key") is not None:
        _add_key(server, account, given["ssh_key"])
    return server.accounts.get(account.id) or account


def _check_email(server: Server, email: str) -> None:
    if not _EMAIL.fullmatch(email):
        raise RestError(400, "invalid email address")
    if server.accounts.by_email(email):
        raise RestError(422, f"email '{email}' already exists")


async def create(call: Call) -> Any:
    """PUT /accounts/{username}."""
    call.require_capability("createAccount", "create account")
    account = await create_account(call.server, call.user, call.path["account"], call.json)
    return Reply(account_info(account), 201)


async def get(call: Call) -> Any:
    """GET /accounts/{id}."""
    return account_info(_account(call))


async def delete(call: Call) -> Any:
    """DELETE /accounts/{id}: one's own only."""
    account = _account(call)
    if call.account_id != account.id:
        raise RestError(403, "Deleting account requires administrateServer")
    call.server.accounts.delete(account.id)
    call.server.access.forget()
    return NO_CONTENT


async def detail(call: Call) -> Any:
    """GET /accounts/{id}/detail."""
    account = _account(call)
    info: dict[str, Any] = {"registered_on": timestamp(account.registered_on)} | account_info(account)
    if _sees_all_emails(call, account):
        info["secondary_emails"] = _secondary(call.server, account)
    return info


async def get_name(call: Call) -> Any:
    """GET /accounts/{id}/name."""
    return _account(call).name or ""


async def put_name(call: Call) -> Any:
    """PUT or DELETE /accounts/{id}/name."""
    account = _own(call)
    name = call.json.get("name") or None
    call.server.accounts.update(account.id, name=name)
    return name or NO_CONTENT


async def get_username(call: Call) -> Any:
    """GET /accounts/{id}/username."""
    username = _own(call, "administrateServer", "administrate server").username
    if username is None:
        raise not_found("username")
    return username


async def put_username(call: Call) -> Any:
    """PUT /accounts/{id}/username: once given, it stays."""
    account = _own(call, "administrateServer", "administrate server")
    if account.username is None:
        username = call.json.get("username") or ""
        if not _USERNAME.fullmatch(username):
            raise RestError(422, "invalid username")
        if call.server.accounts.by_username(username):
            raise RestError(409, "username already used")
        call.server.accounts.update(account.id, username=username)
        return username
    raise RestError(405, "Username cannot be changed.")


async def get_status(call: Call) -> Any:
    """GET /accounts/{id}/status."""
    return _account(call).status or ""


async def put_status(call: Call) -> Any:
    """PUT /accounts/{id}/status."""
    account = _own(call)
    status = call.json.get("status") or None
    call.server.accounts.update(account.id, status=status)
    return status or NO_CONTENT


async def get_display_name(call: Call) -> Any:
    """GET /accounts/{id}/displayname."""
    name = _account(call).display_name
    if not name:
        raise not_found("displayname")
    return name


async def put_display_name(call: Call) -> Any:
    """PUT or DELETE /accounts/{id}/displayname."""
    account = _own(call)
    name = call.json.get("display_name") or None
    call.server.accounts.update(account.id, display_name=name)
    return name or NO_CONTENT


async def get_active(call: Call) -> Any:
    """GET /accounts/{id}/active: 200 or, where it is not, 204."""
    return "ok" if _account(call).active else NO_CONTENT


async def put_active(call: Call) -> Any:
    """PUT /accounts/{id}/active: 201 if it was not."""
    account = _account(call)
    call.require_capability("modifyAccount", "modify account")
    call.server.accounts.update(account.id, active=1)
    return Reply(_DONE, 200 if account.active else 201)


async def delete_active(call: Call) -> Any:
    """DELETE /accounts/{id}/active."""
    account = _account(call)
    call.require_capability("modifyAccount", "modify account")
    if account.id == call.account_id:
        raise RestError(409, "cannot deactivate own account")
    if not account.active:
        raise RestError(409, "account not active")
    call.server.accounts.update(account.id, active=0)
    return NO_CONTENT


def _email_info(account: Account, email: str) -> dict[str, Any]:
    return {"email": email} | ({"preferred": True} if email == account.email else {})


def _email(call: Call, account: Account) -> str:
    email = call.path["email"]
    email = account.email or "" if email == "preferred" else email
    if email not in call.server.accounts.emails(account.id):
        raise not_found(email)
    return email


async def list_emails(call: Call) -> Any:
    """GET /accounts/{id}/emails."""
    account = _own(call)
    return [_email_info(account, email) for email in call.server.accounts.emails(account.id)]


async def get_email(call: Call) -> Any:
    """GET /accounts/{id}/emails/{email}."""
    account = _own(call)
    return _email_info(account, _email(call, account))


async def put_email(call: Call) -> Any:
    """PUT /accounts/{id}/emails/{email}: without mail, so only with no_confirmation."""
    account = _own(call)
    email = call.path["email"]
    if call.json.get("email") not in (None, email):
        raise RestError(400, "email address must match URL")
    if not _EMAIL.fullmatch(email):
        raise RestError(400, "invalid email address")
    if not call.json.get("no_confirmation"):
        raise RestError(405, "no mail is sent here: give no_confirmation")
    call.require_capability("modifyAccount", "modify account")
    if call.server.accounts.by_email(email):
        raise RestError(409, "email exists")
    call.server.store.insert("emails", account=account.id, email=email)
    if call.json.get("preferred") or account.email is None:
        call.server.accounts.update(account.id, email=email)
        account = call.server.accounts.get(account.id) or account
    return Reply(_email_info(account, email), 201)


async def put_preferred(call: Call) -> Any:
    """PUT /accounts/{id}/emails/{email}/preferred: 201 if it was not."""
    account = _own(call)
    email = _email(call, account)
    call.server.accounts.update(account.id, email=email)
    return Reply(_DONE, 200 if account.email == email else 201)


async def delete_email(call: Call) -> Any:
    """DELETE /accounts/{id}/emails/{email}."""
    account = _own(call)
    email = _email(call, account)
    call.server.store.run("DELETE FROM emails WHERE email = ?", email)
    if account.email == email:
        call.server.accounts.update(account.id, email=None)
    return NO_CONTENT


def _key_info(row: Any) -> dict[str, Any]:
    line = " ".join(part for part in (row["algorithm"], row["encoded"], row["comment"]) if part)
    return {
        "seq": row["seq"],
        "ssh_public_key": line,
        "encoded_key": row["encoded"],
        "algorithm": row["algorithm"],
        "comment": row["comment"],
        "valid": bool(row["valid"]),
    }


def _add_key(server: Server, account: Account, line: str) -> Any:
    try:
        return server.accounts.add_key(account.id, line)
    except ValueError:
        raise RestError(400, "Invalid SSH Key") from None


async def list_keys(call: Call) -> Any:
    """GET /accounts/{id}/sshkeys."""
    account = _own(call)
    rows = call.server.store.all("SELECT * FROM ssh_keys WHERE account = ? ORDER BY seq", account.id)
    return [_key_info(row) for row in rows]


async def add_key(call: Call) -> Any:
    """POST /accounts/{id}/sshkeys: the body is the key's line, not JSON."""
    account = _own(call)
    if call.content_type.split(";")[0].strip() == "application/json":
        raise RestError(400, "SSH public key missing")
    return Reply(_key_info(_add_key(call.server, account, call.body.decode(errors="replace"))), 201)


def _key(call: Call, account: Account) -> Any:
    seq = call.path["seq"]
    query = "SELECT * FROM ssh_keys WHERE account = ? AND seq = ?"
    row = call.server.store.one(query, account.id, int(seq)) if seq.isdigit() else None
    if row is None:
        raise not_found(seq)
    return row


async def get_key(call: Call) -> Any:
    """GET /accounts/{id}/sshkeys/{seq}."""
    return _key_info(_key(call, _own(call)))


async def delete_key(call: Call) -> Any:
    """DELETE /accounts/{id}/sshkeys/{seq}; its number is not given again."""
    account = _own(call)
    row = _key(call, account)
    call.server.accounts.delete_key(account.id, row["seq"])
    return NO_CONTENT


async def put_password(call: Call) -> Any:
    """PUT or DELETE /accounts/{id}/password.http.

    In 3.13 a password is a token: a new one does not end the old one, and is refused while `default` is
    there.
    """
    account = _own(call, "administrateServer", "administrate server")
    accounts = call.server.accounts
    secret = call.json.get("http_password")
    if call.json.get("generate"):
        secret = secrets.token_urlsafe(32)
    elif secret:
        call.require_admin()
    if not secret:
        accounts.delete_password(account.id)
        return NO_CONTENT
    try:
        accounts.set_password(account.id, secret)
    except TokenExistsError as error:
        raise RestError(400, str(error)) from None
    return Reply(secret, 201)


def _token_info(token_id: str, expires: float | None) -> dict[str, Any]:
    return {"id": token_id} | ({"expiration": timestamp(expires)} if expires is not None else {})


async def list_tokens(call: Call) -> Any:
    """GET /accounts/{id}/tokens."""
    account = _own(call, "administrateServer", "administrate server")
    return [_token_info(row["id"], row["expires"]) for row in call.server.accounts.tokens(account.id)]


async def put_token(call: Call) -> Any:
    """PUT /accounts/{id}/tokens/{token}: made and shown once."""
    account = _own(call, "administrateServer", "administrate server")
    token_id = call.path["token"]
    if token_id in {row["id"] for row in call.server.accounts.tokens(account.id)}:
        raise not_found("/")
    expires: int | None = None
    lifetime = call.json.get("lifetime")
    if lifetime:
        match = _LIFETIME.fullmatch(str(lifetime).strip())
        if match is None:
            raise RestError(400, f"Invalid lifetime: {lifetime}")
        expires = int(time.time()) + int(match[1]) * _SECONDS[match[2]]
    secret = secrets.token_urlsafe(32)
    call.server.accounts.add_token(account.id, token_id, secret, expires)
    return Reply(_token_info(token_id, expires) | {"token": secret}, 201)


async def delete_token(call: Call) -> Any:
    """DELETE /accounts/{id}/tokens/{token}."""
    account = _own(call, "administrateServer", "administrate server")
    if not call.server.accounts.delete_token(account.id, call.path["token"]):
        raise not_found(call.path["token"])
    return NO_CONTENT


async def get_capabilities(call: Call) -> Any:
    """GET /accounts/{id}/capabilities: only what the account has."""
    account = _own(call, "administrateServer", "administrate server")
    wanted = call.options("q")
    found = call.server.access.capabilities(account.id)
    return {name: value for name, value in found.items() if not wanted or name in wanted}


async def get_capability(call: Call) -> Any:
    """GET /accounts/{id}/capabilities/{name}: `ok` or 404."""
    account = _own(call, "administrateServer", "administrate server")
    name = call.path["name"]
    if name not in call.server.access.capabilities(account.id):
        raise not_found(name)
    return Reply(text="ok\n")


async def get_groups(call: Call) -> Any:
    """GET /accounts/{id}/groups."""
    account = _account(call)
    groups = Groups(call.server)
    uuids = call.server.access.groups(account.id)
    system = [Group(uuid, name) for uuid, name in SYSTEM_GROUPS.items() if uuid in uuids]
    own = [group for group in groups.all() if group.uuid in uuids and groups.sees(call.account_id, group)]
    return [groups.info(group) for group in (*system, *own)]


async def get_external_ids(call: Call) -> Any:
    """GET /accounts/{id}/external.ids."""
    account = _own(call, "accessDatabase", "access database")
    found: list[dict[str, Any]] = [
        {"identity": f"mailto:{email}", "email_address": email, "trusted": True, "can_delete": True}
        for email in call.server.accounts.emails(account.id)
    ]
    if account.username:
        found.append({"identity": f"username:{account.username}", "trusted": True})
    return found


async def get_preferences(call: Call) -> Any:
    """GET /accounts/{id}/preferences."""
    account = _own(call)
    own = call.server.store.value("SELECT preferences FROM accounts WHERE id = ?", account.id)
    return defaults("preferences") | loads(own)


async def put_preferences(call: Call) -> Any:
    """PUT /accounts/{id}/preferences: what is given is changed, the rest stays."""
    account = _own(call)
    known = defaults("preferences")
    old = call.server.store.value("SELECT preferences FROM accounts WHERE id = ?", account.id)
    new = loads(old) | {key: value for key, value in call.json.items() if key in known}
    call.server.accounts.update(account.id, preferences=dumps(new))
    return known | new


async def get_diff_preferences(call: Call) -> Any:
    """GET /accounts/{id}/preferences.diff."""
    _own(call)
    return defaults("diff_preferences")


async def agreements(call: Call) -> Any:
    """GET /accounts/{id}/agreements."""
    _account(call)
    raise RestError(405, "contributor agreements disabled")


async def watched(call: Call) -> Any:
    """GET /accounts/{id}/watched.projects: there is no mail to watch for."""
    _own(call)
    return []


async def starred(call: Call) -> Any:
    """GET /accounts/{id}/starred.changes: by number only."""
    account = _own(call)
    rows = call.server.store.all("SELECT change FROM stars WHERE account = ? ORDER BY change", account.id)
    return [{"_number": row["change"]} for row in rows]


async def index(call: Call) -> Any:
    """POST /accounts/{id}/index."""
    call.require_admin()
    _account(call)
    return NO_CONTENT


_ONE = "/accounts/{account}"
routes = [
    Route("GET", "/accounts", query),
    Route("GET", _ONE, get),
    Route("PUT", _ONE, create),
    Route("DELETE", _ONE, delete),
    Route("GET", f"{_ONE}/detail", detail),
    Route("GET", f"{_ONE}/name", get_name),
    Route("PUT", f"{_ONE}/name", put_name),
    Route("DELETE", f"{_ONE}/name", put_name),
    Route("GET", f"{_ONE}/username", get_username),
    Route("PUT", f"{_ONE}/username", put_username),
    Route("GET", f"{_ONE}/status", get_status),
    Route("PUT", f"{_ONE}/status", put_status),
    Route("GET", f"{_ONE}/displayname", get_display_name),
    Route("PUT", f"{_ONE}/displayname", put_display_name),
    Route("DELETE", f"{_ONE}/displayname", put_display_name),
    Route("GET", f"{_ONE}/active", get_active),
    Route("PUT", f"{_ONE}/active", put_active),
    Route("DELETE", f"{_ONE}/active", delete_active),
    Route("GET", f"{_ONE}/emails", list_emails),
    Route("GET", f"{_ONE}/emails/{{email}}", get_email),
    Route("PUT", f"{_ONE}/emails/{{email}}", put_email),
    Route("DELETE", f"{_ONE}/emails/{{email}}", delete_email),
    Route("PUT", f"{_ONE}/emails/{{email}}/preferred", put_preferred),
    Route("GET", f"{_ONE}/sshkeys", list_keys),
    Route("POST", f"{_ONE}/sshkeys", add_key, raw=True),
    Route("GET", f"{_ONE}/sshkeys/{{seq}}", get_key),
    Route("DELETE", f"{_ONE}/sshkeys/{{seq}}", delete_key),
    Route("PUT", f"{_ONE}/password.http", put_password),
    Route("DELETE", f"{_ONE}/password.http", put_password),
    Route("GET", f"{_ONE}/tokens", list_tokens),
    Route("PUT", f"{_ONE}/tokens/{{token}}", put_token),
    Route("DELETE", f"{_ONE}/tokens/{{token}}", delete_token),
    Route("GET", f"{_ONE}/capabilities", get_capabilities),
    Route("GET", f"{_ONE}/capabilities/{{name}}", get_capability),
    Route("GET", f"{_ONE}/groups", get_groups),
    Route("GET", f"{_ONE}/external.ids", get_external_ids),
    Route("GET", f"{_ONE}/preferences", get_preferences),
    Route("PUT", f"{_ONE}/preferences", put_preferences),
    Route("GET", f"{_ONE}/preferences.diff", get_diff_preferences),
    Route("GET", f"{_ONE}/agreements", agreements),
    Route("GET", f"{_ONE}/watched.projects", watched),
    Route("GET", f"{_ONE}/starred.changes", starred),
    Route("POST", f"{_ONE}/index", index),
]
