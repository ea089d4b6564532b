"""The base of a host: a firewall that lets nothing in that no role has opened."""

import socket

import pytest

GROUP = "scenario"


def test_unopened_port_is_dropped(host, host_address):
    with host.sudo(), pytest.raises(TimeoutError):
        listener = host.run("systemd-run --unit=listener --collect python3 -m http.server 8099")
        assert listener.rc == 0
        socket.create_connection((host_address, 8099), timeout=2).close()


def test_opened_port_answers(host, host_address):
    host.run("systemd-run --unit=listener2 --collect python3 -m http.server 8098")
    assert host.run("nft add rule inet filter input tcp dport 8098 accept").rc == 0
    assert host.run("for i in $(seq 50); do ss -ltn | grep -q :8098 && exit 0; sleep 0.1; done; exit 1").rc == 0
    socket.create_connection((host_address, 8098), timeout=5).close()


def test_ssh_is_open(host_address):
    with socket.create_connection((host_address, 22), timeout=5) as connection:
        assert connection.recv(4) == b"SSH-"


def test_time_is_utc(host):
    assert host.check_output("date +%Z") == "UTC"
