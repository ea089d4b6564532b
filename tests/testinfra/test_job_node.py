"""A job node, used as an executor uses it: over SSH with its key, and through the port of the console."""

import socket
import subprocess

import pytest

from tests.testinfra.conftest import LAB, ROOT

GROUP = "job_nodes"
CONSOLE = 19885


@pytest.fixture
def login(host_address, tmp_path):
    """Run a command on the node as the user of jobs, with the executor's key or another."""

    def run(command, key=ROOT / ".lab" / LAB / "keys/zuul_node"):
        options = ["-F", "none", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"]
        options += ["-o", f"UserKnownHostsFile={ROOT}/.lab/{LAB}/known_hosts.d/{host_address}"]
        options += ["-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=5"]
        return subprocess.run(
            ["ssh", *map(str, options), f"zuul@{host_address}", command],
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def other_key(tmp_path):
    """A key that nobody has let in."""
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


@pytest.mark.parametrize("tool", ["git", "make", "python3", "rsync"])
def test_jobs_find_their_tools(login, tool):
    answer = login(f"{tool} --version")
    assert answer.returncode == 0, answer.stderr


def test_nobody_else_comes_in(login, other_key):
    answer = login("true", other_key)
    assert answer.returncode == 255
    assert "Permission denied" in answer.stderr


def test_a_build_lets_its_own_key_in_and_cannot_lock_the_executor_out(login, other_key):
    public = other_key.with_suffix(".pub").read_text().strip()
    kept = "test -e .ssh/authorized_keys && cp .ssh/authorized_keys .ssh/kept; mkdir -p -m 700 .ssh"
    assert login(f"{kept}; echo '{public}' > .ssh/authorized_keys").returncode == 0
    assert login("true", other_key).returncode == 0
    assert login("rm -rf .ssh").returncode == 0
    assert login("true", other_key).returncode == 255
    assert login("echo x >> /etc/ssh/authorized_keys/zuul").returncode != 0
    assert login("true").returncode == 0


@pytest.mark.usefixtures("ssh_closed")
def test_the_executor_comes_in_where_ssh_is_closed(login):
    assert login("true").returncode == 0


def test_a_job_is_not_root(login):
    assert login("id -u").stdout.strip() not in ("", "0")
    assert login("sudo -n true").returncode != 0


def test_the_console_answers_the_executor(login, host_address):
    listen = (
        "import socket; s = socket.create_server(('::', %d), family=socket.AF_INET6, dualstack_ipv6=True);"
        "print('up', flush=True); c, _ = s.accept(); c.sendall(b'console')"
    )
    started = login(
        f'nohup python3 -c "{listen % CONSOLE}" > console.log 2>&1 & '
        "for i in $(seq 100); do grep -q up console.log && exit 0; sleep 0.1; done; exit 1"
    )
    assert started.returncode == 0, started.stderr
    with socket.create_connection((host_address, CONSOLE), timeout=5) as stream:
        assert stream.recv(7) == b"console"
