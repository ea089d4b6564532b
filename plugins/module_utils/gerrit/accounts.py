"""What gerrit_account does: account, e-mail address, keys, HTTP password, groups."""

from __future__ import annotations

from typing import Any

from ansible_collections.xenci.stack.plugins.module_utils.gerrit.client import (
    Account,
    Gerrit,
    GerritError,
    quote,
)
from ansible_collections.xenci.stack.plugins.module_utils.gerrit.result import Plan

# The token as which Gerrit 3.13 keeps what `PUT password.http` sets.
_PASSWORD_TOKEN = "default"  # noqa: S105 - an id, no secret
_BORROWED_TOKEN = "ansible-rotation"  # noqa: S105


def plan_account(gerrit: Gerrit, params: dict[str, Any], check_mode: bool) -> Plan:
    """Compare the account with the parameters of gerrit_account."""
    _speak_with_new_password(gerrit, params)
    return _AccountPlan(gerrit, params, check_mode).plan


def key_identity(key: str) -> str:
    """Algorithm and encoded key; the comment does not make it another key.

    Raises GerritError where the text is no public key.
    """
    words = key.split()
    if len(words) < 2 or words[0].startswith("-----"):
        raise GerritError(
            f"'{key.strip()[:40]}' is no OpenSSH public key. ssh_keys takes the content of a .pub file, "
            "such as 'ssh-ed25519 AAAA... name'."
        )
    return " ".join(words[:2])


def _speak_with_new_password(gerrit: Gerrit, params: dict[str, Any]) -> None:
    """When an account sets its own password, the next run must speak with the new one."""
    wanted = params["http_password"]
    own = params["name"] == gerrit.username
    if wanted and own and wanted != gerrit.password and gerrit.opens(gerrit.username, wanted):
        gerrit.password = wanted


