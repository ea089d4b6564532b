"""What an operator does with a running site: is it well, and act on it with zuul-client."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Command
from tests.e2e.faults import down, items, proposed, running, until, voted
from tests.e2e.reading import ci_messages
from xenci.demo.site import Site

Client = Callable[..., str]
PROJECT, JOB = "hypervisor-tools", "hypervisor-tools-tests"


def test_a_healthy_site_fits_on_a_screen(site: Site) -> None:
    run = Command("health", "--lab", site.lab.name)
    assert run.finish() == 0, run.tail
    assert run.lines[-1] == "health: events flow"
    assert len(run.lines) <= 24
    for line in (
        r"^executor +executor running$",
        r"^event stream +connected$",
        r"^last result +[A-Z_]+, \S+ of \S+ ",
    ):
        assert any(re.search(line, each) for each in run.lines), line


def test_all_that_is_down_is_named(site: Site) -> None:
    """Four at once: what does not answer keeps nobody from asking for the next."""
    words = {
        ("executor", "zuul-executor"): "zuul-executor.service on executor is ",
        ("ci", "zuul-web"): "Zuul's web server: ",
        ("ci", "postgresql@15-main"): "postgresql@*.service on ci is ",
        ("logs", "nginx"): "log server https://",
    }
    with contextlib.ExitStack() as broken:
        for host, unit in words:
            broken.enter_context(down(site.lab, host, unit))
        run = Command("health", "--lab", site.lab.name)
        assert run.finish() == 1, run.tail
    for start in words.values():
        assert any(line.startswith(f"- {start}") for line in run.lines), (start, run.tail)
    assert re.fullmatch(r"health: \d+ problems", run.lines[-1])
    until(lambda: Command("health", "--lab", site.lab.name).finish() == 0, 120)


def test_the_playbook_says_the_same_in_check_mode(site: Site) -> None:
    command = [str(ROOT / ".venv/bin/ansible-playbook"), "--check", "playbooks/healthcheck.yml"]
    command += [f"--inventory={source}" for source in site.lab.inventories]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | site.lab.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "event stream  connected" in done.stdout


@pytest.fixture(scope="module")
def client(site: Site) -> Client:
    """zuul-client with a token that `xenci token` has got."""
    path = site.lab.directory / "zuul-client.conf"
    run = Command("token", "--lab", site.lab.name, "--hours", "1")
    assert run.finish() == 0, run.tail
    assert path.stat().st_mode & 0o777 == 0o600
    (token,) = re.findall(r"^auth_token=(\S+)$", path.read_text(), re.MULTILINE)
    assert token not in "\n".join(run.lines)
    assert f"zuul-client -c {path} --use-config xenci enqueue" in "\n".join(run.lines)

    def ask(*arguments: str) -> str:
        program = ROOT / ".venv/bin/zuul-client"
        return subprocess.run(
            [str(program), "-c", str(path), "--use-config", "xenci", *arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(Path.home()), "REQUESTS_CA_BUNDLE": site.authority},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    return ask


def test_enqueue_tests_a_change_again(client: Client, site: Site) -> None:
    change = proposed(site)
    voted(site, change)
    until(lambda: not items(site, change))
    which = f"{change.number},{change.patchset}"
    client("enqueue", "--pipeline", "check", "--project", PROJECT, "--change", which)
    until(lambda: len(ci_messages(site, change.number)) == 2)


def test_dequeue_takes_a_change_out(client: Client, site: Site) -> None:
    change = proposed(site)
    until(lambda: running(site, change))
    which = f"{change.number},{change.patchset}"
    client("dequeue", "--pipeline", "check", "--project", PROJECT, "--change", which)
    until(lambda: not items(site, change))
    # A later change has its vote, and this one still has none.
    voted(site, proposed(site))
    assert ci_messages(site, change.number) == []


def test_autohold_is_asked_for_and_taken_back(client: Client, site: Site) -> None:
    hold = ["--project", PROJECT, "--job", JOB, "--reason", "a look at the node"]
    client("autohold", *hold, "--node-hold-expiration", "60")
    (request,) = re.findall(r"^\| +(\d+) +\|.*a look at the node", client("autohold-list"), re.MULTILINE)
    client("autohold-delete", request)
    assert "a look at the node" not in client("autohold-list")
