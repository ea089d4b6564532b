"""Unknown SSH host keys are refused, against a real SSH server, at each place where stock Zuul is loose."""

import asyncio
import logging
import re
import threading
from types import SimpleNamespace

import asyncssh
import pytest
from zuul.driver.gerrit.gerritconnection import GerritConnection
from zuul.driver.gerrit.gerriteventssh import GerritSSHEventListener
from zuul.driver.static.staticmodel import StaticInstance
from zuul.driver.static.staticprovider import StaticNodeConfig
from zuul.executor.server import AnsibleJob, ExecutorError
from zuul.merger.merger import Repo

from xenci.zuul import host_keys
from xenci.zuul.registration import MovedError

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKLF33Kbg"


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server on a free port that accepts the key `client`; gives its port and its line for known_hosts."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    host, client = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    client.write_private_key(tmp_path / "client")
    client.write_public_key(tmp_path / "authorized")
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(
        asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[host],
            authorized_client_keys=str(tmp_path / "authorized"),
            process_factory=lambda process: process.exit(0),
        )
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    port = listening.get_port()
    yield SimpleNamespace(
        port=port,
        key=tmp_path / "client",
        known_hosts=tmp_path / ".ssh/known_hosts",
        line=f"[127.0.0.1]:{port} {host.export_public_key().decode().strip()}\n",
    )
    loop.call_soon_threadsafe(listening.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def options(server):
    """Of a Gerrit connection to the server."""
    return {"server": "127.0.0.1", "port": str(server.port), "user": "xen-ci", "sshkey": str(server.key)}


def gerrit_commands(server):
    """Gerrit commands over SSH: query, review."""
    connection = GerritConnection(SimpleNamespace(getSource=lambda _: None), "gerrit", options(server))
    connection._open()
    connection.client.close()


def gerrit_events(server):
    """The event stream."""
    listener = GerritSSHEventListener.__new__(GerritSSHEventListener)
    listener.username, listener.keyfile, listener.hostname = "xen-ci", str(server.key), "127.0.0.1"
    listener.port, listener.keepalive, listener._stopped = server.port, 60, True
    listener.gerrit_connection = SimpleNamespace(ssh_timeout=10)
    listener._run()


def git_over_ssh(server):
    """Git, whose known_hosts the merger fills."""
    repo = Repo.__new__(Repo)
    repo.remote_url = f"ssh://xen-ci@127.0.0.1:{server.port}/demo"
    repo.sshkey = str(server.key)
    repo._setup_known_hosts()


CLIENTS = [gerrit_commands, gerrit_events, git_over_ssh]


@pytest.mark.parametrize("connect", CLIENTS, ids=lambda f: f.__name__)
def test_unknown_host_key_is_refused(server, connect):
    with pytest.raises(host_keys.UnknownHostKeyError, match="known_hosts"):
        connect(server)
    # Nor is it remembered for the next time.
    assert not server.known_hosts.exists() or server.known_hosts.read_text() == ""


@pytest.mark.parametrize("connect", CLIENTS, ids=lambda f: f.__name__)
def test_known_host_key_is_accepted(server, connect):
    server.known_hosts.write_text(server.line)
    connect(server)


def test_zuul_opens_ssh_clients_where_we_look(zuul_root):
    found = {
        "zuul." + ".".join(path.relative_to(zuul_root).with_suffix("").parts)
        for path in zuul_root.rglob("*.py")
        if "SSHClient(" in path.read_text(encoding="utf-8")
    }
    assert found == set(host_keys.PARAMIKO_USERS)


def test_zuul_switches_host_key_checking_off_where_we_look(zuul_root):
    found = [
        str(path.relative_to(zuul_root))
        for path in zuul_root.rglob("*.py")
        for _ in re.finditer(
            r"StrictHostKeyChecking|host_key_checking *= *False", path.read_text(encoding="utf-8")
        )
    ]
    # Kubernetes' "nodes" are pods, reached without SSH.
    assert sorted(found) == ["driver/kubernetes/kubernetesprovider.py", "executor/server.py"]


def test_moved_client_fails_loudly(monkeypatch):
    import zuul.driver.gerrit.gerriteventssh

    monkeypatch.delattr(zuul.driver.gerrit.gerriteventssh, "paramiko")
    with pytest.raises(MovedError, match="gerriteventssh"):
        host_keys.apply("scheduler")


@pytest.mark.parametrize(("keys", "refused"), [([], True), ([KEY], False)])
def test_build_on_a_node_without_keys_fails(monkeypatch, keys, refused):
    hosts = [{"name": "node", "host_vars": {"ansible_connection": "ssh"}, "host_keys": keys}]
    monkeypatch.setattr(AnsibleJob, "getHostList", lambda self, args, nodes: hosts)
    host_keys.refuse_nodes_without_keys()
    job = AnsibleJob.__new__(AnsibleJob)
    if refused:
        with pytest.raises(ExecutorError, match="no known SSH host key"):
            job.getHostList({}, [])
    else:
        assert job.getHostList({}, []) == hosts


def test_static_node_gets_the_keys_of_its_stanza():
    stanza = {"name": "192.0.2.1", "label": "debian-12", "host-key": f"{KEY}\nssh-rsa AAAAB3\n"}
    instance = StaticInstance(StaticNodeConfig(stanza, {}), SimpleNamespace())
    assert instance.host_keys == [KEY, "ssh-rsa AAAAB3"]


def test_static_node_without_keys_has_none():
    instance = StaticInstance(StaticNodeConfig({"name": "192.0.2.1", "label": "x"}, {}), SimpleNamespace())
    assert not hasattr(instance, "host_keys")


logging.getLogger("asyncssh").setLevel(logging.WARNING)
