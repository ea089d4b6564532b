"""The provider driver `xen`: Zuul's own classes, a double for ssh, and behind it the real xenci-guest."""

# ruff: noqa: N802  # Zuul's names

import configparser
import logging
import math
import os
import re
import sys
import time

import pytest
import yaml

from tests.xen_guest.dom0 import KEY, SOURCE, Dom0, ssh_servers
from xenci.zuul import drivers

LOG = logging.getLogger("test")
PAGE = (SOURCE.parent / "docs/xen_guest.md").read_text().partition("\n## From Zuul\n")[2]
INI, YAML = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def configured():
    """What Zuul makes of the page's section and provider, with a guest that the doubles can run."""
    section, provider = yaml.safe_load(YAML)[0]["section"], yaml.safe_load(YAML)[1]["provider"]
    assert provider == {"name": "xen1", "section": section["name"]}
    own = {"project_canonical_name": "example.org/infra", "config_hash": "1"}
    for stanza in (*section["images"], *section["flavors"], *section["labels"]):
        stanza.update(own)
    for image in section["images"]:
        image["branch"] = "master"
    section["flavors"][0].update(memory=256, vcpus=1)
    section["labels"][0]["guest-type"] = "pv"
    return {**section, "section": provider["section"]}


SECTION = configured()


class QuotaInMemory:
    """Zuul's quota cache without ZooKeeper."""

    def __init__(self, client, endpoint_name):
        self.limits = None

    def hasLimits(self):
        return self.limits is not None

    def setLimits(self, limits):
        self.limits = limits

    def getLimits(self):
        from zuul import model

        return model.QuotaInformation(default=math.inf, **(self.limits.quota if self.limits else {}))


@pytest.fixture
def dom0(tmp_path):
    with ssh_servers() as port:
        host = Dom0(tmp_path / "dom0", "reflink", port)
        assert host.add_image()["ok"]
        yield host


