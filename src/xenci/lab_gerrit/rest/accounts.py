"""/accounts."""

from __future__ import annotations

from typing import Any

from xenci.lab_gerrit.accounts import Account, account_info
from xenci.lab_gerrit.rest.call import Call, RestError, Route, not_found


def account_of(call: Call, text: str) -> Account:
    """The one account that an identifier names; 404 if none, 403 for `self` without login."""
    if text == "self":
        if call.account is None:
            raise RestError(403, "Resolving account 'self' requires login")
        return call.account
    found = call.server.accounts.find(text)
    if len(found) != 1:
        raise not_found(text)
    return found[0]


async def get(call: Call) -> Any:
    """GET /accounts/{id}."""
    return account_info(account_of(call, call.path["account"]))


routes = [
    Route("GET", "/accounts/{account}", get),
]
