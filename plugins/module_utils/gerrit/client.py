"""HTTP client for Gerrit's REST API and the words in which its refusals are explained.

Source of paths, statuses and shapes: Gerrit's REST documentation and recorded answers of 3.11 and 3.13
(``tests/recordings``). What every caller must know:

* answers start with the line ``)]}'``, then JSON; refusals are plain text;
* a PUT without a body must not carry a JSON content type (400 otherwise);
* a user name in a URL is matched loosely and never finds an inactive account: accounts are addressed by
  number.
"""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.parse
from typing import Any, NamedTuple, NoReturn

from ansible.module_utils.urls import ConnectionError as UrlConnectionError
from ansible.module_utils.urls import open_url
from ansible_collections.xenci.stack.plugins.module_utils.server import Server, ServerError, server_spec

_PREFIX = ")]}'"
# What a proxy says whose Gerrit is not up.
_STARTING = (502, 503, 504)


class GerritError(ServerError):  # type: ignore[misc]  # mypy can't see a collection's own name
    """What Gerrit refused or could not answer, and what to do about it."""


class Answer(NamedTuple):
    """``data`` is the decoded JSON where Gerrit sent JSON, else the text without the final newline."""

    status: int
    data: Any


class Account(NamedTuple):
    """An account as AccountInfo of ``GET /accounts/N/detail`` tells it; missing fields are empty."""

    number: int
    username: str
    name: str
    email: str
    active: bool

    @property
    def label(self) -> str:
        """The name under which people and diffs know it."""
        return self.username or str(self.number)


class Group(NamedTuple):
    """A group: ``uuid`` as access rules spell it (``global:Registered-Users``, not url-encoded)."""

    uuid: str
    name: str
    info: dict[str, Any]


def connection_spec() -> dict[str, Any]:
    """The options that every gerrit_* module has; described in the doc fragment ``gerrit``."""
    return {
        **server_spec(),
        "username": {"type": "str", "required": True},
        "password": {"type": "str", "required": True, "no_log": True},
    }


def quote(part: str | int) -> str:
    """One segment of a path: ``group/nested`` becomes ``group%2Fnested``."""
    return urllib.parse.quote(str(part), safe="")


def account_from_info(info: dict[str, Any]) -> Account:
    """Turn Gerrit's AccountInfo (with details) into an Account."""
    return Account(
        number=int(info["_account_id"]),
        username=str(info.get("username", "")),
        name=str(info.get("name", "")),
        email=str(info.get("email", "")),
        active=not info.get("inactive", False),
    )


