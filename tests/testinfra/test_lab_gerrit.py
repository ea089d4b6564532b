"""The lab's review server as its clients meet it: HTTPS with the site's CA, SSH with its own host key."""

import base64
import http.client
import json
import os
import ssl
import subprocess

import pytest
import yaml

from tests.testinfra import pki
from tests.testinfra.conftest import LAB, ROOT, playbook

GROUP = "lab_gerrit"
DIRECTORY = ROOT / ".lab" / LAB
SITE = "/srv/lab-gerrit"


def secrets():
    """What the lab's vault holds."""
    words = ["ansible-vault", "view", f"--vault-password-file={DIRECTORY}/vault-password"]
    vault = DIRECTORY / "inventory/group_vars/all/vault.yml"
    done = subprocess.run([*words, str(vault)], check=True, capture_output=True, text=True)
    return yaml.safe_load(done.stdout)


def public(name):
    """The public half of a key of the lab."""
    text = (DIRECTORY / "inventory/group_vars/all/lab.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)[f"local_{name}_public_key"]


@pytest.fixture(scope="module")
def password():
    return secrets()["vault_gerrit_admin_password"]


def call(address, path, password=None, method="GET", body=None):
    """A REST call as admin (with a password) or anonymous: status and text."""
    context = ssl.create_default_context(cafile=pki.CA)
    connection = http.client.HTTPSConnection(address, context=context, timeout=20)
    headers = {"Accept": "*/*"}
    if password is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()
    if body is not None:
        headers["Content-Type"] = "application/json"
    connection.request(method, path, body and json.dumps(body), headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


@pytest.fixture(scope="module")
def ssh(host_address, tmp_path_factory):
    """An SSH command line as admin that trusts the lab's host key and no other."""
    known = tmp_path_factory.mktemp("ssh") / "known_hosts"
    known.write_text(f"[{host_address}]:29418 {public('gerrit_host')}\n")
    options = [
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={known}",
        "IdentitiesOnly=yes",
        "BatchMode=yes",
    ]
    words = ["ssh", "-F/dev/null", *(f"-o{option}" for option in options)]
    return [*words, f"-i{DIRECTORY}/keys/gerrit_admin", "-p29418", f"admin@{host_address}"]


def test_answers_as_gerrit_over_https_with_the_sites_certificate(host_address):
    assert call(host_address, "/config/server/version") == (200, ')]}\'\n"3.13.8"\n')


def test_the_administrators_password_and_no_other_opens(host_address, password):
    status, text = call(host_address, "/a/accounts/self", password)
    assert status == 200
    assert json.loads(text.removeprefix(")]}'"))["username"] == "admin"
    assert call(host_address, "/a/accounts/self", "secret")[0] == 401


def test_ssh_has_the_given_host_key_and_knows_the_administrator(ssh):
    done = subprocess.run(
        [*ssh, "gerrit", "version"], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (0, "gerrit version 3.13.8\n"), done.stderr


def test_a_project_is_made_and_pushed_to(host_address, password, ssh, tmp_path):
    status, _ = call(host_address, "/a/projects/of-a-test", password, "PUT", {"create_empty_commit": True})
    assert status in (201, 409)
    environment = {**os.environ, "GIT_SSH_COMMAND": " ".join(ssh[:-1])}
    remote = f"ssh://{ssh[-1]}:29418/of-a-test"

    def git(*words):
        return subprocess.run(
            ["git", "-c", "user.name=A", "-c", "user.email=admin@example.com", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    git("clone", "-q", remote, ".")
    (tmp_path / "file").write_text(os.urandom(8).hex())
    git("add", "file")
    change_id = "I" + os.urandom(20).hex()
    git("commit", "-qm", f"from a test\n\nChange-Id: {change_id}")
    pushed = git("push", remote, "HEAD:refs/for/master")
    assert "SUCCESS" in pushed.stderr
    status, text = call(host_address, f"/changes/?q=change:{change_id}")
    assert (status, len(json.loads(text.removeprefix(")]}'")))) == (200, 1)
    assert change_id in call(host_address, "/c/of-a-test/+/" + text.split('"_number":')[1].split(",")[0])[1]


def test_runs_as_its_own_user_with_little_more_than_two_ports(host):
    service = host.service("lab-gerrit")
    assert service.is_running
    assert service.is_enabled
    main = host.check_output("systemctl show --value --property MainPID lab-gerrit.service").strip()
    assert host.check_output(f"ps -o user= -p {main}").strip() == "lab-gerrit"
    score = host.check_output("systemd-analyze security --no-pager lab-gerrit.service | tail -n 1")
    assert float(score.split("lab-gerrit.service: ")[1].split()[0]) < 3.0, score


def test_secrets_are_its_own(host):
    for path in (f"{SITE}/etc/ssh_host_ed25519_key", f"{SITE}/db/lab_gerrit.sqlite"):
        file = host.file(path)
        assert file.user == "lab-gerrit"
        assert file.mode & 0o007 == 0
    assert host.file(SITE).mode == 0o750


def test_the_role_says_why_it_refuses_another_versions_database(host, password):
    program = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1])\n"
    program += "was = db.execute('PRAGMA user_version').fetchone()[0]\n"
    program += "db.execute(f'PRAGMA user_version = {int(sys.argv[2])}'); db.commit(); print(was)"

    def version(number):
        """Set it, return what it was."""
        command = f"runuser --user=lab-gerrit -- python3 -c %s {SITE}/db/lab_gerrit.sqlite {number}"
        return int(host.check_output(command, program))

    was = version(99)
    try:
        run = playbook("playbooks/configure_lab_gerrit.yml", f"--limit={host.backend.get_hostname()}")
        output, _ = run.communicate(timeout=180)
    finally:
        version(was)
    words = " ".join(output.split())
    assert run.returncode == 2
    assert (
        f"{SITE}/db/lab_gerrit.sqlite has schema version 99, this program works with version {was}" in words
    )
    assert "make demo-down" in words
    assert password not in output
