"""The base of a host: a firewall that lets nothing in that no role has opened."""

import json
import signal
import socket
import time

import pytest

from tests.testinfra.conftest import playbook

GROUP = "scenario"
RUN = "base : unit | Run it as it is configured: probe.service"


@pytest.fixture
def listener(host):
    """A server on port 8099, which no role has opened."""
    assert host.run("systemd-run --unit=listener --collect python3 -m http.server 8099").rc == 0
    assert host.run("for i in $(seq 50); do ss -ltn | grep -q :8099 && exit; sleep 0.1; done; exit 1").rc == 0
    yield
    assert host.run("systemctl stop listener").rc == 0


@pytest.mark.usefixtures("listener")
def test_a_port_answers_only_when_opened(host, host_address):
    with pytest.raises(TimeoutError):
        socket.create_connection((host_address, 8099), timeout=2)
    assert host.run("nft add rule inet filter input tcp dport 8099 accept").rc == 0
    socket.create_connection((host_address, 8099), timeout=5).close()
    assert host.run("systemctl reload nftables").rc == 0
    with pytest.raises(TimeoutError):
        socket.create_connection((host_address, 8099), timeout=2)


def test_ssh_is_open(host_address):
    with socket.create_connection((host_address, 22), timeout=5) as connection:
        assert connection.recv(4) == b"SSH-"


def test_time_is_utc(host):
    assert host.check_output("date +%Z") == "UTC"


def test_modules_are_compiled_once_on_the_labs_hosts(host):
    """What xenci_compile_once.py of lab_hosts leans on, of Python and of Ansible, is where it was."""
    kept = int(host.check_output("ls /usr/lib/python3/dist-packages/xenci_compiled | wc -l"))
    # A single module brings some sixty files.
    assert 60 < kept < 1000


class Role:
    """A role that configures the unit probe.service and runs it with base's entry point `unit`."""

    def __init__(self, host, changes):
        self.host = host
        self.changes = changes
        self.inputs = {"at_start": "a", "at_reload": "a", "check": "true"}

    def start(self, *options, **inputs):
        """A run of it, just begun."""
        self.inputs |= inputs
        return playbook(
            "tests/testinfra/base_unit.yml",
            f"--extra-vars={json.dumps(self.inputs)}",
            *options,
            ANSIBLE_CALLBACKS_ENABLED="xenci.stack.changes",
            XENCI_CHANGES_FILE=str(self.changes),
        )

    def run(self, *options, **inputs):
        """Names of the tasks that changed something in a run that went through."""
        process = self.start(*options, **inputs)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        last = json.loads(self.changes.read_text().splitlines()[-1])
        return [name.removeprefix("xenci.stack.") for _, name in last["changed"]]

    def said(self):
        """What the service has said since it was last asked: it says when it starts and when it reloads."""
        return self.host.check_output("cat /run/probe; : >/run/probe").split()


@pytest.fixture(scope="module")
def role(host, tmp_path_factory):
    unit = r"""
[Service]
Type=exec
ExecStartPre=sh -c 'echo start >>/run/probe'
ExecStart=sleep infinity
ExecReload=sh -c 'echo reload >>/run/probe'
[Install]
WantedBy=multi-user.target
"""
    host.check_output(f"cat >/etc/systemd/system/probe.service <<'END'{unit}END")
    yield Role(host, tmp_path_factory.mktemp("role") / "changes.jsonl")
    host.check_output("systemctl disable --now probe.service")
    host.check_output("rm /etc/systemd/system/probe.service /etc/probe*.conf /run/probe")


def test_a_unit_is_started_and_enabled(role):
    assert role.run()[-1] == RUN
    assert role.said() == ["start"]
    assert role.host.service("probe").is_enabled


@pytest.mark.parametrize(("file", "word"), [("at_start", "start"), ("at_reload", "reload")])
def test_what_a_killed_run_left_undone_the_next_one_does(role, file, word):
    killed = role.start(**{file: "killed", "check": "touch /run/reached; exec sleep 600"})
    deadline = time.monotonic() + 60
    while not role.host.file("/run/reached").exists:
        assert time.monotonic() < deadline, killed.communicate()
        time.sleep(0.1)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    role.host.check_output("rm /run/reached; pkill --full '^sleep 600$'")
    assert role.said() == []
    assert role.run(check="true") == [RUN]
    assert role.said() == [word]
    assert role.run() == []
    assert role.said() == []


def test_a_restart_is_foretold(role):
    assert role.run("--check", at_start="foretold") == ["Write what it reads at its start", RUN]
    assert role.said() == []


def test_files_that_are_wrong_never_take_a_working_unit_down(role):
    process = role.start(at_start="wrong", check="false")
    output, _ = process.communicate(timeout=120)
    assert "Check its files" in output
    assert process.returncode == 2
    assert role.said() == []
    assert role.host.service("probe").is_running
