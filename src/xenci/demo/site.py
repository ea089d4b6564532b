"""The deployed site as a user of it sees it: URLs, accounts, REST."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from typing import Any

import requests

from xenci.demo import hosts, secrets
from xenci.demo.lab import Lab

GERRIT_MAGIC = ")]}'"
TIMEOUT = 10.0
"""Seconds for one request; nothing here has to be computed for long."""

TENANT = "xenci"
CI_ACCOUNT = "xen-ci"
BASTION_ACCOUNT = "xenci-bastion"


class SiteError(Exception):
    """A service did not answer, or not as it should; the message names URL and answer."""


@dataclasses.dataclass(frozen=True)
class Site:
    """The services of one lab. Every certificate is checked against the lab's own authority."""

    lab: Lab
    tenant_name: str = TENANT

    @functools.cached_property
    def addresses(self) -> dict[str, str]:
        """Host → address."""
        return hosts.addresses(self.lab)

    @functools.cached_property
    def _session(self) -> requests.Session:
        session = requests.Session()
        session.verify = str(self.authority)
        session.trust_env = False
        return session

    @property
    def authority(self) -> str:
        """File with the certificate of the lab's authority."""
        return str(self.lab.directory / "pki" / "ca.crt")

    @property
    def review(self) -> str:
        """URL of the review server, with a slash at the end as the others."""
        return f"https://{self.addresses['review']}/"

    @property
    def zuul(self) -> str:
        """URL of Zuul's web server."""
        return f"https://{self.addresses['ci']}/"

    @property
    def logs(self) -> str:
        """URL of the log server."""
        return f"https://{self.addresses['logs']}/"

    @functools.cached_property
    def passwords(self) -> dict[str, str]:
        """Account of the review server → HTTP password."""
        values = secrets.read(self.lab)
        return {
            account.replace("_", "-"): values[f"vault_gerrit_{account}_password"]
            for account in secrets.ACCOUNTS
        }

    def get(self, url: str, account: str | None = None) -> requests.Response:
        """GET a URL of the site.

        :raises SiteError: when there is no answer, or one that is not 200.
        """
        auth = (account, self.passwords[account]) if account else None
        try:
            answer = self._session.get(url, auth=auth, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise SiteError(f"{url}: {error}") from error
        if answer.status_code != requests.codes.ok:
            raise SiteError(f"{url}: {answer.status_code} {answer.text.strip()[:200]}")
        return answer

    def gerrit(self, path: str, account: str) -> Any:
        """What the review server's REST API answers to an account.

        :param path: without `/a/`, such as `changes/?q=status:open`.
        """
        url = f"{self.review}a/{path}"
        text = self.get(url, account).text
        if not text.startswith(GERRIT_MAGIC):
            raise SiteError(f"{url}: not an answer of Gerrit's REST API: {text[:100]!r}")
        return json.loads(text.removeprefix(GERRIT_MAGIC))

    def post(self, path: str, body: Mapping[str, Any], account: str) -> None:
        """POST to the review server's REST API, as an account.

        :param path: without `/a/`, such as `changes/5/revisions/current/review`.
        :raises SiteError: when the server refuses.
        """
        url = f"{self.review}a/{path}"
        try:
            answer = self._session.post(
                url, json=body, auth=(account, self.passwords[account]), timeout=TIMEOUT
            )
        except requests.RequestException as error:
            raise SiteError(f"{url}: {error}") from error
        if not answer.ok:
            raise SiteError(f"{url}: {answer.status_code} {answer.text.strip()[:200]}")

    def tenant(self, path: str) -> Any:
        """What Zuul's API answers about the tenant, such as `builds?change=5`."""
        return self.get(f"{self.zuul}api/tenant/{self.tenant_name}/{path}").json()

    def change(self, number: int, account: str = "carol") -> dict[str, Any]:
        """A change with labels, messages and current revision, as an account reads it."""
        options = "&".join(
            f"o={name}" for name in ("MESSAGES", "DETAILED_LABELS", "DETAILED_ACCOUNTS", "CURRENT_REVISION")
        )
        answer: dict[str, Any] = self.gerrit(f"changes/{number}?{options}", account)
        return answer

    def missing(self) -> list[str]:
        """Services that don't answer, each with the reason."""
        reasons = []
        for url in (
            f"{self.review}config/server/version",
            f"{self.zuul}api/tenant/{self.tenant_name}/status",
            self.logs,
        ):
            try:
                self.get(url)
            except SiteError as error:
                reasons.append(str(error))
        return reasons
