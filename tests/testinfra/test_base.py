"""The base of a host: a firewall that lets nothing in that no role has opened."""

import socket

import pytest

GROUP = "scenario"


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
