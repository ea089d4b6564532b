"""Gerrit as its clients meet it: HTTPS with the site's CA, SSH, git-review's hook, and a site that is kept.

What is marked `war` is run where the environment's GERRIT_WAR names one, and otherwise named at the end.
"""

import base64
import http.client
import json
import os
import re
import ssl
import subprocess

import pytest

from tests.testinfra import pki
from tests.testinfra.test_lab_gerrit import public, secrets

GROUP = "gerrit_server"
SITE = "/srv/gerrit"
WAR = os.environ.get("GERRIT_WAR")


def call(address, path, password=None, headers=None):
    """A GET as admin (with a password) or anonymous: status and text."""
    context = ssl.create_default_context(cafile=pki.CA)
    connection = http.client.HTTPSConnection(address, context=context, timeout=20)
    headers = dict(headers or {})
    if password is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_nginx_shows_the_sites_certificate_and_stands_before_it(host_address):
    status, _ = call(host_address, "/config/server/version")
    assert status == (200 if WAR else 502)


def test_the_web_server_of_gerrit_itself_listens_on_this_host_only(host):
    config = host.file(f"{SITE}/etc/gerrit.config").content_string
    assert "listenUrl = proxy-https://127.0.0.1:8081/" in config
    assert re.search(r"serverId = \w[\w-]+", config)


def test_nobody_from_outside_says_who_they_are(host):
    shown = host.file("/etc/nginx/conf.d/gerrit.conf").content_string
    assert 'proxy_set_header X-Xenci-User "";' in shown


def test_the_unit_is_hardened_and_right(host):
    host.check_output("systemd-analyze verify /etc/systemd/system/gerrit.service")
    score = host.check_output("systemd-analyze security --no-pager gerrit.service | tail -n 1")
    assert float(score.split("gerrit.service: ")[1].split()[0]) < 3.0, score


def test_the_site_is_its_own(host):
    for path in (SITE, f"{SITE}/etc", f"{SITE}/etc/gerrit.config"):
        assert host.file(path).user == "gerrit"
        assert host.file(path).mode & 0o007 == 0


@pytest.fixture(scope="module")
def password():
    return secrets()["vault_gerrit_admin_password"]


@pytest.mark.war
def test_the_administrators_password_and_no_other_opens(host_address, password):
    status, text = call(host_address, "/a/accounts/self", password)
    assert (status, json.loads(text.removeprefix(")]}'"))["username"]) == (200, "admin")
    assert call(host_address, "/a/accounts/self", "secret")[0] == 401


@pytest.mark.war
def test_the_header_from_outside_is_nobody(host_address):
    status, _ = call(host_address, "/accounts/self", headers={"X-Xenci-User": "admin"})
    assert status in (401, 403)


@pytest.mark.war
def test_git_review_finds_its_hook(host_address):
    status, text = call(host_address, "/tools/hooks/commit-msg")
    assert status == 200
    assert text.startswith("#!/bin/sh")


@pytest.mark.war
def test_ssh_answers_with_the_given_host_key(host_address):
    done = subprocess.run(
        ["ssh-keyscan", "-t", "ed25519", "-p", "29418", host_address],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert public("gerrit_host").split()[1] in done.stdout


@pytest.mark.war
def test_init_has_nothing_to_add_to_the_configuration(host):
    before = host.file(f"{SITE}/etc/gerrit.config").content_string
    unit = host.file("/etc/systemd/system/gerrit.service").content_string
    java, war = re.search(r"ExecStart=(\S+)", unit)[1], re.search(r"-jar (\S+)", unit)[1]
    host.check_output(
        f"systemctl stop gerrit && runuser --user=gerrit -- {java} -jar {war} init --batch "
        f"--no-auto-start -d {SITE} && systemctl start gerrit"
    )
    assert host.file(f"{SITE}/etc/gerrit.config").content_string == before
