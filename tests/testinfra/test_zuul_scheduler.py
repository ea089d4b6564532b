"""Zuul's scheduler: it joins the others, loads the layouts and hears its commands."""

import json

from tests.testinfra import zuul

GROUP = "zuul_scheduler"
UNIT = "zuul-scheduler.service"


def reconfigure(host, *options):
    """A full reconfiguration, as the role asks for it."""
    command = f"/opt/zuul/bin/xenci-zuul reconfigure -c /etc/zuul/scheduler.conf --tenant {zuul.TENANT}"
    return json.loads(host.check_output(" ".join([command, *options])))


def test_it_is_known_and_has_the_layouts():
    assert zuul.until(lambda: zuul.components("scheduler").get(zuul.names(GROUP)) == "running", 60)


def test_full_reconfiguration_makes_new_layouts(host):
    before = reconfigure(host, "--since", "0")
    assert not before["changed"]
    after = reconfigure(host)
    assert after["changed"]
    assert after["tenants"][zuul.TENANT]["uuid"] != before["tenants"][zuul.TENANT]["uuid"]


def test_the_configuration_has_no_errors():
    assert zuul.get(f"tenant/{zuul.TENANT}/config-errors").json() == []


def test_upstream_projects_configure_nothing():
    projects = {each["name"]: each["type"] for each in zuul.get(f"tenant/{zuul.TENANT}/projects").json()}
    assert projects["infra"] == "config"
    assert projects["hypervisor-tools"] == "untrusted"


def test_its_secrets_are_for_the_service_alone(host):
    key = host.file("/etc/zuul/scheduler_gerrit.key")
    assert (key.user, key.mode) == ("zuul-scheduler", 0o400)
    config = host.file("/etc/zuul/scheduler.conf")
    assert (config.user, config.group, config.mode) == ("root", "zuul-scheduler", 0o640)


def test_it_cannot_learn_host_keys(host):
    known = host.file("/var/lib/zuul-scheduler/.ssh/known_hosts")
    assert (known.user, known.mode) == ("root", 0o640)


def test_the_unit_is_hardened(host):
    assert zuul.exposure(host, UNIT) <= 1.5
    assert host.check_output(f"systemctl show --value --property User {UNIT}") == "zuul-scheduler"