@pytest.fixture
def ssh(dom0, tmp_path, monkeypatch):
    """`ssh` that gives what it is sent to the key's forced command: xenci-guest, without arguments."""
    folder = tmp_path / "ssh-bin"
    folder.mkdir()
    (folder / "ssh").write_text(
        f'#!/bin/sh\necho "$@" >>{folder}/asked\n'
        f'if [ -e {folder}/down ]; then echo "ssh: connect to host: Connection timed out" >&2; exit 255; fi\n'
        f"PATH={dom0.root}/bin:/usr/bin:/bin PYTHONPATH={SOURCE} "
        f"exec {sys.executable} -m xenci.guest --config {dom0.root}/xenci-guest.json\n"
    )
    (folder / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.fixture
def provider(ssh, tmp_path, monkeypatch):
    import zuul.provider

    monkeypatch.setattr(zuul.provider, "QuotaCache", QuotaInMemory)
    from xenci.zuul.xen.driver import XenDriver

    driver = XenDriver()
    (tmp_path / "authorized_keys").write_text(f"# the executor\n{KEY}\n\n")
    settings = {
        "ssh_key": "/etc/zuul/xen/key",
        "known_hosts": "/etc/zuul/xen/known",
        "authorized_keys": str(tmp_path / "authorized_keys"),
    }
    connection = driver.getConnection("xen", {"driver": "xen", **settings})
    made = driver.getProvider(None, connection, "example", "example.org%2Finfra/xen1", SECTION, "system-1")
    made.endpoint.start()
    yield made
    driver.stop()


def node_of(
    provider, uuid="0123456789abcdef0123456789abcdef", label="xen-debian-12", pipeline="gate", **state
):
    """A node as the launcher makes it, outside of ZooKeeper."""
    from zuul.model import NodesetRequest

    from xenci.zuul.xen.model import XenProviderNode

    request = NodesetRequest()
    request._set(pipeline_name=pipeline)
    node = XenProviderNode()
    node._set(
        uuid=uuid,
        label=label,
        boot_timeout=20,
        tags=provider.getNodeTags("system-1", provider.labels[label], uuid, request),
        # Within a context attributes may be set; at its end the launcher has them in ZooKeeper.
        _active_context=True,
        **state,
    )
    return node


def finish(machine):
    """Let a state machine run as the launcher does; every step must be short."""
    deadline = time.monotonic() + 60
    while not machine.complete:
        begun = time.monotonic()
        machine.advance()
        assert time.monotonic() - begun < 0.5
        assert time.monotonic() < deadline
        time.sleep(0.01)


def create(provider, node):
    machine = provider.getCreateStateMachine(node, None, LOG)
    finish(machine)
    return node


def test_registered_for_every_service():
    assert ("xenci.zuul.xen.driver", "XenDriver") in drivers.DRIVERS


def test_connection_of_the_page(provider):
    settings = configparser.ConfigParser()
    settings.read_string(INI)
    connection = provider.driver.getConnection("xen", dict(settings["connection xen"]))
    assert (connection.user, connection.port) == ("root", 22)
    for name in ("ssh_key", "known_hosts"):
        assert getattr(connection, name) == settings["connection xen"][name]
    assert str(connection.authorized_keys_file) == settings["connection xen"]["authorized_keys"]


def test_create_and_delete(provider, dom0):
    node = node_of(provider)
    create(provider, node)
    assert (node.interface_ip, node.private_ipv4, node.host_id) == (
        "127.77.0.10",
        "127.77.0.10",
        "xen1.example.org",
    )
    assert node.host_keys[0].startswith("ssh-ed25519 AAAA")
    assert node.quota.quota == {"instances": 1, "cores": 1, "ram": 256}
    [guest] = dom0.ask("list")["guests"]
    assert guest["labels"] == {"zuul_system_id": "system-1", "zuul_node_uuid": node.uuid}
    # What the job may know of its guest from outside.
    outside = node.node_properties["xen"]
    assert outside["xen"]["version"] == "4.17.5"
    assert outside["xl_list"].splitlines()[1].startswith(f"np{node.uuid}")
    assert guest["authorized_keys"] == [KEY]
    assert [domain["name"] for domain in dom0.domains()] == [f"np{node.uuid}"]
    finish(provider.getDeleteStateMachine(node, LOG))
    assert dom0.left() == {}


def test_restarted_launcher_goes_on(provider, dom0):
    """A state machine made of the state that the first launcher left finds the same guest."""
    first = node_of(provider)
    machine = provider.getCreateStateMachine(first, None, LOG)
    machine.advance()
    again = node_of(provider, create_state=machine.toDict())
    create(provider, again)
    finish(machine)
    assert again.host_keys == first.host_keys
    assert len(dom0.domains()) == 1


def test_full_is_zuuls_quota_exception(provider):
    from zuul.exceptions import QuotaException

    for number in range(2):
        create(provider, node_of(provider, uuid=f"{number:032x}"))
    with pytest.raises(QuotaException, match="guests: 2 of 2 are in use"):
        create(provider, node_of(provider, uuid="f" * 32))


@pytest.mark.parametrize("trouble", ["down", "drained", "storage"])
def test_other_troubles_count_against_the_provider(provider, dom0, ssh, trouble):
    from zuul.exceptions import QuotaException

    from xenci.zuul.xen.host import HostError

    if trouble == "down":
        (ssh / "down").touch()
    elif trouble == "drained":
        dom0.ask("drain", "--operator", reason="new disk")
    else:
        dom0.set("full")
    with pytest.raises(HostError) as failed:
        create(provider, node_of(provider))
    assert not isinstance(failed.value, QuotaException)


def test_console_of_a_guest_that_dies_is_logged(provider, dom0, caplog):
    from xenci.zuul.xen.host import HostError

    dom0.config["ssh_port"] = 9
    dom0.write_config()
    dom0.set("crash")
    with pytest.raises(HostError, match="died: the guest died while it booted: crash"):
        create(provider, node_of(provider))
    assert "Kernel panic" in caplog.text


def test_delete_goes_on_until_the_host_answers(provider, dom0, ssh, monkeypatch, caplog):
    monkeypatch.setattr("xenci.zuul.xen.endpoint.XenDeleteStateMachine.PAUSE", 0.1)
    node = node_of(provider)
    create(provider, node)
    (ssh / "down").touch()
    machine = provider.getDeleteStateMachine(node, LOG)
    while "is not gone yet" not in caplog.text:
        machine.advance()
        assert not machine.complete
        time.sleep(0.01)
    (ssh / "down").unlink()
    finish(machine)
    assert dom0.left() == {}


def test_why_a_guest_had_died_is_logged(provider, dom0, caplog):
    node = node_of(provider)
    create(provider, node)
    next((dom0.xen / "domains").iterdir()).unlink()
    (dom0.xen / f"log/xl-np{node.uuid}.log").write_text("Domain 1 has shut down, reason code 3 0x3\n")
    finish(provider.getDeleteStateMachine(node, LOG))
    assert f"Guest of node {node.uuid} had died before: crash. Its console:" in caplog.text
    assert f"Linux version 6.1 of np{node.uuid}" in caplog.text


def test_leak_sweep(provider, dom0):
    node = node_of(provider)
    create(provider, node)
    [resource] = provider.endpoint.listResources([provider])
    assert (resource.type, resource.metadata["zuul_node_uuid"]) == ("guest", node.uuid)
    [instance] = provider.endpoint.listInstances()
    assert instance.getQuotaInformation().quota == {"instances": 1, "cores": 1, "ram": 256}
    provider.endpoint.deleteResource(resource)
    assert dom0.left() == {}


def test_quota_is_nominal_and_survives_a_host_that_is_down(provider, ssh):
    assert provider.getEndpointLimits().quota == {}
    assert provider.getEndpointLimits().default == math.inf
    (ssh / "down").touch()
    assert provider.endpoint.refreshQuotaLimits(True) is False
    assert provider.getEndpointLimits().default == math.inf
    (ssh / "down").unlink()
    assert provider.endpoint.refreshQuotaLimits(True) is True
    wanted = {"instances": 2, "cores": 16, "ram": 4096}
    assert provider.getEndpointLimits().quota == wanted
    (ssh / "down").touch()
    provider.endpoint.refreshQuotaLimits(True)
    assert provider.getEndpointLimits().quota == wanted
    label = provider.labels["xen-debian-12"]
    assert provider.getQuotaForLabel(label).quota == {"instances": 1, "cores": 1, "ram": 256}


@pytest.fixture
def whole(dom0, monkeypatch):
    """The host as one that can be leased. It answers in this process, where the doubles restart it."""
    from tests.xen_guest.leased import Leased
    from xenci.zuul.xen.host import HostError, XenHost

    host = Leased(dom0, monkeypatch)

    def ask(self, operation, timeout=120, **fields):
        del self, timeout
        if host.restarting():
            host.boot()
            raise HostError("unreachable", "gave no answer")
        reply = host.ask(operation, **fields)
        if not reply["ok"]:
            raise HostError(reply["error"]["code"], reply["error"]["message"])
        return reply

    monkeypatch.setattr(XenHost, "ask", ask)
    for name in ("XenLeaseStateMachine", "XenReleaseStateMachine"):
        monkeypatch.setattr(f"xenci.zuul.xen.endpoint.{name}.PAUSE", 0.05)
    yield host
    os.close(host.handle)


def test_a_whole_host_is_leased_and_given_back(provider, whole, caplog):
    caplog.set_level(logging.INFO)
    assert provider.endpoint.refreshQuotaLimits(True) is True
    node = node_of(provider, label="xen-host")
    assert provider.getQuotaForLabel(provider.labels["xen-host"]).quota == {
        "instances": 1,
        "cores": 0,
        "ram": 0,
    }
    create(provider, node)
    assert (node.interface_ip, node.host_id) == ("xen1.example.org", "xen1.example.org")
    assert node.host_keys == [" ".join(KEY.split()[:2])]
    assert node.quota.quota == {"instances": 2, "cores": 16, "ram": 4096}
    assert node.node_properties["xen"]["xen"]["version"] == "4.17.5"
    assert node.getDriverData() == {"whole_host": True}
    [lease] = whole.ask("list")["leases"]
    assert lease["labels"] == {
        "zuul_system_id": "system-1",
        "zuul_node_uuid": node.uuid,
        "pipeline": "gate",
    }
    finish(provider.getDeleteStateMachine(node, LOG))
    assert "is not back yet" in caplog.text
    whole.prove_clean()


def test_a_lease_waits_for_guests_to_leave_and_zuul_counts_the_host_as_used(provider, whole):
    provider.endpoint.refreshQuotaLimits(True)
    guest = node_of(provider, uuid="1" * 32)
    create(provider, guest)
    node = node_of(provider, label="xen-host")
    machine = provider.getCreateStateMachine(node, None, LOG)
    deadline = time.monotonic() + 30
    while whole.ask("capacity")["leased"] != {"name": f"np{node.uuid}", "state": "emptying"}:
        machine.advance()
        assert time.monotonic() < deadline
    assert (node.quota.quota["instances"], machine.complete) == (2, False)
    # A launcher that takes over goes on.
    again = provider.getCreateStateMachine(
        node_of(provider, label="xen-host", create_state=machine.toDict()), None, LOG
    )
    finish(provider.getDeleteStateMachine(guest, LOG))
    finish(again)
    finish(machine)
    assert len(whole.ask("list")["leases"]) == 1


def test_a_lease_that_nobody_waits_for_any_more_is_taken_back(provider, whole):
    guest = node_of(provider, uuid="1" * 32)
    create(provider, guest)
    node = node_of(provider, label="xen-host")
    machine = provider.getCreateStateMachine(node, None, LOG)
    while not whole.ask("capacity")["leased"]:
        machine.advance()
    finish(provider.getDeleteStateMachine(node, LOG))
    assert whole.ask("capacity")["leased"] == {}


def test_a_host_that_can_not_be_leased_counts_against_the_provider(provider, dom0):
    from xenci.zuul.xen.host import HostError

    with pytest.raises(HostError, match="unsupported: this host can't be leased: it is not offered"):
        create(provider, node_of(provider, label="xen-host"))


def test_a_pipeline_that_is_not_named_gets_no_host(provider, whole):
    node = node_of(provider, label="xen-host", pipeline="check")
    with pytest.raises(ValueError, match="label xen-host serves the pipelines gate: check asked"):
        provider.getCreateStateMachine(node, None, LOG)
    assert whole.ask("capacity")["leased"] == {}


def test_leak_sweep_of_a_lease(provider, whole):
    node = node_of(provider, label="xen-host")
    create(provider, node)
    [resource] = provider.endpoint.listResources([provider])
    assert (resource.type, resource.metadata["zuul_node_uuid"]) == ("lease", node.uuid)
    [instance] = provider.endpoint.listInstances()
    assert instance.external_id == f"lease=np{node.uuid}"
    provider.endpoint.deleteResource(resource)
    whole.boot()
    whole.prove_clean()


def configured(provider, **changes):
    """The provider, with other values in its section."""
    from xenci.zuul.xen.provider import XenProvider

    section = {**SECTION, **changes}
    return XenProvider(provider.driver, None, provider.connection, "example", "xen1", section, "system-1")


@pytest.mark.parametrize("size", [{}, {"memory": 256, "whole-host": True}])
def test_a_flavor_has_a_size_or_is_the_host(provider, size):
    flavors = [{**SECTION["flavors"][1], "whole-host": False, **size}, SECTION["flavors"][0]]
    with pytest.raises(ValueError, match="flavor whole: give its memory, or `whole-host: true`"):
        configured(provider, flavors=flavors)


def test_ssh_never_takes_an_unknown_key(provider, ssh):
    provider.endpoint.host.ask("list")
    asked = (ssh / "asked").read_text()
    for option in (
        "StrictHostKeyChecking=yes",
        "UserKnownHostsFile=/etc/zuul/xen/known",
        "GlobalKnownHostsFile=/dev/null",
        "IdentityFile=/etc/zuul/xen/key",
        "BatchMode=yes",
    ):
        assert f"-o {option} " in asked
    assert asked.endswith("-- xen1.example.org xenci-guest\n")


def test_keys_are_never_scanned(provider):
    assert provider.labels["xen-debian-12"].host_key_checking is False


def test_image_of_zuuls_own_is_refused(provider):
    images = [{**SECTION["images"][0], "type": "zuul"}, SECTION["images"][1]]
    with pytest.raises(ValueError, match="debian-12 has type zuul: with driver xen it must be cloud"):
        configured(provider, images=images)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": [{**SECTION["labels"][0], "guest-type": "xen"}]}, "guest-type"),
        ({"flavors": [{**SECTION["flavors"][0], "memory": "much"}]}, "memory"),
        ({"host": None}, "host"),
        ({"hots": "xen1"}, "hots"),
    ],
)
def test_mistakes_in_the_configuration(provider, change, said):
    import voluptuous

    section = {**SECTION, **change}
    with pytest.raises(voluptuous.Invalid, match=said):
        provider.driver.getProviderSchema(internal=True)(section)


def test_nothing_abstract_is_left_and_every_call_of_the_launcher_is_there(provider):
    """What the launcher calls on a provider and an endpoint (Zuul 14.3), with as many arguments."""
    import inspect

    from zuul.provider import BaseProvider, BaseProviderEndpoint

    for ours, base in ((type(provider), BaseProvider), (type(provider.endpoint), BaseProviderEndpoint)):
        for name, call in vars(ours).items():
            stock = getattr(base, name, None)
            if (
                inspect.isfunction(call)
                and inspect.isfunction(stock)
                and name not in ("__init__", "parseImage")
            ):
                # Zuul's drivers take a connection in parse*, which its base class does not say.
                if name.startswith("parse"):
                    continue
                assert len(inspect.signature(call).parameters) == len(inspect.signature(stock).parameters), (
                    name
                )
