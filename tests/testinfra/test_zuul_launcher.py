"""Zuul's launcher: it joins the others and has the providers."""

from tests.testinfra import zuul

GROUP = "zuul_launcher"
UNIT = "zuul-launcher.service"


def test_it_is_known_and_has_the_providers():
    assert zuul.until(lambda: zuul.components("launcher").get(zuul.names(GROUP)) == "running", 60)


def test_nodes_are_ready():
    states = [node["state"] for node in zuul.get(f"tenant/{zuul.TENANT}/nodes").json()]
    assert set(states) <= {"requested", "building", "ready", "in-use", "used"}
    assert states


def test_it_holds_no_password_of_the_review_server(host):
    config = host.file("/etc/zuul/launcher.conf")
    assert (config.user, config.group, config.mode) == ("root", "zuul-launcher", 0o640)
    for secret in ("password=", "sshkey=", "dburi=", "[keystore]"):
        assert secret not in config.content_string


def test_the_unit_is_hardened(host):
    assert zuul.exposure(host, UNIT) <= 1.5
    assert host.check_output(f"systemctl show --value --property User {UNIT}") == "zuul-launcher"
