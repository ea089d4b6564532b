"""Match the exchanges of a whole demo, captured by the lab Gerrit, with the recorded ones.

`python -m tests.gerrit_contract.match CAPTURE`: each captured exchange must have a recorded one of the same
kind (method, path without names, status; or command, exit) whose fields, types and meaning it has, or stand
under `exchanges` in not_held.yml. Exit 1 and a list where one does not, 2 where the file is no capture.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.gerrit_contract import not_held, recordings

Data = dict[str, Any]
MASKED = "<secret>"  # what the lab Gerrit captures in place of answers and fields that hold one
_COLLECTIONS = ("accounts", "changes", "groups", "projects", "plugins")
# Fields that hold a map from names to values: its keys are data, not fields.
_MAPS = {
    "revisions", "labels", "files", "local", "permissions", "rules", "groups", "branches", "values",
    "permitted_labels", "removable_labels", "attention_set", "removed_from_attention_set", "fetch", "actions",
    "reviewers", "pending_reviewers", "atom_explanations", "custom_keyed_values", "web_links", "schemes",
}  # fmt: skip
_MAP_ANSWERS = re.compile(
    r"^GET /(projects|groups|access|config/server/capabilities"
    r"|changes/\{\}(/revisions/\{\})?/(comments|drafts|files))$"
)
# Fields whose values come from a short list: a value that was never recorded means something else.
_FIXED = {"status", "kind", "submit_type", "state", "type", "action", "function", "change_status"}
# git's own protocol inside HTTP and ssh: what it carried was recorded as git commands.
_GIT_SERVICES = {"git-upload-pack": "fetch", "git-receive-pack": "push"}


@dataclass
class Shape:
    """Fields of several answers: path to types, and how often a field and the object around it were there."""

    types: dict[str, set[str]] = field(default_factory=dict)
    present: Counter[str] = field(default_factory=Counter)
    parents: Counter[str] = field(default_factory=Counter)

    def add(self, value: Any, map_answer: bool) -> None:
        """Take in one answer."""
        for path, kind in walk(value, map_answer):
            self.types.setdefault(path, set()).add(kind)
        _count(value, "", map_answer, self)


def _kind(value: Any) -> str:
    return type(value).__name__


def _entries(value: Any, path: str, map_answer: bool) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        is_map = path.rsplit(".", 1)[-1] in _MAPS or (path == "" and map_answer)
        for key, entry in value.items():
            yield f"{path}.*" if is_map else f"{path}.{key}", entry
    elif isinstance(value, list):
        for entry in value:
            yield f"{path}[]", entry


def walk(value: Any, map_answer: bool, path: str = "") -> Iterator[tuple[str, str]]:
    """Every field of an answer as (path, type); keys of maps are written `*`, entries of lists `[]`."""
    if value == MASKED:
        return
    yield path, _kind(value)
    for where, entry in _entries(value, path, map_answer):
        yield from walk(entry, map_answer, where)


def _count(value: Any, path: str, map_answer: bool, shape: Shape) -> None:
    if isinstance(value, dict):
        shape.parents[path] += 1
        for where in {where for where, _ in _entries(value, path, map_answer)}:
            shape.present[where] += 1
    for where, entry in _entries(value, path, map_answer):
        _count(entry, where, map_answer, shape)


def key_of(data: Data) -> str:
    """Normalised name of an exchange: `METHOD /path/{} STATUS`, or `ssh command EXIT`."""
    if "method" in data:
        return f"{data['method']} {path_pattern(data['path'])} {data['status']}"
    command = command_pattern(data["command"])
    if command == "gerrit stream-events" and data["exit"] != 1:
        return f"ssh {command} (ended)"  # client and server see different ends of one stream
    return f"ssh {command} {data['exit']}"


def path_pattern(path: str) -> str:
    """A path without login prefix, query and names."""
    segments = urlsplit(path).path.strip("/").split("/")
    if segments[0] == "a" and len(segments) > 1:
        segments = segments[1:]
    if segments[-2:] == ["info", "refs"]:
        service = dict(parse_qsl(urlsplit(path).query)).get("service", "")
        return f"/{{}}/info/refs?service={service}"
    if segments[-1] in _GIT_SERVICES:
        return f"/{{}}/{segments[-1]}"
    if segments[0] in _COLLECTIONS:
        segments = ["{}" if index % 2 else segment for index, segment in enumerate(segments)]
    return "/" + "/".join(segment for segment in segments if segment)


def command_pattern(command: str) -> str:
    """The words of a command that name it: `gerrit query`, `git-upload-pack`; nothing for a shell."""
    words = shlex.split(command, posix=True) if command.strip() else ["(shell)"]
    return " ".join(words[: 2 if words[0] == "gerrit" else 1])


def options_of(data: Data) -> frozenset[str]:
    """What the asker wants to be shown, since the fields follow from it."""
    if "method" in data:
        query = parse_qsl(urlsplit(data["path"]).query, keep_blank_values=True)
        return frozenset(
            f"{key}={value}" if key == "o" else key for key, value in query if key not in ("q", "n", "S")
        )
    words = shlex.split(data["command"] or "")
    return frozenset(word.split("=")[0] for word in words if word.startswith("--"))


def body_of(data: Data) -> Any:
    """The answer as a value: JSON where it is any."""
    value = data.get("response") if "method" in data else data.get("stdout")
    if not isinstance(value, str):
        return value
    text = value.removeprefix(")]}'").strip()
    if text[:1] in ("{", "["):
        try:
            return (
                [json.loads(line) for line in text.splitlines()] if "method" not in data else json.loads(text)
            )
        except ValueError:
            return value
    return value


def template(data: Data) -> str:
    """The text of a refusal without the names that its own request brought."""
    text = str(data.get("response") if "method" in data else data.get("stderr"))
    asked = data["path"] if "method" in data else data["command"] or ""
    names = {unquote(word) for word in re.split(r"[/?&=,: ']", asked)} | set(
        _strings(data.get("request_body"))
    )
    for name in sorted((name for name in names if len(name) > 1), key=len, reverse=True):
        text = text.replace(name, "{}")
    text = re.sub(r"\b(?=\w*\d)[0-9a-f]{7,40}\b|\d+", "{}", text)
    return re.sub(r"(\{\}[~@.%\w/-]*)+", "{}", text).strip()


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield key
            yield from _strings(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _strings(entry)


class Recorded:
    """The recorded exchanges by key."""

    def __init__(self, exchanges: Iterable[recordings.Exchange]) -> None:
        self._by_key: dict[str, list[Data]] = {}
        self._shapes: dict[tuple[str, frozenset[str] | None], Shape] = {}
        self.fixed: dict[str, set[str]] = {}
        git: Counter[str] = Counter()
        for exchange in exchanges:
            if exchange.kind == "git":
                self._add_git(exchange.data, git)
                continue
            self._by_key.setdefault(key_of(exchange.data), []).append(exchange.data)
            for name, value in _fixed_values(body_of(exchange.data)):
                self.fixed.setdefault(name, set()).add(value)
        for key in git:
            self._by_key.setdefault(key, [])

    def _add_git(self, data: Data, found: Counter[str]) -> None:
        """A recorded git command shows that its service is served, over HTTP or ssh."""
        service = "git-receive-pack" if data["command"].startswith("git push") else "git-upload-pack"
        if "ssh://" in data["command"]:
            found[f"ssh {service} {0 if data['exit'] in (0, 1) else 1}"] += 1
        elif data["exit"] in (0, 1):
            found[f"GET /{{}}/info/refs?service={service} 200"] += 1
            found[f"POST /{{}}/{service} 200"] += 1
            # git asks without a password first, wherever one is needed.
            found[f"GET /{{}}/info/refs?service={service} 401"] += 1
        else:
            found[f"GET /{{}}/info/refs?service={service} 401"] += 1

    def differences(self, data: Data) -> list[str]:
        """What a captured exchange has that no recorded one of its key has; empty where it matches."""
        key = key_of(data)
        candidates = self._by_key.get(key)
        if candidates is None:
            return ["never recorded"]
        if any(service in key for service in _GIT_SERVICES):
            return []
        refused = data["status"] >= 400 if "method" in data else data["exit"] not in (0, None)
        if refused:
            said = template(data)
            if data.get("response") == MASKED:
                return []
            if said not in {template(candidate) for candidate in candidates}:
                return [f"other words: {said!r}"]
            return []
        return [*self._shape_differences(key, data, candidates), *self._value_differences(data)]

    def _shape_differences(self, key: str, data: Data, candidates: list[Data]) -> list[str]:
        map_answer = bool(_MAP_ANSWERS.match(key.rsplit(" ", 1)[0]))
        body = body_of(data)
        if any(isinstance(body_of(other), dict) and "omitted" in body_of(other) for other in candidates):
            return []
        known = self._shape(key, None, candidates, map_answer)
        wanted = self._shape(key, options_of(data), candidates, map_answer)
        found = []
        for path, kind in walk(body, map_answer):
            if path not in known.types:
                found.append(f"{path or '.'}: never recorded")
            elif kind not in known.types[path]:
                found.append(f"{path or '.'}: {'/'.join(sorted(known.types[path]))} recorded, got {kind}")
        mine = Shape()
        mine.add(body, map_answer)
        for path, times in wanted.present.items():
            parent = re.sub(r"\.[^.]+$", "", path)
            always = times == wanted.parents[parent] and not path.endswith(".*")
            if always and mine.parents[parent] > mine.present[path]:
                found.append(f"{path}: missing")
        return sorted(set(found))

    def _shape(
        self, key: str, options: frozenset[str] | None, candidates: list[Data], map_answer: bool
    ) -> Shape:
        """Shape of all recorded answers of a key, or of those that were asked with these options."""
        if (key, options) not in self._shapes:
            shape = Shape()
            for candidate in candidates:
                if options is None or options_of(candidate) == options:
                    shape.add(body_of(candidate), map_answer)
            self._shapes[key, options] = shape
        return self._shapes[key, options]

    def _value_differences(self, data: Data) -> list[str]:
        return sorted(
            {
                f"{name}: {value!r} was never recorded"
                for name, value in _fixed_values(body_of(data))
                if value not in self.fixed.get(name, set())
            }
        )


def _fixed_values(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, entry in value.items():
            if key in _FIXED and isinstance(entry, str):
                yield key, entry
            yield from _fixed_values(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _fixed_values(entry)


@dataclass
class Report:
    """`matched` and `listed` exchanges, and what is new: key and difference to how often."""

    matched: int = 0
    listed: Counter[str] = field(default_factory=Counter)
    new: Counter[tuple[str, str]] = field(default_factory=Counter)


def match(capture: Iterable[Data], recorded: Recorded, listed: dict[str, str]) -> Report:
    """Match every captured exchange."""
    report = Report()
    for data in capture:
        differences = recorded.differences(data)
        key = key_of(data)
        if not differences:
            report.matched += 1
        elif key in listed:
            report.listed[key] += 1
        else:
            report.new[(key, "; ".join(differences[:5]))] += 1
    return report


def read(path: Path) -> list[Data]:
    """A capture file; ValueError names the line that is none."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        data = json.loads(line)
        if not ({"method", "path", "status"} <= set(data) or {"command", "exit"} <= set(data)):
            raise ValueError(f"{path}:{number}: neither a REST exchange nor a command")
        found.append(data)
    return found


def main(arguments: list[str]) -> int:
    """Entry point; returns the exit code."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)  # noqa: T201
        return 2
    try:
        capture = read(Path(arguments[0]))
    except (OSError, ValueError) as error:
        print(f"match: {error}", file=sys.stderr)  # noqa: T201
        return 2
    listed = not_held.load().exchanges
    report = match(capture, Recorded([*recordings.exchanges(), *recordings.password_exchanges()]), listed)
    lines = [
        f"not held: {key}: {listed[key]} ({times} times)" for key, times in sorted(report.listed.items())
    ]
    lines += [f"NEW: {key}: {text} ({times} times)" for (key, text), times in sorted(report.new.items())]
    new = sum(report.new.values())
    lines.append(
        f"{len(capture)} exchanges, {report.matched} as recorded, {sum(report.listed.values())} listed, "
        f"{new} new"
    )
    print("\n".join(lines))  # noqa: T201
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
