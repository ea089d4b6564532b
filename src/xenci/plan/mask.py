"""Take secrets out of what is shown and kept: known values in any form, and what looks like a secret.

A value is looked for as it is and as programs write it: escaped for JSON, YAML, shells, URLs, HTML, regular
expressions and INI files, in base64 at any offset and wrapped at any width, and in hexadecimal. Of a value
of several lines each line counts. Beside known values, private keys, tokens, password hashes, passwords in
URLs and what is assigned to a name such as `password` go, for instance a secret from before a rotation.
"""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from typing import Any

SECRET = "<secret>"  # noqa: S105  # what is shown in place of one
SHORTEST = 4
"""Characters. What is shorter is no secret, and would take a text apart."""
WORD = 8
"""Characters. A value shorter than this is masked where it stands alone, not inside a word."""

WRAPPED = re.compile(r"(?:[A-Za-z0-9+/_-]{16,}(?:\\r|\\n|[\r\n\t ])+)+[A-Za-z0-9+/_-]+=*")
NAME = r"(?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|private[_-]?key|credentials?)"

SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?"
            r"(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
            re.DOTALL,
        ),
        SECRET,
    ),
    # Headers of HTTP, and what stands in them elsewhere.
    (
        re.compile(
            r"(?i)\b((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?:basic|bearer|digest|token)\s+)[^\s\"']+"
        ),
        rf"\1{SECRET}",
    ),
    (re.compile(r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{12,}"), rf"\1{SECRET}"),
    (re.compile(r"(?i)\b((?:set-)?cookie:\s*)[^\r\n]+"), rf"\1{SECRET}"),
    # A password in a URL.
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)"), rf"\1{SECRET}"),
    # Hashes of passwords as crypt(3) and others write them.
    (re.compile(r"\$(?:1|2[abxy]?|5|6|7|y|apr1|argon2\w*|scrypt|pbkdf2[\w-]*)\$[^\s:\"']{8,}"), SECRET),
    # Tokens of JWT, GitHub, GitLab, Slack and AWS.
    (re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]+\.[\w-]*"), SECRET),
    (re.compile(r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,})"), SECRET),
    (re.compile(r"\b(?:xox[abprs]-[\w-]{10,}|A[KS]IA[A-Z0-9]{16}\b)"), SECRET),
    # An assignment: INI, YAML, JSON, shell, SQL. Not where the name says that a file or a number follows.
    (
        re.compile(
            rf"(?i)((?<![a-z])[\w.-]*{NAME}s?"
            r"(?![\w.-]*_?(?:file|path|dir|directory|url|type|length|days|seconds)\b)[\w-]*[\"']?"
            r"(?:\s*[:=]\s*|\s+(?=['\"])))"
            r"(?!<secret>|[\"']?(?:true|false|yes|no|none|null|~)?[\"']?(?:[\s,}\]]|$)|[|>][+-]?\s*$|[\[{(])"
            r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|[^\s,;}\]]+)"
        ),
        rf"\1{SECRET}",
    ),
    # An option of a command.
    (re.compile(rf"(?i)(--?{NAME}[ =])(?!-|<secret>)\S+"), rf"\1{SECRET}"),
)


class Mask:
    """Masks texts and data. Values are any scalars; what is too short to be a secret is left out."""

    def __init__(self, values: Iterable[object] = ()) -> None:
        texts = {text for value in values for text in parts(value)}
        self._exact = sorted({form for text in texts for form in written(text)}, key=len, reverse=True)
        self._encoded = sorted({form for text in texts for form in encoded(text)}, key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without secrets."""
        for form in self._exact:
            if form in text:
                text = text.replace(form, SECRET) if len(form) >= WORD else alone(form, text)
        for form in self._encoded:
            # Its surroundings are part of the same encoded text.
            if form in text:
                text = re.sub(rf"[\w+/=%-]*{re.escape(form)}[\w+/=%-]*", SECRET, text)
        if self._encoded:
            text = WRAPPED.sub(self._unwrapped, text)
        for shape, shown in SHAPES:
            text = shape.sub(shown, text)
        return text

    def data(self, value: Any) -> Any:
        """The same value, of JSON's types, with every text in it masked, keys among them."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self._under(str(key), inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.data(inner) for inner in value]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return SECRET if str(value) in self._exact else value
        return value

    def _under(self, key: str, value: Any) -> Any:
        """What a name is given, which may tell that it is a secret."""
        if isinstance(value, str) and value and self.text(f"{key}: {value}").endswith(f": {SECRET}"):
            return SECRET
        return self.data(value)

    def _unwrapped(self, found: re.Match[str]) -> str:
        joined = re.sub(r"\\r|\\n|\s", "", found[0])
        return SECRET if any(form in joined for form in self._encoded) else found[0]


def alone(form: str, text: str) -> str:
    """Mask a short value where it is no part of a word."""
    return re.sub(rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])", SECRET, text)


def parts(value: object) -> Iterator[str]:
    """What of a value is looked for: all of it, and its lines."""
    if value is None or isinstance(value, bool):
        return
    # The second as `echo` of some shells prints it.
    for text in dict.fromkeys((str(value), str(value).replace("\\n", "\n").replace("\\t", "\t"))):
        yield from (one for one in (text, text.strip()) if len(one) >= SHORTEST)
        if len(lines := text.split("\n")) > 1:
            # Shorter lines are seldom a secret of their own, and often a word of the format.
            yield from (line.strip() for line in lines if len(line.strip()) >= WORD)


ESCAPES: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: json.dumps(json.dumps(text))[3:-3],
    lambda text: text.replace("/", "\\/"),
    lambda text: repr(text)[1:-1],
    lambda text: text.encode("unicode_escape").decode(),
    lambda text: text.replace("'", "''"),
    lambda text: text.replace('"', '""'),
    lambda text: text.replace("%", "%%"),
    lambda text: text.replace("$", "$$"),
    lambda text: text.replace("\\", "\\\\"),
    lambda text: text.replace("\n", "\r\n"),
    # Inside single quotes, and with backslashes, as `printf %q` writes it.
    lambda text: shlex.quote(text).removeprefix("'").removesuffix("'"),
    lambda text: text.replace("'", "'\\''"),
    lambda text: re.sub(r"([^\w@%+=:,./-])", r"\\\1", text),
    re.escape,
    html.escape,
    lambda text: html.escape(text, quote=False),
    lambda text: html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    urllib.parse.quote,
    lambda text: urllib.parse.quote(text, safe=""),
    lambda text: lower_percent(urllib.parse.quote(text, safe="")),
    urllib.parse.quote_plus,
    lambda text: urllib.parse.quote(text, safe="!$&'()*+,;=:@/"),
)


def written(text: str) -> Iterator[str]:
    """A text as programs write it."""
    for escape in ESCAPES:
        yield escape(text)


def lower_percent(text: str) -> str:
    """A URL's escapes in small letters."""
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), text)


def encoded(text: str) -> Iterator[str]:
    """A text in base64 and hexadecimal, alone and as part of something longer."""
    for raw in (text.encode(), text.encode("utf-16-le")):
        yield raw.hex()
        yield raw.hex().upper()
        for offset, cut in ((0, 0), (1, 2), (2, 3)):
            # Only the characters that nothing around it has a say in.
            core = base64.b64encode(b"\0" * offset + raw).decode()[cut : (offset + len(raw)) * 8 // 6]
            if len(core) >= SHORTEST:
                yield core
                yield core.replace("+", "-").replace("/", "_")
                yield urllib.parse.quote(core, safe="")
