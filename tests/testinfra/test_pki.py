"""Certificates: services use them, hosts trust them, keys stay where they are, what ends is renewed."""

import datetime
import json
import os
import subprocess

import pytest
from cryptography import x509

from tests.testinfra import pki
from tests.testinfra.conftest import LAB, ROOT, SCENARIO, group, inventories

GROUP = "scenario"
FILES = "/etc/xenci/pki"
CLIENT = "openssl s_client -verify_return_error -connect 127.0.0.1:8443"


@pytest.fixture
def serve(host):
    """A TLS server on the host with its certificate `web`."""
    server = f"openssl s_server -accept 127.0.0.1:8443 -www -cert {FILES}/web.crt -key {FILES}/web.key"
    assert host.run(f"systemd-run --unit=tls-server --collect {server}").rc == 0
    assert host.run("for i in $(seq 50); do ss -ltn | grep -q :8443 && exit; sleep 0.1; done; exit 1").rc == 0
    yield
    assert host.run("systemctl stop tls-server").rc == 0


def apply(**variables):
    """Run the scenario's playbook again with other inputs; return what it printed."""
    command = ["ansible-playbook", *(f"--inventory={source}" for source in inventories())]
    command += ["--limit=scenario,localhost", f"--extra-vars={json.dumps(variables)}"]
    command += [f"molecule/{SCENARIO}/converge.yml"]
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_VAULT_PASSWORD_FILE": str(ROOT / ".lab" / LAB / "vault-password"),
        "XENCI_CHANGES_FILE": "",
    }
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def certificate(host, name="web"):
    """The certificate as it is on the host."""
    return x509.load_pem_x509_certificate(host.file(f"{FILES}/{name}.crt").content)


@pytest.mark.usefixtures("serve")
@pytest.mark.parametrize("name", [group(GROUP)[0], f"{group(GROUP)[0]}.{LAB}.test"])
def test_host_trusts_a_server_that_has_one(host, name):
    # The system's own trust, not the CA named: this is what git and curl do.
    assert "Verification: OK" in host.check_output(f"{CLIENT} -verify_hostname {name} </dev/null")


@pytest.mark.usefixtures("serve")
def test_other_names_are_not_trusted(host):
    assert host.run(f"{CLIENT} -verify_hostname other.test </dev/null").rc == 1


def test_certificate_names_the_address(host, host_address):
    names = certificate(host).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == [host_address]


def test_validity_begins_a_day_back(host):
    # Clocks of new machines may be behind.
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=23)
    assert certificate(host).not_valid_before_utc < yesterday
    assert x509.load_pem_x509_certificate(pki.CA.read_bytes()).not_valid_before_utc < yesterday


def test_only_its_group_reads_a_key(host):
    for name in ("web.key", "web.pem"):
        key = host.file(f"{FILES}/{name}")
        assert (key.user, key.group, key.mode) == ("root", "www-data", 0o640)
    given = host.file(f"{FILES}/given.key")
    assert (given.user, given.group, given.mode) == ("root", "root", 0o600)


def test_no_key_left_its_host():
    files = [path for path in pki.AUTHORITY.rglob("*") if path.is_file()]
    kept = {path.name for path in files if b"PRIVATE KEY" in path.read_bytes()}
    assert kept == {"ca.key"}
    assert pki.AUTHORITY.stat().st_mode & 0o777 == 0o700
    assert (pki.AUTHORITY / "ca.key").stat().st_mode & 0o777 == 0o600


def test_certificate_and_key_stand_together(host):
    parts = [host.file(f"{FILES}/web.{part}").content_string for part in ("crt", "key")]
    assert host.file(f"{FILES}/web.pem").content_string == "".join(parts)


def test_what_ends_soon_is_renewed_with_the_same_key(host):
    before = certificate(host)
    apply(pki_certificate_days=500, pki_renew_days=400)
    after = certificate(host)
    assert after.not_valid_after_utc > before.not_valid_after_utc + datetime.timedelta(days=100)
    assert after.public_key() == before.public_key()
    assert host.file(f"{FILES}/web.crt").content_string in host.file(f"{FILES}/web.pem").content_string


def test_a_given_certificate_takes_the_place_of_ours(host, tmp_path):
    files = pki.make(tmp_path, "given.example", stranger=True)
    given = {"certificate": files.certificate.read_text(), "key": files.key.read_text()}
    out = apply(pki_site_certificates={"given": given}, pki_extra_authorities=[given["certificate"]])
    assert given["key"].splitlines()[1] not in out
    assert host.file(f"{FILES}/given.key").content_string == given["key"]
    assert host.file(f"{FILES}/given.pem").content_string == given["certificate"] + given["key"]
    assert host.run(f"openssl verify -CAfile {FILES}/ca.crt {FILES}/given.crt").rc == 0
    assert certificate(host).issuer == x509.load_pem_x509_certificate(pki.CA.read_bytes()).subject
