"""Accounts: who is who, and which secrets open the door."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from dataclasses import dataclass
from typing import Any

from xenci.lab_gerrit.store import Row, Store, now

FIRST_ACCOUNT = 1000000
_ROUNDS = 20_000


@dataclass(frozen=True)
class Account:
    """What the rest of the server needs to know of an account."""

    id: int
    username: str | None
    name: str | None
    email: str | None
    active: bool = True
    display_name: str | None = None
    status: str | None = None
    registered_on: int = 0
    service_user: bool = False

    @property
    def shown(self) -> str:
        """Name as it stands in messages."""
        return self.name or self.username or "Name of user not set"

    @property
    def signature(self) -> str:
        """Name <email>, as in git and in messages."""
        return f"{self.shown} <{self.email}>" if self.email else self.shown


_SELECT = """SELECT a.*, EXISTS (
  SELECT 1 FROM group_members m JOIN groups g ON g.id = m.group_id
  WHERE m.account = a.id AND g.name = 'Service Users') AS service_user FROM accounts a"""


class TokenExistsError(Exception):
    """A password is a token of a fixed name: while it is there, another cannot be set."""


class Accounts:
    """Look-ups and secrets."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._proven: set[bytes] = set()
        self._pepper = os.urandom(16)

    def get(self, number: int) -> Account | None:
        """Account by number."""
        return _account(self._store.one(f"{_SELECT} WHERE a.id = ?", number))

    def by_username(self, username: str) -> Account | None:
        """Account by its exact user name."""
        return _account(self._store.one(f"{_SELECT} WHERE a.username = ?", username))

    def by_email(self, email: str) -> Account | None:
        """Account that owns this address."""
        return _account(
            self._store.one(f"{_SELECT} JOIN emails e ON e.account = a.id WHERE e.email = ?", email)
        )

    def emails(self, number: int) -> list[str]:
        """All addresses of an account, sorted."""
        rows = self._store.all("SELECT email FROM emails WHERE account = ? ORDER BY email", number)
        return [row["email"] for row in rows]

    def all(self) -> list[Account]:
        """Every account, by number."""
        rows = self._store.all(f"{_SELECT} ORDER BY a.id")
        return [account for row in rows if (account := _account(row))]

    def find(self, text: str, *, inactive: bool = False) -> list[Account]:
        """Accounts that an identifier in a URL or a query names, loosely as Gerrit does it.

        Number, user name, address, `Name <address>`, full name, then the start of any of these.
        Inactive accounts are found by number only, unless asked for.
        """
        if text.isdigit():
            account = self.get(int(text))
            return [account] if account else []
        if text.endswith(")") and "(" in text and text[text.rindex("(") + 1 : -1].isdigit():
            return self.find(text[text.rindex("(") + 1 : -1])
        if "<" in text and text.endswith(">"):
            text = text[text.index("<") + 1 : -1]
        candidates = [account for account in self.all() if account.active or inactive]
        exact = [
            account
            for account in candidates
            if text in (account.username, account.name) or text in self.emails(account.id)
        ]
        if exact:
            return exact
        lower = text.lower()
        return [
            account
            for account in candidates
            if any(word.lower().startswith(lower) for word in _words(account) if word)
        ]

    def add_token(self, number: int, token_id: str, secret: str, expires: int | None = None) -> None:
        """Store a password or token (hashed); one of the same name is replaced."""
        salt = os.urandom(16)
        self._store.replace(
            "tokens", account=number, id=token_id, salt=salt, hash=_hash(secret, salt), expires=expires
        )

    def tokens(self, number: int) -> list[Row]:
        """Names and ends (seconds since 1970) of an account's tokens, the newest first."""
        return self._store.all("SELECT id, expires FROM tokens WHERE account = ? ORDER BY rowid DESC", number)

    def set_password(self, number: int, secret: str) -> None:
        """Set the HTTP password: the token `default`. It never ends another secret of the account."""
        if "default" in {row["id"] for row in self.tokens(number)}:
            raise TokenExistsError(f"A token with id default already exists for account {number}.")
        self.add_token(number, "default", secret)

    def delete_password(self, number: int) -> None:
        """Delete the HTTP password; an account that still has its first one (`legacy`) keeps both."""
        if "legacy" not in {row["id"] for row in self.tokens(number)}:
            self.delete_token(number, "default")

    def delete_token(self, number: int, token_id: str) -> bool:
        """Delete a token; says whether there was one."""
        return bool(self._store.run("DELETE FROM tokens WHERE account = ? AND id = ?", number, token_id))

    def update(self, number: int, **columns: Any) -> None:
        """Set columns of an account."""
        sets = ", ".join(f"{key} = ?" for key in columns)
        self._store.run(f"UPDATE accounts SET {sets} WHERE id = ?", *columns.values(), number)  # noqa: S608

    def matching(self, word: str) -> list[Account]:
        """Active accounts of which a word of name, user name or address starts so."""
        lower = word.lower()
        return [
            account
            for account in self.all()
            if account.active
            and any(part.startswith(lower) for part in _query_words(account, self.emails(account.id)))
        ]

    def login(self, username: str, secret: str) -> Account | None:
        """The active account that this user name and password or token opens."""
        account = self.by_username(username)
        if account is None or not account.active:
            return None
        rows = self._store.all("SELECT id, salt, hash, expires FROM tokens WHERE account = ?", account.id)
        for row in rows:
            if row["expires"] is not None and row["expires"] < time.time():
                continue
            # Hashing is slow on purpose; a pair once proven is remembered, keyed by its stored hash.
            proof = hmac.digest(self._pepper, row["hash"] + secret.encode(), "sha256")
            if proof in self._proven:
                return account
            if hmac.compare_digest(_hash(secret, row["salt"]), row["hash"]):
                self._proven.add(proof)
                return account
        return None

    def by_key(self, username: str, algorithm: str, encoded: str) -> Account | None:
        """The active account that may log in over ssh with this public key."""
        account = self.by_username(username)
        if account is None or not account.active:
            return None
        found = self._store.one(
            "SELECT 1 FROM ssh_keys WHERE account = ? AND algorithm = ? AND encoded = ? AND valid",
            account.id,
            algorithm,
            encoded,
        )
        return account if found else None

    def add_key(self, number: int, line: str) -> Row:
        """Add an OpenSSH public key line; the same key twice is one. ValueError if it is none."""
        fields = line.strip().split(None, 2)
        if (
            len(fields) < 2
            or not fields[0].startswith(("ssh-", "ecdsa-", "sk-"))
            or not _is_base64(fields[1])
        ):
            raise ValueError("not an OpenSSH public key")
        algorithm, encoded = fields[0], fields[1]
        query = "SELECT * FROM ssh_keys WHERE account = ? AND encoded = ?"
        row = self._store.one(query, number, encoded)
        if row is None:
            seq = self._store.value(
                "SELECT coalesce(max(seq), 0) + 1 FROM ssh_keys WHERE account = ?", number
            )
            seq = max(seq, 1 + int(self._store.setting(f"last_key_{number}") or 0))
            comment = fields[2] if len(fields) > 2 else ""
            self._store.insert(
                "ssh_keys", account=number, seq=seq, algorithm=algorithm, encoded=encoded, comment=comment
            )
            row = self._store.one(query, number, encoded)
        if row is None:
            raise RuntimeError("a key just written is not there")
        return row

    def delete_key(self, number: int, seq: int) -> None:
        """Delete a public key; its number is not given again."""
        self._store.put_setting(f"last_key_{number}", str(seq))
        self._store.run("DELETE FROM ssh_keys WHERE account = ? AND seq = ?", number, seq)

    def delete(self, number: int) -> None:
        """Delete an account with its keys, secrets and memberships; its number is not given again."""
        for table in ("emails", "ssh_keys", "tokens", "group_members"):
            self._store.run(f"DELETE FROM {table} WHERE account = ?", number)  # noqa: S608  names are constants
        self._store.run(
            "UPDATE accounts SET username = NULL, name = NULL, email = NULL, active = 0, status = 'deleted' "
            "WHERE id = ?",
            number,
        )

    def create(self, username: str | None, name: str | None, email: str | None) -> Account:
        """A new active account with the next number."""
        number = self._store.value("SELECT coalesce(max(id) + 1, ?) FROM accounts", FIRST_ACCOUNT)
        self._store.insert(
            "accounts", id=number, username=username, name=name, email=email, registered_on=now()
        )
        if email:
            self._store.insert("emails", account=number, email=email)
        account = self.get(number)
        if account is None:
            raise RuntimeError("an account just written is not there")
        return account


