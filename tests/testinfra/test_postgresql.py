"""PostgreSQL: Zuul's user reads and writes its database over TLS; anything else is refused."""

import contextlib

import psycopg2
import pytest

from tests.testinfra import pki
from tests.testinfra.conftest import connect, group, inventory

GROUP = "postgresql"
PORT = 5432
TRUSTED = "/etc/xenci/pki/ca.crt"


@pytest.fixture(scope="module")
def ask(host, host_address):
    """A function that runs SQL as Zuul and returns the rows."""
    name = group(GROUP)[0]
    settings = {
        "host": name,
        "hostaddr": host_address,
        "port": PORT,
        "user": "zuul",
        "dbname": "zuul",
        "password": inventory()["_meta"]["hostvars"][name]["vault_postgresql_zuul_password"],
        "sslmode": "verify-full",
        "sslrootcert": str(pki.CA),
        "connect_timeout": 10,
    }

    def run(sql, **other):
        with contextlib.closing(psycopg2.connect(**settings | other)) as connection, connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    return run


def test_what_is_written_outlives_a_restart(host, ask):
    ask("create table xenci_test (word text)")
    ask("insert into xenci_test values ('geschrieben: äöü')")
    assert host.run("systemctl restart postgresql@15-main").rc == 0
    assert ask("select word from xenci_test") == [("geschrieben: äöü",)]
    ask("drop table xenci_test")


def test_connection_is_encrypted(ask):
    [(encrypted, version)] = ask("select ssl, version from pg_stat_ssl where pid = pg_backend_pid()")
    assert encrypted
    assert version in {"TLSv1.2", "TLSv1.3"}


def test_plain_text_is_refused(ask):
    with pytest.raises(psycopg2.OperationalError, match="no encryption"):
        ask("select 1", sslmode="disable", sslrootcert="")


def test_wrong_password_is_refused(ask):
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        ask("select 1", password="guessed")


@pytest.mark.parametrize("other", [{"dbname": "postgres"}, {"user": "postgres"}])
def test_other_databases_and_users_are_refused(ask, other):
    with pytest.raises(psycopg2.OperationalError, match=r"no pg_hba\.conf entry"):
        ask("select 1", **other)


def test_password_is_kept_as_scram(host):
    query = "select rolpassword from pg_authid where rolname = 'zuul'"
    assert host.check_output("psql -U postgres -Atc %s", query).startswith("SCRAM-SHA-256$")


def test_host_reaches_it_by_its_own_name(host):
    settings = f"host={group(GROUP)[0]} user=zuul dbname=zuul sslmode=verify-full sslrootcert={TRUSTED}"
    # The address and TLS pass; only the password is wanted.
    assert "no password supplied" in host.run("psql --no-password %s", settings).stderr


def test_only_hosts_of_the_stack_reach_it(host_address):
    knock = f"timeout 3 bash -c '</dev/tcp/{host_address}/{PORT}'"
    assert connect(group("zuul_scheduler")[0]).run(knock).rc == 0
    assert connect(group("log_server")[0]).run(knock).rc == 124


def test_the_unit_is_hardened(host):
    exposure = host.check_output("systemd-analyze security --no-pager postgresql@15-main | tail -1").split()
    assert float(exposure[exposure.index("postgresql@15-main.service:") + 1]) < 2
