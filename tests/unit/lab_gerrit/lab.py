"""A lab Gerrit on loopback with a few accounts and a project, and real clients for them."""

# ruff: noqa: S310  (all URLs are http on loopback)

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SRC = Path(__file__).parents[3] / "src"
PASSWORD = "password-of-"
JSON = dict[str, Any]


@dataclass
class Answer:
    """Status and body (JSON where it is any) of a REST call."""

    status: int
    body: Any


@dataclass
class Done:
    """How a command ended."""

    exit: int
    out: str
    err: str


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Lab:
    """The server and the directory of one test run."""

    folder: Path
    http: int = field(default_factory=free_port)
    ssh_port: int = field(default_factory=free_port)
    daemon: subprocess.Popen[bytes] | None = None
    made: int = 0

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.http}"

    @property
    def site(self) -> Path:
        """The site's directory."""
        return self.folder / "site"

    def command(self, *words: str) -> list[str]:
        """The server's own command line."""
        return [sys.executable, "-m", "xenci.lab_gerrit", *words, "--site", str(self.site)]

    @property
    def environment(self) -> dict[str, str]:
        """Environment of clients: nothing of the user's own settings."""
        return {
            "PATH": f"{self.folder}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "PYTHONPATH": str(SRC),
        }

    def init(self) -> None:
        """Make site and administrator."""
        self.key("admin")
        subprocess.run(
            [
                *self.command("init"),
                "--admin-password-file",
                "-",
                "--admin-key-file",
                str(self.folder / "admin.pub"),
            ],
            input=f"{PASSWORD}admin",
            text=True,
            check=True,
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )
        # git-review calls ssh and scp by their names and has no options for them.
        (self.folder / "bin").mkdir()
        for program in ("ssh", "scp"):
            script = self.folder / "bin" / program
            script.write_text(f'#!/bin/sh\nexec /usr/bin/{program} -F {self.folder}/ssh_config "$@"\n')
            script.chmod(0o755)
        (self.folder / "ssh_config").write_text(
            "Host *\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n LogLevel ERROR\n"
            f" IdentitiesOnly yes\n IdentityFile {self.folder}/%r\n Port {self.ssh_port}\n"
        )

    def key(self, user: str) -> str:
        """A new ssh key for a user; its public half."""
        path = self.folder / user
        if not path.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
        return path.with_suffix(".pub").read_text().strip()

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        options = ["--http-port", str(self.http), "--ssh-port", str(self.ssh_port)]
        with (self.folder / "daemon.log").open("ab") as log:
            self.daemon = subprocess.Popen(
                [*self.command("daemon"), *options], env=self.environment, stdout=log, stderr=log
            )
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"{self.url}/config/server/version", timeout=5).close()
                socket.create_connection(("127.0.0.1", self.ssh_port), 5).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError((self.folder / "daemon.log").read_text())

    def kill(self) -> None:
        """kill -9."""
        if self.daemon is not None:
            self.daemon.send_signal(signal.SIGKILL)
            self.daemon.wait()

    def stop(self) -> int:
        """Stop it as systemd does; its exit code."""
        if self.daemon is None:
            return 0
        self.daemon.terminate()
        return self.daemon.wait(10)

    # -- clients

    def rest(self, user: str | None, method: str, path: str, body: JSON | None = None) -> Answer:
        """A REST call as a user, or anonymous."""
        request = urllib.request.Request(f"{self.url}{'/a' if user else ''}{path}", method=method)
        if user:
            login = base64.b64encode(f"{user}:{PASSWORD}{user}".encode()).decode()
            request.add_header("Authorization", f"Basic {login}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return _answer(response.status, response.read())
        except urllib.error.HTTPError as error:
            return _answer(error.code, error.read())

    def must(self, user: str, method: str, path: str, body: JSON | None = None) -> Any:
        """A REST call that has to go well; its body."""
        answer = self.rest(user, method, path, body)
        assert answer.status < 300, answer
        return answer.body

    def run(self, *words: str, cwd: Path | None = None, **more: str) -> Done:
        """A client command."""
        done = subprocess.run(
            words,
            cwd=cwd,
            capture_output=True,
            text=True,
            env=self.environment | more,
            timeout=60,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def ssh(self, user: str, command: str) -> Done:
        """A command over ssh."""
        return self.run(*self.ssh_words(user), command)

    def ssh_words(self, user: str) -> list[str]:
        """The ssh command line of a user."""
        return ["ssh", f"{user}@127.0.0.1"]

    def remote(self, user: str, project: str = "demo") -> str:
        """URL to push to over ssh."""
        return f"ssh://{user}@127.0.0.1:{self.ssh_port}/{project}"

    # -- contents

    def fill(self) -> None:
        """Accounts, groups, rights and a project; `demo` votes as third-party CI, core submits."""
        for group in ("CI", "Core"):
            self.must("admin", "PUT", f"/groups/{group}", {})
            # Who makes a group is in it at first.
            self.must("admin", "DELETE", f"/groups/{group}/members/admin")
        people: dict[str, list[str]] = {
            "dev": [],
            "other": [],
            "core": ["Core"],
            "ci": ["CI", "Service Users"],
        }
        for user, groups in people.items():
            account: JSON = {"name": user.title(), "email": f"{user}@example.org", "ssh_key": self.key(user)}
            account |= {"http_password": f"{PASSWORD}{user}", "groups": groups}
            self.must("admin", "PUT", f"/accounts/{user}", account)
        self.must("admin", "PUT", "/projects/demo", {"create_empty_commit": True, "branches": ["master"]})
        values = {"-1": "Fails", " 0": "No score", "+1": "Works"}
        label = {"function": "NoBlock", "values": values, "copy_condition": "changekind:NO_CODE_CHANGE"}
        self.must("admin", "PUT", "/projects/All-Projects/labels/Verified", label)
        groups = self.must("admin", "GET", "/groups/")
        ci, core = groups["CI"]["id"], groups["Core"]["id"]
        allow: JSON = {"action": "ALLOW"}
        permissions = {
            "label-Verified": {"label": "Verified", "rules": {ci: {**allow, "min": -1, "max": 1}}},
            "label-Code-Review": {"label": "Code-Review", "rules": {core: {**allow, "min": -2, "max": 2}}},
            "submit": {"rules": {core: allow}},
        }
        self.must(
            "admin", "POST", "/projects/demo/access", {"add": {"refs/heads/*": {"permissions": permissions}}}
        )

    def work(self, user: str, name: str, project: str = "demo") -> Path:
        """A clone for a user, with the commit-msg hook."""
        path = self.folder / "work" / name
        path.parent.mkdir(exist_ok=True)
        assert self.run("git", "clone", "-q", self.remote(user, project), str(path)).exit == 0
        for key, value in (("user.name", user.title()), ("user.email", f"{user}@example.org")):
            self.run("git", "config", key, value, cwd=path)
        hook = path / ".git" / "hooks" / "commit-msg"
        hook.write_bytes(urllib.request.urlopen(f"{self.url}/tools/hooks/commit-msg").read())
        hook.chmod(0o755)
        return path

    def commit(self, path: Path, message: str, *, amend: bool = False) -> str:
        """Commit something new; the commit's id."""
        self.made += 1
        (path / f"file{self.made}.txt").write_text(f"{message} {self.made}\n")
        self.run("git", "add", ".", cwd=path)
        words = (
            ["git", "commit", "-q", "--no-edit", "--amend"] if amend else ["git", "commit", "-qm", message]
        )
        done = self.run(*words, cwd=path)
        assert done.exit == 0, done
        return self.run("git", "rev-parse", "HEAD", cwd=path).out.strip()

    def change(self, user: str, name: str, options: str = "") -> int:
        """Propose a change from a fresh clone; its number."""
        path = self.work(user, name)
        self.commit(path, f"{name}: a change")
        done = self.run("git", "push", self.remote(user), f"HEAD:refs/for/master{options}", cwd=path)
        assert done.exit == 0, done
        return int(done.err.split("/+/")[1].split()[0])


def _answer(status: int, raw: bytes) -> Answer:
    text = raw.decode()
    if text.startswith(")]}'"):
        return Answer(status, json.loads(text.removeprefix(")]}'")))
    return Answer(status, text.strip())
