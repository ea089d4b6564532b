"""The bastion as Zuul's jobs meet it: a key that may ask, and nothing else; and what answers."""

import re
import subprocess
import time

import pytest

from tests.testinfra.conftest import LAB, ROOT

GROUP = "bastion"
USER = "xenci-request"
KEY = ROOT / ".lab" / LAB / "keys/bastion_request"
SPOOL = "/var/spool/xenci-bastion"


class Job:
    """A client with the key of Zuul's jobs."""

    def __init__(self, host, address):
        self.host = host
        self.address = address

    def ssh(self, *arguments, options=(), user=USER):
        known = ROOT / ".lab" / LAB / "known_hosts.d" / self.address
        return [
            *("ssh", "-F", "none", "-i", str(KEY), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"),
            *("-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes"),
            *options,
            *(f"{user}@{self.address}", *arguments),
        ]

    def ask(self, *arguments, options=(), user=USER):
        done = subprocess.run(
            self.ssh(*arguments, options=options, user=user),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture(scope="module")
def job(host, host_address):
    return Job(host, host_address)


def test_it_runs_as_it_is_configured(job):
    """The unit was edited by hand and repaired; nothing restarts it, so only reading it again can tell."""
    assert (
        job.host.check_output("systemctl show --value --property NeedDaemonReload xenci-bastion.service")
        == "no"
    )


@pytest.mark.usefixtures("ssh_closed")
def test_a_request_is_answered_where_ssh_is_closed(job):
    test_status_is_answered(job)


def test_status_is_answered(job):
    status, output, errors = job.ask("status")
    assert status == 0, errors
    assert re.search(r"^live: +nothing$", output, re.MULTILINE)


def test_a_request_reaches_the_user_with_the_keys_and_its_answer_comes_back(job):
    """No review server is there: git says so, and the answer is that nothing could be done."""
    status, output, errors = job.ask("drift")
    assert status == 3, output + errors
    assert output.startswith("git fetch: ")
    assert job.host.check_output(f"ls -A {SPOOL}/requests") == ""
    assert job.host.check_output("stat -c %U /var/lib/xenci-bastion/infra/.git") == "xenci-bastion"


def test_a_killed_worker_leaves_the_request_to_the_next(job):
    job.host.check_output("systemctl stop xenci-bastion.path xenci-bastion.service")
    process = subprocess.Popen(
        job.ssh("drift"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 30
    while not job.host.check_output(f"ls -A {SPOOL}/requests"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.kill()
    process.wait()
    job.host.check_output("systemctl start xenci-bastion.path")
    while job.host.check_output(f"ls -A {SPOOL}/requests"):
        assert time.monotonic() < deadline + 30
        time.sleep(0.1)


@pytest.mark.parametrize(
    "line",
    [
        "id", "sh -i", "plan 1,1; id", "plan $(id),1", "plan refs/changes/01/1/1", "apply --break-glass x",
        "drift --repair", "scp -t /tmp", "git-upload-pack infra", "apply\nid",
    ],
)  # fmt: skip
def test_the_key_can_do_nothing_else(job, line):
    status, output, errors = job.ask(line)
    assert status == 64
    assert "uid=" not in output + errors
    assert "this key may run one of" in errors


def test_neither_shell_nor_forwarding(job):
    status, output, _ = job.ask()
    assert (status, output) == (64, "")
    _, _, errors = job.ask("status", options=["-tt"])
    assert "PTY allocation request failed" in errors
    status, _, errors = job.ask(options=["-W", "127.0.0.1:22"])
    assert status != 0
    assert "administratively prohibited" in errors


def test_nobody_comes_as_the_user_with_the_keys(job):
    status, _, errors = job.ask("status", user="xenci-bastion")
    assert status == 255
    assert "Permission denied" in errors


def test_the_user_that_asks_has_no_keys(job):
    def may(what):
        return job.host.run(f"setpriv --reuid={USER} --regid={USER} --init-groups {what}").rc == 0

    for name in ("git_key", "hosts_key", "vault_password", "review_password"):
        path = f"/etc/xenci/bastion/{name}"
        assert job.host.file(path).mode == 0o400
        assert job.host.file(path).user == "xenci-bastion"
        assert not may(f"cat {path}")
    assert not may("ls /var/lib/xenci-bastion")
    assert not may(f"touch {SPOOL}/answers/x")
    assert not may("touch /var/lib/xenci-runs/x")
    assert may("ls /var/lib/xenci-runs")


def test_root_has_the_command(job):
    assert "live:" in job.host.check_output("xenci status")


def test_reports_are_posted_later_too(job):
    assert job.host.service("xenci-reports.timer").is_running
    assert job.host.service("xenci-reports.timer").is_enabled
    job.host.check_output("systemctl start xenci-reports.service")


@pytest.mark.parametrize(
    ("unit", "most"),
    [("xenci-bastion.service", 3.0), ("xenci-reports.service", 2.5)],
)
def test_units_are_hardened(job, unit, most):
    report = job.host.run(f"systemd-analyze security --no-pager {unit}").stdout
    exposure = float(re.search(r"Overall exposure level[^:]*: ([0-9.]+)", report)[1])
    assert exposure <= most, report
