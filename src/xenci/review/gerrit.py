"""The review server, as the bastion's account speaks to it over REST.

Paths and shapes: Gerrit's REST documentation for 3.11 to 3.13.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

MAGIC = ")]}'"
TIMEOUT = 30.0
"""Seconds for one request."""


class GerritError(Exception):
    """An answer that is none of what was expected; the message names URL and answer."""


class AwayError(GerritError):
    """The server does not answer, or says that it is not up: worth asking again later."""


class RefusalError(GerritError):
    """The server says no, and will say so again; `status` as in HTTP."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclasses.dataclass(frozen=True)
class Settings:
    """Which server, which account, which project, and who allows a plan there."""

    url: str
    """What `gerrit.canonicalWebUrl` says; Depends-On is compared with it."""
    account: str
    password: str = dataclasses.field(repr=False)
    project: str
    approvers: str
    """Group whose members vote Allow-Plan."""
    spool: Path
    """Folder of reports that are not on the review server yet."""
    branch: str = "master"
    ca: Path | None = None
    """Certificate of the authority, where the machine does not trust it anyway."""


class Gerrit:
    """One account on one server."""

    def __init__(self, settings: Settings) -> None:
        self.url = settings.url.rstrip("/")
        self._session = requests.Session()
        self._session.auth = (settings.account, settings.password)
        # A certificate of the site's own authority is no matter for the environment's.
        self._session.trust_env = False
        self._session.verify = str(settings.ca) if settings.ca else True

    def get(self, *path: str | int, missing: bool = False, **query: Any) -> Any:
        """GET below `/a/`; the parts of the path are quoted.

        :param missing: None in place of an error where there is nothing by that name.
        :raises GerritError: when the answer is anything else; AwayError when there is none.
        """
        return self._ask("GET", path, missing=missing, params=query)

    def post(self, *path: str | int, body: dict[str, Any]) -> Any:
        """POST of JSON below `/a/`.

        :raises GerritError: as for `get`.
        """
        return self._ask("POST", path, json=body)

    def _ask(self, method: str, path: tuple[str | int, ...], *, missing: bool = False, **options: Any) -> Any:
        url = f"{self.url}/a/" + "/".join(quote(str(part), safe="") for part in path)
        try:
            answer = self._session.request(method, url, timeout=TIMEOUT, allow_redirects=False, **options)
        except requests.RequestException as error:
            raise AwayError(f"{url}: {error}") from error
        if missing and answer.status_code == requests.codes.not_found:
            return None
        # Not up, too busy, or a password that is being changed.
        if answer.status_code >= requests.codes.server_error or answer.status_code in (401, 429):
            raise AwayError(f"{url}: {answer.status_code} {answer.text.strip()[:200]}")
        if answer.status_code >= requests.codes.bad_request:
            raise RefusalError(f"{url}: {answer.status_code} {answer.text.strip()[:200]}", answer.status_code)
        if answer.status_code == requests.codes.no_content:
            return None
        if answer.status_code >= requests.codes.multiple_choices or not answer.text.startswith(MAGIC):
            # Somebody else's page in its place: of a proxy, or while it is moved.
            raise AwayError(
                f"{url}: no answer of Gerrit's REST API: {answer.status_code} {answer.text[:100]!r}"
            )
        return json.loads(answer.text.removeprefix(MAGIC))