def _words(account: Account) -> list[str | None]:
    return [account.username, account.name, account.email, *(account.name or "").split()]


def _query_words(account: Account, emails: list[str]) -> set[str]:
    texts = [account.username or "", account.name or "", *emails]
    parts = {part for text in texts for part in re.split(r"[^a-z0-9]+", text.lower()) if part}
    return parts | {text.lower() for text in texts if text}


def _is_base64(text: str) -> bool:
    return text.startswith("AAAA") and all(c.isalnum() or c in "+/=" for c in text)


def _hash(secret: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, _ROUNDS)


def _account(row: Row | None) -> Account | None:
    if row is None:
        return None
    return Account(
        id=row["id"],
        username=row["username"],
        name=row["name"],
        email=row["email"],
        active=bool(row["active"]),
        display_name=row["display_name"],
        status=row["status"],
        registered_on=row["registered_on"],
        service_user=bool(row["service_user"]),
    )


def account_info(account: Account | None, *, detailed: bool = True) -> dict[str, Any]:
    """AccountInfo of the REST API; only the number unless detailed."""
    if account is None:
        return {}
    info: dict[str, Any] = {"_account_id": account.id}
    if detailed:
        pairs = (
            ("name", account.name or account.username),
            ("display_name", account.display_name),
            ("email", account.email),
            ("username", account.username),
            ("status", account.status),
        )
        info |= {key: value for key, value in pairs if value}
        if account.service_user:
            info["tags"] = ["SERVICE_USER"]
        if not account.active:
            info["inactive"] = True
    return info