class Gerrit(Server):  # type: ignore[misc]  # mypy can't see a collection's own name
    """One Gerrit and the account as which we speak to it. Looks groups and accounts up once each."""

    service = "Gerrit"
    error = GerritError
    hint = " After a start it needs up to a minute; gerrit_info with wait waits for it."

    def __init__(self, url: str, username: str, password: str, **options: Any) -> None:
        super().__init__(url, **options)
        self.username = username
        self.password = password
        self._groups: dict[str, Group | None] = {}

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Gerrit:
        """Make a client from a module's parameters (``connection_spec``)."""
        return cls(**{name: params[name] for name in connection_spec()})

    # -- plain requests --------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        text: str | None = None,
        accept: tuple[int, ...] = (),
        login: tuple[str, str] | None = None,
        anonymous: bool = False,
    ) -> Answer:
        """Send one request below ``/a/`` and return the answer.

        ``body`` goes as JSON, ``text`` as text/plain. Statuses of 300 and above raise GerritError unless they
        stand in ``accept``. ``login`` speaks as somebody else (user name, password), ``anonymous`` as nobody.
        """
        user, password = login or (self.username, self.password)
        headers = {"Accept": "application/json"}
        data = None
        if text is not None:
            headers["Content-Type"] = "text/plain; charset=UTF-8"
            data = text.encode()
        elif body is not None:
            headers["Content-Type"] = "application/json; charset=UTF-8"
            data = json.dumps(body).encode()
        try:
            response = open_url(
                f"{self.url}{'' if anonymous else '/a'}{path}",
                method=method,
                data=data,
                headers=headers,
                url_username=None if anonymous else user,
                url_password=None if anonymous else password,
                force_basic_auth=not anonymous,
                follow_redirects="none",
                use_netrc=False,
                **self.options,
            )
            status, raw = int(response.status), response.read()
        except urllib.error.HTTPError as error:
            status, raw = error.code, error.read()
            if status not in accept:
                self._refused(method, path, status, raw.decode(errors="replace"), user, error.headers)
        except (UrlConnectionError, OSError) as error:
            raise self.unreachable(error) from error
        return Answer(status, self._decode(raw, status))

    def get(self, path: str, accept: tuple[int, ...] = ()) -> Answer:
        """``GET`` as the account of the connection."""
        return self.request("GET", path, accept=accept)

    def put(self, path: str, body: Any = None, accept: tuple[int, ...] = ()) -> Answer:
        """``PUT``; without a body no content type is sent, as Gerrit wants it."""
        return self.request("PUT", path, body=body, accept=accept)

    def post(self, path: str, body: Any) -> Answer:
        """``POST`` of JSON."""
        return self.request("POST", path, body=body)

    def delete(self, path: str, accept: tuple[int, ...] = ()) -> Answer:
        """``DELETE``; answers 204 with nothing."""
        return self.request("DELETE", path, accept=accept)

    # -- the server and the account of the connection --------------------------------------------------------

    def version(self, wait: int = 0) -> str:
        """Gerrit's version, for example ``3.13.8``, asked without a login.

        Asks again for ``wait`` seconds while nothing answers.
        """
        deadline = time.monotonic() + wait
        while True:
            try:
                return str(self.request("GET", "/config/server/version", anonymous=True).data)
            except GerritError as error:
                if not error.down or time.monotonic() >= deadline:
                    raise
            time.sleep(1)

    def opens(self, username: str, password: str) -> bool:
        """Whether this user name and password are accepted now."""
        return self.request("GET", "/accounts/self", accept=(401,), login=(username, password)).status == 200

    # -- accounts and groups ---------------------------------------------------------------------------------

    def find_account(self, who: str) -> Account | None:
        """The account with exactly this user name, number or e-mail address, inactive ones too."""
        answer = self.get(f"/accounts/{quote(who)}/detail", accept=(404,))
        if answer.status == 200:
            found = [account_from_info(answer.data)]
        else:
            # "... only matches inactive accounts ... exact account IDs:\n1000006: Name of user ..."
            numbers = re.findall(r"^(\d+): ", str(answer.data), flags=re.MULTILINE)
            found = [account_from_info(self.get(f"/accounts/{number}/detail").data) for number in numbers]
        for account in found:
            if who in (account.username, str(account.number)) or (
                "@" in who and self._has_email(account, who)
            ):
                return account
        return None

    def _has_email(self, account: Account, address: str) -> bool:
        if address.lower() == account.email.lower():
            return True
        emails = self.get(f"/accounts/{account.number}/emails").data
        return any(entry["email"].lower() == address.lower() for entry in emails)

    def find_group(self, name: str) -> Group | None:
        """The group with exactly this name or UUID, with members and includes where Gerrit keeps them."""
        if name not in self._groups:
            self._groups[name] = self._find_group(name)
        return self._groups[name]

    def forget_group(self, name: str) -> None:
        """Look it up again next time: it was changed."""
        self._groups.pop(name, None)

    def _find_group(self, name: str) -> Group | None:
        # Only a group that Gerrit itself keeps has members to show: not so Registered Users and the like.
        answer = self.get(f"/groups/{quote(name)}", accept=(404,))
        if answer.status == 404:
            return None
        uuid = urllib.parse.unquote(answer.data["id"])
        if name not in (answer.data["name"], uuid):
            return None
        if not uuid.startswith("global:"):
            answer = self.get(f"/groups/{quote(uuid)}/detail")
        return Group(uuid, answer.data["name"], answer.data)

    # -- explanations ----------------------------------------------------------------------------------------

    def _decode(self, raw: bytes, status: int) -> Any:
        text = raw.decode(errors="replace")
        if text.startswith(_PREFIX):
            return json.loads(text[len(_PREFIX) :])
        if status == 200 and text.lstrip()[:1] == "<":
            raise GerritError(
                f"{self.url} answers with a web page, not with Gerrit's REST API. Check url: it must be what "
                "gerrit.canonicalWebUrl says, with its path prefix if it has one."
            )
        return text.rstrip("\n")

    def _refused(self, method: str, path: str, status: int, text: str, user: str, headers: Any) -> NoReturn:
        says = text.strip() or "nothing"
        if status == 401:
            message = (
                f"{self.url} refuses the login of '{user}': wrong user name, wrong password or an "
                "inactive account. password is Gerrit's HTTP password (Settings, HTTP Credentials), "
                "which need not be that of the login page."
            )
        elif status == 403:
            message = f"'{user}' may not {method} {path}: {says}. Use an account of the group Administrators."
        elif 300 <= status < 400:
            message = f"{self.url} redirects to {headers.get('Location')}: put the final address into url."
        elif status in _STARTING:
            message = f"{self.url} answers {status}: the proxy is up but Gerrit behind it is not (yet)."
        elif status >= 500:
            message = f"{method} {path} answers {status}: {says}. Gerrit's own error; see its logs/error_log."
        else:
            message = f"{method} {path} answers {status}: {says}"
        raise GerritError(message, status, down=status in _STARTING)