class _AccountPlan:
    """Builds the plan; the account's number is known only once it exists, so steps ask for it late."""

    def __init__(self, gerrit: Gerrit, params: dict[str, Any], check_mode: bool) -> None:
        self.gerrit = gerrit
        self.params = params
        self.check_mode = check_mode
        self.name: str = params["name"]
        self.found = gerrit.find_account(self.name)
        self.number = self.found.number if self.found else 0
        self.listed_keys: list[dict[str, Any]] = []
        before = self._state(self.found) if self.found else None
        self.plan = Plan(before, dict(before) if before else {"name": self.name})
        if self.found is None:
            self._create()
        elif self.params["active"] and not self.found.active:
            self.plan.step("activate the account", lambda: gerrit.put(self._path("/active")))
            self.plan.after["active"] = True
        self._full_name()
        self._email()
        self._keys()
        self._password()
        self._membership()
        if not self.params["active"] and (self.found is None or self.found.active):
            self.plan.step("deactivate the account", lambda: gerrit.delete(self._path("/active")))
            self.plan.after["active"] = False

    def _path(self, rest: str = "") -> str:
        return f"/accounts/{self.number}{rest}"

    def _state(self, account: Account) -> dict[str, Any]:
        state: dict[str, Any] = {
            "name": account.label,
            "full_name": account.name,
            "email": account.email,
            "active": account.active,
        }
        if self.params["ssh_keys"] is not None:
            self.listed_keys = list(self.gerrit.get(self._path("/sshkeys")).data)
            state["ssh_keys"] = sorted(key["ssh_public_key"] for key in self.listed_keys)
        return state

    # -- the account -----------------------------------------------------------------------------------------

    def _create(self) -> None:
        if self.name.isdigit():
            raise GerritError(
                f"There is no account number {self.name}. To make an account give its user name."
            )
        wanted = self.params["full_name"] or self.name
        self.plan.step(f"create the account {self.name}", lambda: self._do_create(wanted))
        self.plan.after.update(full_name=wanted, email="", active=True)

    def _do_create(self, full_name: str) -> None:
        answer = self.gerrit.put(f"/accounts/{quote(self.name)}", {"name": full_name}, accept=(400, 409))
        if answer.status == 400:
            raise GerritError(f"Gerrit refuses the user name '{self.name}': {answer.data}", 400)
        if answer.status == 409:
            raise GerritError(
                f"The user name '{self.name}' is taken ({answer.data}), but '{self.gerrit.username}' "
                "cannot see that account. Speak as a member of Administrators, or choose another name.",
                409,
            )
        self.number = int(answer.data["_account_id"])

    def _full_name(self) -> None:
        wanted = self.params["full_name"]
        if self.found is not None and wanted is not None and wanted != self.found.name:
            self.plan.step(
                f"set the full name to '{wanted}'",
                lambda: self.gerrit.put(self._path("/name"), {"name": wanted}),
            )
            self.plan.after["full_name"] = wanted

    def _email(self) -> None:
        wanted = self.params["email"]
        if wanted is None or (self.found is not None and wanted.lower() == self.found.email.lower()):
            return
        self.plan.step(f"set the e-mail address to {wanted}", lambda: self._do_email(wanted))
        self.plan.after["email"] = wanted

    def _do_email(self, wanted: str) -> None:
        known = [entry["email"].lower() for entry in self.gerrit.get(self._path("/emails")).data]
        path = self._path(f"/emails/{quote(wanted)}")
        if wanted.lower() not in known:
            answer = self.gerrit.put(path, {"no_confirmation": True}, accept=(400, 409, 422))
            if answer.status >= 400:
                raise GerritError(
                    f"Gerrit refuses the e-mail address {wanted} for {self.name}: {answer.data}. An "
                    "address belongs to one account only; take it from the other account or choose "
                    "another.",
                    answer.status,
                )
        self.gerrit.put(f"{path}/preferred")

    # -- keys ------------------------------------------------------------------------------------------------

    def _keys(self) -> None:
        if self.params["ssh_keys"] is None:
            return
        wanted = {key_identity(key): key.strip() for key in self.params["ssh_keys"]}
        listed = {key_identity(key["ssh_public_key"]): key for key in self.listed_keys}
        kept = [key["ssh_public_key"] for identity, key in listed.items() if identity in wanted]
        for identity, key in listed.items():
            if identity in wanted:
                continue
            if self.params["ssh_keys_exclusive"]:
                sequence, comment = key["seq"], key.get("comment", "")
                self.plan.step(
                    f"remove ssh key {sequence} {comment}".rstrip(),
                    lambda sequence=sequence: self.gerrit.delete(self._path(f"/sshkeys/{sequence}")),
                )
            else:
                kept.append(key["ssh_public_key"])
        added = [text for identity, text in wanted.items() if identity not in listed]
        for text in added:
            self.plan.step(
                f"add ssh key {' '.join(text.split()[2:]) or text[-12:]}",
                lambda text=text: self.gerrit.request("POST", self._path("/sshkeys"), text=text),
            )
        self.plan.after["ssh_keys"] = sorted(kept + added)

    # -- password --------------------------------------------------------------------------------------------

    def _password(self) -> None:
        wanted = self.params["http_password"]
        if wanted is None:
            return
        if not self.params["active"]:
            self.plan.warnings.append(f"{self.name} is to be inactive: its HTTP password is left alone.")
            return
        reason = self._why_set_password(wanted)
        if reason is None:
            return
        self.plan.step(f"set the HTTP password ({reason})", lambda: self._do_password(wanted))
        if self.plan.before is not None:
            self.plan.before["http_password"] = f"({reason})"
        self.plan.after["http_password"] = "(as wanted)"  # noqa: S105

    def _why_set_password(self, wanted: str) -> str | None:
        """A login is the only way to see which password an account has."""
        if self.found is None or not self.found.active:
            return "new account" if self.found is None else "account was inactive"
        if self.params["update_password"] == "on_create":  # noqa: S105
            return None
        if not self.gerrit.opens(self.name, wanted):
            return "the wanted one is refused"
        if any(self.gerrit.opens(self.name, secret) for secret in self._ended()):
            return "an ended one still works"
        # Which of several tokens is the password cannot be seen: keep one that we set.
        if self.params["exclusive_password"] and len(self._tokens() or []) > 1:
            return "other tokens exist"
        return None

    def _ended(self) -> list[str]:
        return [secret for secret in self.params["ended_passwords"] if secret != self.params["http_password"]]

    def _tokens(self) -> list[str] | None:
        """Ids of the account's tokens; None before 3.13, where a password is just replaced."""
        answer = self.gerrit.get(self._path("/tokens"), accept=(404,))
        return None if answer.status == 404 else [token["id"] for token in answer.data]

    def _do_password(self, wanted: str) -> None:
        """Set it, then end every other secret, then prove it.

        From 3.13 on setting a password only adds the token `default`, and is refused while there is one.
        """
        tokens = self._tokens() or []
        if _PASSWORD_TOKEN in tokens:
            if self.name == self.gerrit.username:
                # Our own login may be this very token: without it nobody is left to set the new one.
                tokens = [token for token in tokens if token != _BORROWED_TOKEN] + [self._borrow_token()]
            self._end_token(_PASSWORD_TOKEN)
        self.gerrit.put(self._path("/password.http"), {"http_password": wanted})
        if self.name == self.gerrit.username:
            self.gerrit.password = wanted
        if not self.gerrit.opens(self.name, wanted):
            raise GerritError(
                f"Gerrit took the new HTTP password of {self.name} but refuses the login with it. "
                "auth.gitBasicAuthPolicy must be HTTP or HTTP_LDAP for HTTP passwords to count."
            )
        for token in tokens:
            if token == _BORROWED_TOKEN or (token != _PASSWORD_TOKEN and self.params["exclusive_password"]):
                self._end_token(token)
        for secret in self._ended():
            if self.gerrit.opens(self.name, secret):
                raise GerritError(
                    f"An ended password of {self.name} still opens the account. If exclusive_password is "
                    "off, a token is that password: turn it on. Else the login comes from LDAP or a "
                    "proxy: end it there."
                )

    def _end_token(self, token: str) -> None:
        self.gerrit.delete(self._path(f"/tokens/{quote(token)}"), accept=(404,))

    def _borrow_token(self) -> str:
        """Speak with a token of an hour while one's own password is replaced."""
        self._end_token(_BORROWED_TOKEN)
        answer = self.gerrit.put(self._path(f"/tokens/{_BORROWED_TOKEN}"), {"lifetime": "1h"})
        self.gerrit.password = answer.data["token"]
        return _BORROWED_TOKEN

    # -- groups ----------------------------------------------------------------------------------------------

    def _membership(self) -> None:
        wanted = self.params["groups"]
        if wanted is None:
            return
        present, after = [], []
        for name in wanted:
            group = self.gerrit.find_group(name)
            if group is None:
                self.plan.missing(
                    self.check_mode,
                    f"There is no group '{name}' for {self.name} to be in. Make it with gerrit_group first.",
                )
            members = group.info.get("members", []) if group else []
            after.append(name)
            if self.found is not None and any(member["_account_id"] == self.number for member in members):
                present.append(name)
                continue
            self.plan.step(f"add to the group {name}", lambda name=name: self._do_join(name))
        if self.plan.before is not None:
            self.plan.before["groups"] = sorted(present)
        self.plan.after["groups"] = sorted(after)

    def _do_join(self, name: str) -> None:
        group = self.gerrit.find_group(name)
        if group is None:
            raise GerritError(f"The group '{name}' is gone.")
        self.gerrit.put(f"/groups/{quote(group.uuid)}/members/{self.number}")
