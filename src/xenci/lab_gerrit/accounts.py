"""Accounts: who is who, and which secrets open the door."""

from __future__ import annotations

import hashlib
import hmac
import os
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

    @property
    def shown(self) -> str:
        """Name as it stands in messages."""
        return self.name or self.username or "Name of user not set"

    @property
    def signature(self) -> str:
        """Name <email>, as in git and in messages."""
        return f"{self.shown} <{self.email}>" if self.email else self.shown


class Accounts:
    """Look-ups and secrets."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._proven: set[bytes] = set()
        self._pepper = os.urandom(16)

    def get(self, number: int) -> Account | None:
        """Account by number."""
        return _account(self._store.one("SELECT * FROM accounts WHERE id = ?", number))

    def by_username(self, username: str) -> Account | None:
        """Account by its exact user name."""
        return _account(self._store.one("SELECT * FROM accounts WHERE username = ?", username))

    def by_email(self, email: str) -> Account | None:
        """Account that owns this address."""
        return _account(
            self._store.one(
                "SELECT a.* FROM accounts a JOIN emails e ON e.account = a.id WHERE e.email = ?", email
            )
        )

    def emails(self, number: int) -> list[str]:
        """All addresses of an account."""
        return [row["email"] for row in self._store.all("SELECT email FROM emails WHERE account = ?", number)]

    def all(self) -> list[Account]:
        """Every account, by number."""
        rows = self._store.all("SELECT * FROM accounts ORDER BY id")
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
            comment = fields[2] if len(fields) > 2 else ""
            self._store.insert(
                "ssh_keys", account=number, seq=seq, algorithm=algorithm, encoded=encoded, comment=comment
            )
            row = self._store.one(query, number, encoded)
        if row is None:
            raise RuntimeError("a key just written is not there")
        return row

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
    )


def account_info(account: Account | None, *, detailed: bool = True) -> dict[str, Any]:
    """AccountInfo of the REST API; only the number unless detailed."""
    if account is None:
        return {}
    info: dict[str, Any] = {"_account_id": account.id}
    if detailed:
        pairs = (
            ("name", account.name),
            ("display_name", account.display_name),
            ("email", account.email),
            ("username", account.username),
            ("status", account.status),
        )
        info |= {key: value for key, value in pairs if value}
        if not account.active:
            info["inactive"] = True
    return info
