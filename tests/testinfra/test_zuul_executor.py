"""Zuul's executor: a whole job runs under the hardened unit, and reaches what it may and nothing else."""

import contextlib

import pytest
import requests

from tests.testinfra import zuul
from tests.testinfra.conftest import address, connect, group, inventory

GROUP = "zuul_executor"
UNIT = "zuul-executor.service"


@pytest.fixture(scope="module")
def name():
    """Name under which the executor makes itself known."""
    host = group(GROUP)[0]
    return f"{host}.{inventory()['_meta']['hostvars'][host]['lab_hosts_name']}.test"


@contextlib.contextmanager
def only_executor(name):
    """The stack's other executors take no work."""
    others = [connect(host) for host in inventory()[GROUP]["hosts"] if host not in group(GROUP)]
    command = "/opt/zuul/bin/xenci-zuul executor -c /etc/zuul/executor.conf"
    try:
        for other in others:
            assert other.run(f"{command} pause").rc == 0
        zuul.until(
            lambda: all(s == "paused" for n, s in zuul.components("executor").items() if n != name), 60
        )
        yield
    finally:
        for other in others:
            assert other.run(f"{command} unpause").rc == 0


def enqueue(change, project):
    """Ask Zuul to check a change again, as an administrator."""
    answer = requests.post(
        f"https://{address(zuul.stack_host('zuul_web'))}/api/tenant/{zuul.TENANT}/project/{project}/enqueue",
        json={"change": change, "pipeline": "check"},
        headers={"Authorization": f"Bearer {zuul.token()}"},
        verify=zuul.CA,
        timeout=20,
    )
    assert answer.json() is True


def test_it_is_known_and_takes_work(name):
    assert zuul.until(lambda: zuul.components("executor").get(name) == "running", 60)


def test_a_whole_job_runs_here(name):
    """A change that passed before passes again, with the stack's own executor paused."""
    path = f"tenant/{zuul.TENANT}/builds?job_name=hypervisor-tools-tests&result=SUCCESS"
    before = zuul.get(path).json()
    ref = before[0]["ref"]
    with only_executor(name):
        enqueue(f"{ref['change']},{ref['patchset']}", ref["project"])
        known = {build["uuid"] for build in before}
        build = zuul.until(
            lambda: next((b for b in zuul.get(path).json() if b["uuid"] not in known), None), 300
        )
    log = requests.get(f"{build['log_url']}job-output.txt", verify=zuul.CA, timeout=20)
    assert log.status_code == 200
    host = connect(group(GROUP)[0])
    assert host.run(f"journalctl -u {UNIT} | grep -q 'build: {build['uuid']}.*Job execution took'").rc == 0


def test_nothing_of_a_build_stays(host):
    # Zuul reports a build first and removes its folder then.
    assert zuul.until(lambda: host.check_output("ls -A /var/lib/zuul-executor/builds") == "", 60)


def knock(host, user, target, port):
    """Exit status of a connection attempt: 0 connected, 124 no answer within 10 s."""
    return host.run(
        f"runuser -u {user} -- timeout 10 bash -c '</dev/tcp/{target}/{port}'",
    ).rc


def test_jobs_reach_nodes_and_logs(host):
    assert knock(host, "zuul-executor", address("node1"), 22) == 0
    assert knock(host, "zuul-executor", address("logs"), 443) == 0


@pytest.mark.parametrize(("target", "port"), [("ci", 22), ("ci", 5432), ("review", 22), ("executor", 22)])
def test_jobs_reach_nothing_else(host, target, port):
    # Refused at once, by the executor's own firewall: root gets through.
    assert knock(host, "zuul-executor", address(target), port) == 1
    if port == 22:
        assert knock(host, "root", address(target), port) == 0


def test_only_the_live_log_is_open(host):
    ports = host.check_output("ss -Hltnp | grep xenci-zuul | awk '{print $4}' | grep -o '[0-9]*$' | sort -u")
    assert ports == "7900"


def test_password_in_remote_urls_is_for_the_service_alone(host):
    git = host.file("/var/lib/zuul-executor/git")
    assert (git.user, git.mode) == ("zuul-executor", 0o700)


def test_it_holds_only_the_secrets_that_it_needs(host):
    config = host.file("/etc/zuul/executor.conf")
    assert (config.user, config.group, config.mode) == ("root", "zuul-executor", 0o640)
    assert "[database]" not in config.content_string
    assert not host.file("/etc/zuul/executor_gerrit.key").exists


def test_the_unit_is_hardened(host):
    assert zuul.exposure(host, UNIT) <= 2.6
    assert host.check_output(f"systemctl show --value --property User {UNIT}") == "zuul-executor"
