"""No secret is shown, whatever a program made of it; and no more is hidden than must be."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import textwrap
import urllib.parse
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from xenci.plan import diffs
from xenci.plan.mask import SECRET, Mask

VALUE = "p@ss w0rd/+\"'$x%z\\k<&>é"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": json.dumps,
    "JSON in JSON": lambda text: json.dumps(json.dumps({"a": text})),
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "Python": repr,
    "shell": shlex.quote,
    "printf %q": lambda text: re.sub(r"([^\w@%+=:,./-])", r"\\\1", text),
    "URL": urllib.parse.quote,
    "whole URL": lambda text: urllib.parse.quote(text, safe=""),
    "URL in small letters": lambda text: re.sub(
        "%..", lambda found: found[0].lower(), urllib.parse.quote(text, safe="")
    ),
    "form": urllib.parse.quote_plus,
    "HTML": html.escape,
    "regular expression": re.escape,
    "YAML in quotes": lambda text: "'" + text.replace("'", "''") + "'",
    "INI": lambda text: text.replace("%", "%%"),
    "Compose": lambda text: text.replace("$", "$$"),
    "base64": b64,
    "base64 after a byte": lambda text: b64("x" + text),
    "base64 after two": lambda text: b64("xy" + text + "z"),
    "HTTP's Basic": lambda text: b64("user:" + text),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 for PowerShell": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
    "base64, wrapped": lambda text: "\n".join(textwrap.wrap(b64("x" * 31 + text * 2), 64)),
    "base64, wrapped, in JSON": lambda text: json.dumps("\n".join(textwrap.wrap(b64("x" * 31 + text), 40))),
    "hexadecimal": lambda text: text.encode().hex(),
    "HEXADECIMAL": lambda text: text.encode().hex().upper(),
}


def seen(text: str, value: str = VALUE) -> bool:
    """Whether a reader could make a secret of a text."""
    plain = [text, urllib.parse.unquote_plus(text), html.unescape(text), text.replace("\\", "")]
    letters = re.sub(r"[^A-Za-z0-9]", "", value)
    for blob in re.findall(r"[A-Za-z0-9+/=_-]{8,}", re.sub(r"\\n|\s", "", text)):
        for cut in range(4):
            body = blob[cut:].replace("-", "+").replace("_", "/").rstrip("=")
            raw = base64.b64decode(body + "=" * (-len(body) % 4) if len(body) % 4 != 1 else body[:-1])
            plain += [raw.decode("utf-8", "ignore"), raw.decode("utf-16-le", "ignore")]
    if re.fullmatch(r"([0-9a-fA-F]{2})+", text):
        plain.append(bytes.fromhex(text).decode("utf-8", "ignore"))
    return any(value in one or letters in re.sub(r"[^A-Za-z0-9]", "", one) for one in plain)


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_in_any_form(form: str) -> None:
    text = FORMS[form](VALUE)
    assert seen(text), "the test itself can read it"
    masked = Mask([VALUE]).text(f"before {text} after")
    assert SECRET in masked
    assert not seen(masked.removeprefix("before ").removesuffix(" after"))


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=8, max_size=40), st.sampled_from(sorted(FORMS)))
def test_any_secret_in_any_form(value: str, form: str) -> None:
    assume(len(value.strip()) >= 8 and "\r" not in value and value != SECRET)
    text = FORMS[form](value)
    assert Mask([value]).text(text) != text


def test_each_line_of_a_secret_of_several() -> None:
    key = "first line of it\n  the second line\nab\n"
    mask = Mask([key])
    for text in (key, "first line of it", "+  the second line", json.dumps(key)):
        assert "line" not in mask.text(text), text
    assert mask.text("abc ab") == "abc ab"


def test_numbers_and_short_words_only_where_they_stand_alone() -> None:
    mask = Mask([1234567, "root", "abc", True, None, 12])
    assert mask.text("1234567 root rootless chroot abc 12") == f"{SECRET} {SECRET} rootless chroot abc 12"
    assert mask.data({"a": 1234567, "b": 12, "c": True}) == {"a": SECRET, "b": 12, "c": True}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password=hunter2", f"password={SECRET}"),
        ('"api_token": "abc def"', f'"api_token": {SECRET}'),
        ("DB_PASSWORD: 'it''s'", f"DB_PASSWORD: {SECRET}"),
        ("--password hunter2", f"--password {SECRET}"),
        ("ALTER ROLE zuul PASSWORD 'x1'", f"ALTER ROLE zuul PASSWORD {SECRET}"),
        ("postgresql://zuul:hunter2@db/zuul", f"postgresql://zuul:{SECRET}@db/zuul"),
        ("Authorization: Basic Zm9vOmJhcg==", f"Authorization: Basic {SECRET}"),
        ("Cookie: id=1; other=2", f"Cookie: {SECRET}"),
        ("$6$salt$0123456789abcdef", SECRET),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.abc", SECRET),
        ("ghp_" + "a" * 36, SECRET),
        ("a -----BEGIN RSA " + "PRIVATE KEY-----\nMIIE", f"a {SECRET}"),
        ("-----BEGIN " + "PRIVATE KEY-----\\nMIIE\\n-----END " + "PRIVATE KEY-----\\n", f"{SECRET}\\n"),
    ],
)
def test_what_looks_like_a_secret(text: str, masked: str) -> None:
    assert Mask().text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "threads = 8",
        "private_key_file=/etc/zuul/executor.key",
        "secret: true",
        "tokens: []",
        "password: {{ vault_password }}",
        "the password is in the vault",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "zuul_executor : configure | Write the key",
        "https://logs.example.org/a/b?c=d",
    ],
)
def test_what_does_not_is_shown(text: str) -> None:
    assert Mask(["something-else"]).text(text) == text


def test_names_tell_secrets_in_data_too() -> None:
    data = {"password": "x1", "nested": [{"token": "y1", "name": "z1"}], "count": 1}
    assert Mask().data(data) == {
        "password": SECRET,
        "nested": [{"token": SECRET, "name": "z1"}],
        "count": 1,
    }


def test_what_a_secret_takes_the_place_of_is_hidden_in_a_diff() -> None:
    mask = Mask(["the new one"])
    shown = diffs.compared("a\nthe old one\nz\n", "a\nthe new one\nz\n", mask)
    assert shown == [" a", f"-{diffs.HIDDEN}", f"+{SECRET}", " z"]
    assert diffs.compared("the new one\n", "the new one\n", mask) == []
    assert diffs.compared("password=a\n", "password=b\n", Mask()) == [
        f"only secrets differ, or ends of lines: {SECRET}"
    ]


def test_both_forms_of_a_diff_are_read() -> None:
    mask = Mask()
    assert diffs.lines({"prepared": "one\ntwo\n"}, mask) == ["one", "two"]
    attributes: list[dict[str, Any]] = [
        {"before": {"mode": "0644"}, "after": {"mode": "0600"}},
        {"before": None, "after": "a\n"},
    ]
    assert diffs.lines(attributes, mask) == ["-mode: '0644'", "+mode: '0600'", "+a"]
    assert diffs.lines([{"src_binary": 1, "dst_larger": 9}], mask) == [
        "the new content is binary",
        "the present content is larger than 9 bytes",
    ]
