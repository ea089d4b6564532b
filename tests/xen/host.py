"""A real Xen host in a lab of its own, and everybody who asks something of it."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import shlex
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import yaml

from xenci.demo import hosts, secrets
from xenci.demo.lab import Lab

ROOT = Path(__file__).resolve().parents[2]
NAME, HOST = "xen", "xen1"
# What a lab has of a variant's inventory for its Xen host.
VARIANT = "xen_variant.yml"


class Timer:
    """What took how long, in the order in which it was done."""

    def __init__(self) -> None:
        self.seconds: list[tuple[str, float]] = []

    @contextlib.contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """Time one step."""
        began = time.monotonic()
        yield
        self.seconds.append((what, time.monotonic() - began))
        print(f"  {what}: {self.seconds[-1][1]:.1f} s", flush=True)  # noqa: T201


def ssh(
    lab: Lab,
    host: str,
    command: str,
    file: IO[bytes] | None = None,
    text: str | None = None,
    check: bool = True,
    patience: float = 900.0,
) -> subprocess.CompletedProcess[str]:
    """Run a command on a host of the lab as the controller's root, with a file or a text as its input."""
    words = ["ssh", "-F", f"{lab.directory}/ssh_config", "-o", "BatchMode=yes", host, command]
    given: dict[str, Any] = {"stdin": file} if file else {"input": text or ""}
    done = subprocess.run(words, **given, capture_output=True, text=True, check=False, timeout=patience)
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


def lived(xml: str) -> tuple[str | None, str | None, list[str | None]]:
    """What a JUnit file of xen_life.py says: how many steps, how many failed, which were skipped."""
    suite = ET.fromstring(xml)  # noqa: S314 - the job's own
    skipped = [case.get("name") for case in suite if case.find("skipped") is not None]
    return suite.get("tests"), suite.get("failures"), skipped


class XenHost:
    """The host xen1 of the lab."""

    def __init__(self, lab: Lab, timer: Timer) -> None:
        self.lab = lab
        self.timer = timer
        self.address = hosts.addresses(lab)[HOST]
        self.network = ipaddress.IPv4Network(secrets.settings(lab)["lab_hosts_subnet"])

    def wanted(self, variable: str, default: Any = None) -> Any:
        """Return what the variant's inventory says of a variable."""
        variant = self.lab.inventory / VARIANT
        if not variant.exists():
            return default
        groups = yaml.safe_load(variant.read_text(encoding="utf-8"))["all"]["children"]
        return groups["xen_host"]["hosts"][HOST].get(variable, default)

    @property
    def image(self) -> str:
        """The golden image that its guests are made of."""
        return str(self.wanted("site_xen_images", [{"name": "debian-12"}])[0]["name"])

    def at(self, number: int) -> str:
        """Return an address of the lab's network."""
        return str(self.network[number])

    def ssh(
        self, command: str, file: IO[bytes] | None = None, text: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in dom0 as the controller's root, with a file or a text as its input."""
        return ssh(self.lab, HOST, command, file, text, check)

    def inside(self, container: str, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program in a container of the lab."""
        return subprocess.run(
            ["podman", "exec", "-i", f"{self.lab.container_prefix}-{container}", *words],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )

    def operator(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Ask `xenci-guest` as its operator; returns the reply."""
        request = shlex.quote(json.dumps({"operation": operation, **fields}))
        done = self.ssh(f"echo {request} | xenci-guest --operator", check=False)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def launcher(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Ask it as Zuul's launcher does: from its host, with its key; returns the reply."""
        return self._reply(operation, fields, must=True)

    def asked(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Ask it likewise; returns {} while it does not answer."""
        return self._reply(operation, fields, must=False)

    def _reply(self, operation: str, fields: dict[str, Any], *, must: bool) -> dict[str, Any]:
        done = self.as_launcher("whatever", text=json.dumps({"operation": operation, **fields}))
        assert done.stdout or not must, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout or "{}")
        return answer

    def as_launcher(self, command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command over SSH from the launcher's host, with the launcher's key."""
        return self.inside(
            "ci", "ssh", *self.options("xen_launcher"), f"root@{self.address}", command, text=text
        )

    def job(self, guest: dict[str, Any], command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a guest as the executor does: by the host key that `create` has returned."""
        known = f"{guest['address']} {guest['host_keys'][0]}"
        kept = self.inside("executor", "sh", "-c", "cat >/root/known_hosts", text=f"{known}\n")
        assert kept.returncode == 0, kept.stderr
        return self.inside("executor", "ssh", *self.options("zuul_node"), f"zuul@{guest['address']}", command)

    @staticmethod
    def options(key: str) -> list[str]:
        """How ssh goes about it inside a container."""
        return [
            *("-i", f"/root/{key}", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"),
            *("-o", "UserKnownHostsFile=/root/known_hosts", "-o", "StrictHostKeyChecking=yes"),
            *("-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=10"),
        ]

    def give_keys(self) -> None:
        """Put the launcher's and the executor's keys into their containers, as their roles would."""
        known = (self.lab.directory / "known_hosts.d" / self.address).read_text(encoding="utf-8")
        for container, key in (("ci", "xen_launcher"), ("executor", "zuul_node")):
            private = (self.lab.keys / key).read_text(encoding="utf-8")
            for path, text in ((f"/root/{key}", private), ("/root/known_hosts", known)):
                done = self.inside(container, "sh", "-c", f"umask 077; cat >{path}", text=text)
                assert done.returncode == 0, done.stderr

    def playbook(self, path: str, *options: str) -> dict[str, int]:
        """Run a playbook on the host; returns what the recap counts."""
        words = ["ansible-playbook", f"--vault-password-file={self.lab.vault_password}", f"--limit={HOST}"]
        words += [*(f"--inventory={source}" for source in self.lab.inventories), *options, path]
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CALLBACKS_ENABLED": "ansible.posix.profile_tasks",
        }
        done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        log = ROOT / ".cache/test-logs/xen-playbooks.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as stream:
            stream.write(f"\n===== {path} {' '.join(options)}\n{done.stdout}{done.stderr}")
        assert done.returncode == 0, f"{path}: {(done.stdout + done.stderr)[-4000:]}"
        recap = next(line for line in done.stdout.splitlines() if line.startswith(f"{HOST} "))
        return {
            name: int(count) for name, count in (word.split("=") for word in recap.split() if "=" in word)
        }
