"""Repeat the recorded script against a live Gerrit and compare answer by answer.

The site must be empty apart from what `init` leaves (account `admin`). Change numbers, hashes, account
and group ids
of the recording are replaced by those that the live server gave to the same things.
"""

from __future__ import annotations

import functools
import json
import re
import shlex
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.gerrit_contract import commits, recordings
from tests.gerrit_contract.clients import Git, Keys, Rest, Ssh, Stream
from tests.gerrit_contract.compare import compare_command, compare_events, compare_rest
from tests.gerrit_contract.identities import Identities
from tests.gerrit_contract.recordings import Exchange

RECORDED_HOST = "review.example.org"
RECORDED_SSH = f"{RECORDED_HOST}:29418"
# What the recorder started beside the script, before the exchange of that number.
STREAM_STARTS = {
    "events": (10, "admin", "gerrit stream-events"),
    "events-xen-ci": (397, "xen-ci", "gerrit stream-events"),
    "events-xen-ci-filtered": (397, "xen-ci", "gerrit stream-events -s patchset-created"),
    "events-xen-ci-after-reconnect": (1035, "xen-ci", "gerrit stream-events"),
    "events-xen-ci-two-types": (1036, "xen-ci", "gerrit stream-events -s patchset-created -s comment-added"),
}
CLOSED_STREAMS = {
    "stream.closed.xen-ci": "events-xen-ci",
    "stream.closed.xen-ci-filtered": "events-xen-ci-filtered",
}
WRONG_PASSWORD = ("error.wrong-password", "push.http.wrong-password")
WAIT_FOR_EVENTS = 1.0


def case_names() -> list[str]:
    """Every case: the exchanges, then the events that each subscriber saw after an exchange."""
    names = [exchange.name for exchange in recordings.exchanges()]
    for stream in recordings.STREAMS:
        names += [event_case(stream, n) for n in recordings.events(stream)]
    return names + [exchange.name for exchange in recordings.password_exchanges()]


def event_case(stream: str, n: int) -> str:
    """Name of the case about the events that a stream sent after exchange n."""
    return f"{stream}.{_first_names()[n]}"


@functools.cache
def _first_names() -> dict[int, str]:
    found: dict[int, str] = {}
    for exchange in recordings.exchanges():
        found.setdefault(exchange.n, exchange.name)
    return found


@dataclass
class Server:
    """Where a Gerrit is and how it calls itself."""

    url: str
    ssh_host: str
    ssh_port: int
    admin: str = "admin"
    admin_password: str = "secret"
    canonical_url: str = "https://review.example.org/"
    ca: str | None = None


@dataclass
class Result:
    """One case: no differences means held."""

    name: str
    differences: list[str]
    recorded: Any = None
    live: Any = None

    @property
    def held(self) -> bool:
        """Whether the live answer means what was recorded."""
        return not self.differences


