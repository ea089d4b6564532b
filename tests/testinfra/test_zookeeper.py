"""ZooKeeper: a client of the site reads and writes over TLS, and nobody else is heard."""

import contextlib
import socket
import ssl

import pytest
from kazoo.client import KazooClient

from tests.testinfra import pki
from tests.testinfra.conftest import connect, group

GROUP = "zookeeper"
PORT = 2281


@contextlib.contextmanager
def session(address, certificate):
    """A session of a real client."""
    client = KazooClient(
        hosts=f"{address}:{PORT}",
        use_ssl=True,
        ca=str(pki.CA),
        certfile=str(certificate.certificate),
        keyfile=str(certificate.key),
        timeout=10,
    )
    client.start(timeout=20)
    try:
        yield client
    finally:
        client.stop()
        client.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """What a client of the site has."""
    return pki.make(tmp_path_factory.mktemp("client"), "client")


def handshake(address, certificate=None):
    """What the server answers to `ruok` over TLS; raises ssl.SSLError where it refuses."""
    context = ssl.create_default_context(cafile=str(pki.CA))
    context.check_hostname = False
    if certificate:
        context.load_cert_chain(certificate.certificate, certificate.key)
    with socket.create_connection((address, PORT), timeout=10) as plain, context.wrap_socket(plain) as tls:
        tls.sendall(b"ruok")
        return tls.recv(16)


def test_what_is_written_outlives_a_restart(host, host_address, certificate):
    with session(host_address, certificate) as client:
        client.ensure_path("/xenci-test")
        client.set("/xenci-test", b"kept")
    assert host.run("systemctl restart zookeeper").rc == 0
    with session(host_address, certificate) as client:
        assert client.get("/xenci-test")[0] == b"kept"
        client.delete("/xenci-test")


def test_a_client_with_a_certificate_is_heard(host_address, certificate):
    assert handshake(host_address, certificate) == b"imok"


def test_a_client_without_a_certificate_is_refused(host_address):
    with pytest.raises(ssl.SSLError):
        handshake(host_address)


def test_a_certificate_of_another_authority_is_refused(host_address, tmp_path):
    with pytest.raises(ssl.SSLError):
        handshake(host_address, pki.make(tmp_path, "stranger", stranger=True))


def test_the_server_proves_who_it_is(host, host_address, certificate):
    context = ssl.create_default_context(cafile=str(pki.CA))
    context.load_cert_chain(certificate.certificate, certificate.key)
    name = host.check_output("hostname")
    with (
        socket.create_connection((host_address, PORT), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as tls,
    ):
        names = {value for _, value in tls.getpeercert()["subjectAltName"]}
    assert {name, host_address} <= names


def test_plain_text_gets_no_answer(host_address):
    answer = b""
    with socket.create_connection((host_address, PORT), timeout=10) as plain:
        plain.sendall(b"ruok\n" * 4)
        # It hangs up, one way or the other.
        with contextlib.suppress(ConnectionResetError):
            answer = plain.recv(16)
    assert b"imok" not in answer


def test_only_the_port_for_clients_is_open(host):
    ports = host.check_output("ss -Hltnp | grep java | awk '{print $4}' | grep -o '[0-9]*$' | sort -u")
    assert ports.split() == [str(PORT)]


def test_only_hosts_of_the_stack_reach_it(host_address):
    knock = f"timeout 3 bash -c '</dev/tcp/{host_address}/{PORT}'"
    assert connect(group("zuul_executor")[0]).run(knock).rc == 0
    assert connect(group("log_server")[0]).run(knock).rc == 124


def test_the_unit_is_hardened(host):
    exposure = host.check_output("systemd-analyze security --no-pager zookeeper | tail -1").split()
    assert float(exposure[exposure.index("zookeeper.service:") + 1]) < 2
    assert host.check_output("ps -o user= -C java") == "zookeeper"
