"""Options of a push for review: `refs/for/master%topic=x,wip,r=somebody` and `git push -o`."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote

from xenci.lab_gerrit.accounts import Account, Accounts
from xenci.lab_gerrit.changes import Options, RefusedError

_FLAGS = {
    "private",
    "remove-private",
    "wip",
    "work-in-progress",
    "ready",
    "submit",
    "edit",
    "e",
    "draft",
    "merged",
    "publish-comments",
    "np",
    "no-publish-comments",
    "ignore-automatic-attention-set-rules",
    "ias",
    "skip-validation",
}
_VALUES = {
    "topic",
    "hashtag",
    "t",
    "r",
    "reviewer",
    "cc",
    "l",
    "label",
    "m",
    "message",
    "notify",
    "notify-to",
    "notify-cc",
    "notify-bcc",
    "base",
    "trace",
    "deadline",
}
_NOTIFY = ("NONE", "OWNER", "OWNER_REVIEWERS", "ALL")


@dataclass
class PushOptions:
    """What the options say. Label names are as typed; who is unknown has been refused."""

    options: Options
    submit: bool = False
    bases: list[str] = field(default_factory=list)
    labels: list[tuple[str, int]] = field(default_factory=list)
    people: list[tuple[str, str]] = field(default_factory=list)

    def resolve(self, accounts: Accounts) -> None:
        """Find the reviewers; RefusedError for one who is nobody."""
        for key, text in self.people:
            account = _account(accounts, text)
            (self.options.ccs if key == "cc" else self.options.reviewers).append(account)


def parse(text: str, more: list[str]) -> PushOptions:
    """From the part after `%` and git's push options; RefusedError in Gerrit's words."""
    found = PushOptions(Options())
    for entry in [*(part for part in text.split(",") if part), *more]:
        key, equals, value = entry.partition("=")
        if key not in _FLAGS | _VALUES:
            raise RefusedError(f'"--{key}" is not a valid option')
        if key in _VALUES and not equals:
            raise RefusedError(f'Option "--{key}" takes an operand')
        if key in ("r", "reviewer", "cc"):
            found.people.append((key, value))
        else:
            _one(found, key, value)
    return found


def _one(found: PushOptions, key: str, value: str) -> None:
    options = found.options
    if key == "topic":
        options.topic = value
    elif key in ("hashtag", "t"):
        options.hashtags.append(value.lstrip("#"))
    elif key == "private":
        options.private = True
    elif key == "remove-private":
        options.private = False
    elif key in ("wip", "work-in-progress"):
        options.wip = True
    elif key == "ready":
        options.wip = False
    elif key in ("m", "message"):
        options.message = options.description = unquote(value.replace("_", " "))
    elif key in ("l", "label"):
        found.labels.append(_label(value))
    elif key == "submit":
        found.submit = True
    elif key == "base":
        found.bases.append(value)
    elif key == "notify" and value not in _NOTIFY:
        raise RefusedError(f'"{value}" is not a valid value for "--notify"')


def _label(text: str) -> tuple[str, int]:
    for sign in ("+", "-", "="):
        name, found, number = text.rpartition(sign)
        if found and number.isdigit():
            return name, -int(number) if sign == "-" else int(number)
    if text.startswith("-"):
        return text[1:], 0
    return text, 1


def _account(accounts: Accounts, text: str) -> Account:
    found = accounts.find(text)
    if len(found) != 1:
        raise RefusedError(f"Account '{text}' not found\n{text} does not identify a registered user or group")
    return found[0]