@dataclass
class Replay:
    """The whole run; `results` fills as it goes."""

    server: Server
    folder: Path
    impatient: frozenset[str] = frozenset()
    results: dict[str, Result] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ids = Identities()
        self.keys = Keys(self.folder)
        self.rest = Rest(self.server.url, self.server.ca)
        self.ssh = Ssh(self.server.ssh_host, self.server.ssh_port, self.keys)
        self.git = Git(self.folder, self.keys, self.ssh)
        self.streams: dict[str, Stream] = {}
        self.recorded_events = {name: recordings.events(name) for name in recordings.STREAMS}
        self.pushed: dict[str, str] = {}
        self.repositories: set[str] = set()

    def run(self) -> dict[str, Result]:
        """Everything, in the recorded order; the passwords last."""
        try:
            for exchange in recordings.exchanges():
                self._start_streams(exchange.n)
                self._step(exchange)
            self._end_streams()
            self._passwords()
        finally:
            self.git.close()
            self.ssh.close()
            self.rest.close()
        return self.results

    # What is sent

    def _password(self, user: str) -> str:
        return f"secret-of-{user}-4711"

    def _login(self, exchange: Exchange) -> tuple[str, str] | None:
        user = exchange.user
        if user == "anonymous":
            return None
        if exchange.case.startswith(WRONG_PASSWORD):
            return user, "wrong"
        if exchange.case in {
            "admin.self.initial-password",
            "admin.password.set",
            "admin.password.old-refused",
        }:
            return user, self.server.admin_password
        return user, self._password(user)

    def _fill(self, text: str) -> str:
        """Replace placeholders and recorded identities by live ones."""
        text = re.sub(r"<password (\S+) initial>", lambda m: self.server.admin_password, text)
        text = re.sub(r"<password (\S+)>", lambda m: self._password(m[1]), text)
        text = re.sub(r"<public-key (\S+)>", lambda m: self.keys.public(m[1]), text)
        text = re.sub(r"(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])", lambda m: self._hash(m[0]), text)
        text = re.sub(r"\bI[0-9a-f]{40}\b", lambda m: self.ids.first("change_id", m[0]), text)
        text = re.sub(r"\b[0-9a-f]{8}_[0-9a-f]{8}\b", lambda m: self.ids.first("comment", m[0]), text)
        text = re.sub(
            r"(?<![0-9a-fg-zI])(?=\d*[a-f])[0-9a-f]{8,10}\b", lambda m: self._abbreviation(m[0]), text
        )
        text = re.sub(r"(refs/changes/)\d\d/(\d+)", lambda m: m[1] + self._change_ref(m[2]), text)
        return re.sub(r"\b10000\d\d\b", lambda m: self.ids.first("account", m[0]), text)

    def _hash(self, recorded: str) -> str:
        for kind in ("sha", "message"):
            if self.ids.live(kind, recorded):
                return self.ids.first(kind, recorded)
        return recorded

    def _abbreviation(self, recorded: str) -> str:
        for full, live in self.ids.all("sha").items():
            if full.startswith(recorded) and live:
                return live[0][: len(recorded)]
        return self.ids.first("id", recorded)

    def _change_ref(self, recorded: str) -> str:
        number = self.ids.first("change", recorded)
        return f"{int(number) % 100:02d}/{number}"

    def _fill_path(self, path: str) -> str:
        number = r"(/changes/|/changes/[\w%]+~|change%3A|change:|conflicts:|edit-|starred\.changes/)(\d+)\b"
        return re.sub(number, lambda m: m[1] + self.ids.first("change", m[2]), self._fill(path))

    def _fill_command(self, command: str) -> str:
        filled = re.sub(
            r"\b(\d+),(\d+)", lambda m: f"{self.ids.first('change', m[1])},{m[2]}", self._fill(command)
        )
        named = r"(change:|gerrit set-(?:topic|reviewers) .* )(\d+)"
        return re.sub(named, lambda m: m[1] + self.ids.first("change", m[2]), filled)

    # What comes back

    def _canonical(self, value: Any) -> Any:
        """The live answer as the recorder wrote answers: its host name, its placeholders."""
        text = json.dumps(value, ensure_ascii=False)
        text = text.replace(self.server.canonical_url.rstrip("/"), f"https://{RECORDED_HOST}")
        http = self.server.url.rstrip("/")
        text = text.replace(http, f"http://{RECORDED_HOST}")
        ssh = f"{self.server.ssh_host}:{self.server.ssh_port}"
        text = text.replace(ssh, RECORDED_SSH).replace(f"-P {self.server.ssh_port} ", "-P 29418 ")
        text = text.replace(f"{RECORDED_HOST}:{self.server.ssh_port}/", f"{RECORDED_SSH}/")
        text = text.replace(f"@{self.server.ssh_host}", f"@{RECORDED_HOST}")
        for user, key in self.keys.made().items():
            text = text.replace(key, f"<public-key {user}>")
        text = re.sub(r"secret-of-([a-z-]+)-4711", r"<password \1>", text)
        return json.loads(text)

    # One step

    def _step(self, exchange: Exchange) -> None:
        self._late_events()
        recorded = exchange.data
        try:
            if exchange.kind == "rest":
                live = self._rest(exchange)
                differences = compare_rest(recorded, live, self.ids)
            elif exchange.kind == "ssh":
                live = self._canonical(self._ssh(exchange))
                differences = compare_command(recorded, live, self.ids)
            else:
                live = self._canonical(self._git(exchange))
                differences = compare_command(_git_text(recorded), _git_text(live), self.ids)
        except Exception as error:
            live, differences = None, [f"no answer: {type(error).__name__}: {error}"]
        self.results[exchange.name] = Result(exchange.name, differences, recorded, live)
        self._collect_events(exchange)

    def _rest(self, exchange: Exchange) -> dict[str, Any]:
        data = exchange.data
        body = data["request_body"]
        if body is not None:
            body = self._fill(body if isinstance(body, str) else json.dumps(body))
            base = r'("base": ")(\d+)"'
            body = re.sub(base, lambda m: f'{m[1]}{self.ids.first("change", m[2])}"', body)
        live = self.rest.ask(
            data["method"],
            self._fill_path(data["path"]),
            data["request_headers"],
            body,
            self._login(exchange),
        )
        return dict(self._canonical(live))

    def _send_ssh(
        self, user: str, command: str, stdin: str | None, wait: float | None = None
    ) -> dict[str, Any]:
        return self.ssh.run(user, command, stdin, wait)

    def _ssh(self, exchange: Exchange) -> dict[str, Any]:
        data = exchange.data
        if exchange.case in CLOSED_STREAMS:
            return self._closed(CLOSED_STREAMS[exchange.case])
        if data["command"].startswith("scp"):
            words = data["command"].replace(f"@{RECORDED_HOST}", f"@{self.server.ssh_host}").split()[1:]
            live = self.git.scp(words, exchange.user)
            if live["exit"] == 0 and not live.pop("made"):
                live["exit"] = "0, but no hook was copied"
            return live
        if exchange.case.startswith("stream.connections"):
            self.git.close()
        command = self._fill_command(data["command"])
        stdin = data["stdin"] and self._fill(data["stdin"])
        wait = 0.3 if data["exit"] is None else 20
        return self._send_ssh(exchange.user, command, stdin, wait)

    def _closed(self, name: str) -> dict[str, Any]:
        stream = self.streams.get(name)
        end = time.monotonic() + WAIT_FOR_EVENTS
        while stream and stream.exit is None and time.monotonic() < end:
            time.sleep(0.005)
        message = f"Connection to {RECORDED_HOST} closed by remote host.\n"
        exit_code = stream.exit if stream else None
        return {"exit": exit_code, "stdout": "(events)", "stderr": message if exit_code == 255 else ""}

    # git

    def _git(self, exchange: Exchange) -> dict[str, Any]:
        words = shlex.split(self._fill(exchange.data["command"]))[1:]
        project = re.sub(r"^\w+://[^/]+/(a/)?", "", next(word for word in words if "://" in word))
        words = [self._live_url(word) for word in words]
        repository = self._repository("demo" if project == "none-such" else project)
        if words[0] == "push" and "--all" not in words:
            head = self._commits(exchange, project, repository)
            if head:
                self.git.run(["update-ref", "--no-deref", "HEAD", head], repository)
                self.pushed[exchange.case] = head
        live = self.git.run(words, repository, exchange.user)
        if live["exit"] == 0 and words[0] == "push" and "--all" not in words:
            self._seed(exchange, repository)
        return live

    def _live_url(self, word: str) -> str:
        word = word.replace(RECORDED_SSH, f"{self.server.ssh_host}:{self.server.ssh_port}")
        if not word.startswith("http://"):
            return word
        login, _, rest = word[len("http://") :].rpartition("@")
        scheme, _, host = self.server.url.rstrip("/").partition("://")
        rest = rest.replace(RECORDED_HOST, host, 1)
        return f"{scheme}://{login}@{rest}" if login else f"{scheme}://{rest}"

    def _repository(self, project: str) -> Path:
        path = self.folder / "work" / project.replace("/", "-")
        if project not in self.repositories:
            self.repositories.add(project)
            path.mkdir(parents=True)
            self.git.run(["init", "-q", "-b", "none", "."], path)
            self._fetch(project, path)
            self.git.run(["update-ref", "refs/heads/master", "refs/remotes/origin/master"], path)
        return path

    def _fetch(self, project: str, path: Path) -> None:
        url = f"ssh://admin@{self.server.ssh_host}:{self.server.ssh_port}/{project}"
        wanted = ["+refs/heads/*:refs/remotes/origin/*", "+refs/changes/*:refs/changes/*"]
        self.git.run(["fetch", "-q", url, *wanted], path, "admin")

    def _commits(self, exchange: Exchange, project: str, repository: Path) -> str:
        """Make the commits of this push; the hash of the last one."""
        if exchange.case == "push.direct.non-fast-forward":
            return self._known_commit(project, repository, [commits.FIRST_COMMIT])
        if exchange.case == "life.direct.push":
            return self.pushed["life.direct.change"]
        head = ""
        for index, commit in enumerate(commits.commits(exchange.case)):
            parents = (
                [head]
                if commit.base == "last"
                else [self._base(exchange, commit, project, repository, index)]
            )
            if commit.merge:
                parents.append(self.pushed[commit.merge])
            head = self._make(commit, parents, repository)
        return head

    def _base(
        self, exchange: Exchange, commit: commits.Commit, project: str, repository: Path, index: int
    ) -> str:
        if commit.base == "tip":
            self._fetch(project, repository)
            return self.git.run(["rev-parse", "refs/remotes/origin/master"], repository)["stdout"].strip()
        if commit.base:
            return self.pushed[commit.base]
        made = [
            event["patchSet"]["parents"][0]
            for event in self.recorded_events["events"].get(exchange.n, [])
            if event["type"] == "patchset-created" and event["change"]["commitMessage"] == commit.message
        ]
        return self._known_commit(project, repository, [*made, commits.FIRST_COMMIT])

    def _known_commit(self, project: str, repository: Path, recorded: list[str]) -> str:
        """The live commit for the first recorded one that this repository has."""
        for name in recorded:
            for fetched in (False, True):
                if fetched:
                    self._fetch(project, repository)
                for live in self.ids.live("sha", name):
                    if self.git.run(["cat-file", "-e", f"{live}^{{commit}}"], repository)["exit"] == 0:
                        return live
        return self.git.run(["rev-parse", "refs/remotes/origin/master"], repository)["stdout"].strip()

    def _make(self, commit: commits.Commit, parents: list[str], repository: Path) -> str:
        self.git.run(["read-tree", parents[0]], repository)
        for name, content in commit.files.items():
            blob = self.git.run(["hash-object", "-w", "--stdin"], repository, stdin=content)["stdout"].strip()
            self.git.run(["update-index", "--add", "--cacheinfo", f"100644,{blob},{name}"], repository)
        tree = self.git.run(["write-tree"], repository)["stdout"].strip()
        author = commits.PEOPLE[commit.author]
        committer = commits.PEOPLE[commit.committer or commit.author]
        # Another content, another date: a commit that is pushed again must stay the same.
        later = zlib.crc32(repr((commit.message, commit.files)).encode()) % 100_000
        stamp = f"{commits.FIRST_DATE + later} +0000"
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += [
            f"author {author[0]} <{author[1]}> {commits.FIRST_DATE} +0000",
            f"committer {committer[0]} <{committer[1]}> {stamp}",
        ]
        text = "\n".join(lines) + "\n\n" + commit.message
        return self.git.run(["hash-object", "-w", "-t", "commit", "--stdin"], repository, stdin=text)[
            "stdout"
        ].strip()

    def _seed(self, exchange: Exchange, repository: Path) -> None:
        """What we pushed is known for certain: hash and Change-Id."""
        pushed = self.git.run(["rev-list", "--parents", "-n", "5", "HEAD"], repository)["stdout"].split("\n")
        bodies = {
            sha: self.git.run(["cat-file", "commit", sha], repository)["stdout"]
            for sha in (line.split(" ")[0] for line in pushed if line)
        }
        for event in self.recorded_events["events"].get(exchange.n, []):
            if event["type"] != "patchset-created":
                continue
            for sha, body in bodies.items():
                if body.partition("\n\n")[2] == event["change"]["commitMessage"]:
                    self.ids.seed("sha", event["patchSet"]["revision"], sha)
                    self.ids.seed("change_id", event["change"]["id"], event["change"]["id"])
                    break

    # events

    def _start_streams(self, n: int) -> None:
        for name, (first, user, command) in STREAM_STARTS.items():
            if n >= first and name not in self.streams:
                self._late_events()
                self.streams[name] = self.ssh.subscribe(user, command)

    def _collect_events(self, exchange: Exchange) -> None:
        """Wait until each stream has sent what it sent when recorded; more or less than that is a
        difference.
        """
        self._last = exchange
        for name, stream in self.streams.items():
            expected = self.recorded_events[name].get(exchange.n, [])
            if _first_names()[exchange.n] != exchange.name:
                continue
            self._await_events(stream, len(expected), event_case(name, exchange.n))
            if expected:
                self._compare_events(name, exchange, self._canonical(stream.taken()))

    def _await_events(self, stream: Stream, expected: int, case: str) -> None:
        """Wait for so many events; not long where they are known not to come, or where nothing came
        three times.
        """
        hopeless = case in self.impatient or stream.process is None or stream.missed > 2
        end = time.monotonic() + (0.03 if hopeless else WAIT_FOR_EVENTS)
        while len(stream.events) < expected and time.monotonic() < end:
            time.sleep(0.002)
        if expected:
            stream.missed = 0 if len(stream.events) >= expected else stream.missed + 1

    def _compare_events(self, stream: str, exchange: Exchange, live: list[dict[str, Any]]) -> None:
        expected = self.recorded_events[stream].get(exchange.n, [])
        differences = compare_events(expected, live, self.ids)
        if expected:
            case = event_case(stream, exchange.n)
            self.results[case] = Result(case, differences, expected, live)
        else:
            self.results[exchange.name].differences += [f"{stream}: {text}" for text in differences]

    def _late_events(self) -> None:
        """Events that came after their exchange was compared are more than was expected there."""
        for name, stream in self.streams.items():
            if stream.events:
                late = self._canonical(stream.taken())
                known = self.results.get(event_case(name, self._last.n))
                expected = self.recorded_events[name].get(self._last.n)
                before = known.live if known and expected else []
                self._compare_events(name, self._last, [*before, *late])

    def _end_streams(self) -> None:
        """What a stream should have sent while it was not there yet, or not any more, did not come."""
        time.sleep(0.1)
        self._late_events()
        for name in recordings.STREAMS:
            for n, expected in self.recorded_events[name].items():
                case = event_case(name, n)
                if case not in self.results:
                    missing = [f"{len(expected)} events expected, none came"]
                    self.results[case] = Result(case, missing, expected, [])

    # passwords

    def _passwords(self) -> None:
        """Recorded on a site of its own: accounts have other numbers there, nothing else is shared."""
        ids = Identities()
        for exchange in recordings.password_exchanges():
            data = exchange.data
            user = exchange.user
            if user == "fresh":
                word = exchange.case.rsplit(".", 1)[-1]
                login = (user, f"<{word}>" if word in {"first", "second", "third"} else "<first>")
            elif exchange.case in {
                "passwords.admin.initial-still-works",
                "passwords.admin.initial-after-delete",
            }:
                login = (user, self.server.admin_password)
            else:
                login = (user, self._password(user))
            body = None if data["request_body"] is None else json.dumps(data["request_body"])
            try:
                live = self._canonical(
                    self.rest.ask(data["method"], data["path"], data["request_headers"], body, login)
                )
                differences = compare_rest(data, live, ids)
            except Exception as error:
                live, differences = None, [f"no answer: {type(error).__name__}: {error}"]
            self.results[exchange.name] = Result(exchange.name, differences, data, live)


def _git_text(data: dict[str, Any]) -> dict[str, Any]:
    """The git client's output without what depends on time: repeated progress lines, pack statistics."""
    lines = data["stderr"].split("\n")
    kept = [line for line in lines if not re.match(r"remote: Processing changes: .*(?<!done)\s*$", line)]
    kept = [
        line for line in kept if not re.match(r"(remote: )?(Total|Counting|Compressing|Enumerating) ", line)
    ]
    return {**data, "stderr": "\n".join(kept)}
