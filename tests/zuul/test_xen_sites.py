"""What `xenci render` makes of Xen hosts and labels, as Zuul and our driver read it."""

import json

import pytest

from tests.zuul import layout

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKLF33Kbg"


def host(address: str, **more) -> dict:
    """A Xen host of an inventory."""
    capacity = {"xen_host_guest_memory": 2048, "xen_host_guest_vcpus": 4, "xen_host_guest_storage": 20480}
    return {"ansible_host": address, "site_host_key": KEY, **capacity, **more}


HOSTS = {
    "xen1": host("192.0.2.1", xen_host_guest_types=["pv"]),
    "xen2": host("192.0.2.2", xen_host_guest_memory=16384),
}
LABELS = [
    {"name": "xen-debian-12", "image": "debian-12", "memory_mib": 512, "type": "pv", "ready": 1},
    {
        "name": "xen-debian-13",
        "image": "debian-13",
        "memory_mib": 4096,
        "vcpus": 2,
        "disk_mib": 8192,
        "hosts": ["xen2"],
        "boot_timeout": 60,
    },
]
WHOLE = {"name": "xen-host", "host": True}
IMAGES = [{"name": "debian-12", "suite": "bookworm"}, {"name": "debian-13", "suite": "trixie"}]


def render(directory, hosts=None, **variables):
    """Render the demo with Xen hosts."""
    inventory = directory / "xen"
    inventory.mkdir(parents=True)
    there = {"xen_host": {"hosts": HOSTS if hosts is None else hosts}}
    (inventory / "hosts.yml").write_text(json.dumps({"all": {"children": there}}))
    given = {"site_xen_labels": LABELS, "site_xen_images": IMAGES, **variables}
    return layout.render(directory, "-i", inventory, **given)


@pytest.fixture(scope="module")
def xen(tmp_path_factory):
    """The demo with two Xen hosts."""
    directory = tmp_path_factory.mktemp("xen")
    done = render(directory)
    assert done.returncode == 0, done.stdout + done.stderr
    return layout.Site(directory / "infra")


def test_zuul_finds_nothing_wrong(xen):
    assert xen.errors == []


def providers(site) -> dict:
    """Zuul's providers of our driver."""
    found = {provider.name: provider for provider in site.layout.providers.values()}
    return {name: one for name, one in found.items() if one.driver.name == "xen"}


def test_each_host_is_a_provider_with_what_it_can_serve(xen):
    made = providers(xen)
    assert {name: provider.host for name, provider in made.items()} == {
        "xen1": "192.0.2.1",
        "xen2": "192.0.2.2",
    }
    assert set(made["xen1"].labels) == {"xen-debian-12"}
    assert set(made["xen2"].labels) == {"xen-debian-12", "xen-debian-13"}
    assert set(made["xen1"].images) == {"debian-12"}
    assert made["xen1"].launch_attempts == 2


def test_labels_and_flavors_say_what_the_inventory_says(xen):
    provider = providers(xen)["xen2"]
    small, large = provider.labels["xen-debian-12"], provider.labels["xen-debian-13"]
    assert (small.guest_type, small.boot_timeout, small.min_ready) == ("pv", 300, 1)
    assert (large.guest_type, large.boot_timeout, large.min_ready) == ("pvh", 60, None)
    size = provider.flavors[large.flavor]
    assert (size.memory, size.vcpus, size.disk) == (4096, 2, 8192)
    image = provider.images[small.image]
    assert (image.username, image.python_path, image.type) == ("zuul", "/usr/bin/python3", "cloud")


def test_a_nodeset_stands_for_each_label(xen):
    for name in ("debian-12", "xen-debian-12", "xen-debian-13"):
        [node] = xen.layout.nodesets[name].getNodes()
        assert (node.name, node.label) == (["node"], name)


def labels_of(site, files: list[str]) -> dict[str, list[str]]:
    """Jobs for a change, and the labels that they ask for."""
    with site.item("check", "hypervisor-tools", files) as item:
        jobs = item.current_build_set.job_graph.getJobs()
        return {job.name: [node.label for node in job.nodeset.getNodes()] for job in jobs}


def test_the_demo_tests_drivers_of_xen_on_a_guest(xen):
    assert labels_of(xen, ["drivers/xen/__init__.py"])["xen-guest-tests"] == ["xen-debian-12"]
    assert set(labels_of(xen, ["drivers/kvm/__init__.py"])) == set()


@pytest.fixture(scope="module")
def leasable(tmp_path_factory):
    """The same, and one of the hosts can be leased."""
    directory = tmp_path_factory.mktemp("lease")
    hosts = {**HOSTS, "xen2": {**HOSTS["xen2"], "xen_host_lease": True}}
    ready = {**LABELS[0], "hosts": ["xen1"]}
    done = render(directory, hosts, site_xen_labels=[ready, LABELS[1], WHOLE])
    assert done.returncode == 0, done.stdout + done.stderr
    return layout.Site(directory / "infra")


def test_a_label_of_a_whole_host(leasable):
    assert leasable.errors == []
    made = providers(leasable)
    assert "xen-host" not in made["xen1"].labels
    label = made["xen2"].labels["xen-host"]
    flavor = made["xen2"].flavors[label.flavor]
    assert (flavor.whole_host, flavor.memory, flavor.pipelines) == (True, None, ["gate"])
    assert (label.min_ready, label.max_ready_age) == (None, 1)
    assert made["xen2"].images[label.image].username == "zuul"
    [node] = leasable.layout.nodesets["xen-host"].getNodes()
    assert node.label == "xen-host"


def job_on_a_host(pipeline: str) -> list[dict]:
    """The demo's projects, with a job on a whole host."""
    jobs = {"check": [{"name": "noop"}], pipeline: [{"name": "xen-boot-test", "nodeset": "xen-host"}]}
    others = ("xenci", "sandbox", "hypervisor-tools")
    return [
        {"name": "infra", **jobs},
        *({"name": name, "check": [{"name": "noop"}]} for name in others),
    ]


@pytest.mark.parametrize(
    ("pipeline", "label", "fine"),
    [
        ("gate", WHOLE, True),
        ("check", WHOLE, False),
        ("check", {**WHOLE, "pipelines": ["gate", "own_check"]}, True),
    ],
)
def test_only_what_was_reviewed_leases_a_host(tmp_path, pipeline, label, fine):
    hosts = {"xen2": {**HOSTS["xen2"], "xen_host_lease": True}}
    done = render(tmp_path, hosts, site_xen_labels=[label], site_projects=job_on_a_host(pipeline))
    said = " ".join(done.stderr.split())
    assert (done.returncode == 0) == fine, said
    assert ("runs xen-boot-test on xen-host in own_check of infra: the label's pipelines" in said) != fine


def test_without_xen_hosts_there_is_none_of_it(site):
    text = site("vote").files
    assert "xen" not in text["nodes.yaml"]
    assert "xen-guest-tests" not in text["projects.yaml"]


@pytest.mark.parametrize(
    ("labels", "hosts", "says"),
    [
        (
            [{**LABELS[0], "type": "hvm"}],
            {"xen1": HOSTS["xen1"]},
            "has xen-debian-12, which no Xen host can serve: it is of type hvm and needs 512 MiB and 1 CPUs",
        ),
        ([{**LABELS[0], "memory_mib": 4096}], {"xen1": HOSTS["xen1"]}, "needs 4096 MiB"),
        ([{**LABELS[0], "vcpus": 8}], None, "and 8 CPUs"),
        ([{**LABELS[0], "hosts": ["xen9"]}], None, "names the hosts xen9: they are none of xen1, xen2"),
        ([{**LABELS[0], "name": "debian-12"}], None, "not 'debian-12', which is that of the static nodes"),
        ([LABELS[0], LABELS[0]], None, "give each label a name of its own"),
        ([{**LABELS[0], "name": "a b"}], None, "has the name 'a b'"),
        (LABELS[:1], {}, "which no Xen host can serve"),
        ([WHOLE], None, "which no Xen host can serve: a whole host is leased where xen_host_lease is true"),
        (
            [LABELS[0], WHOLE],
            {"xen2": {**HOSTS["xen2"], "xen_host_lease": True}},
            "has xen-debian-12 with guests that are ready on xen2: they wait there",
        ),
        ([{**WHOLE, "ready": 1}], None, "has xen-host, a whole host: leave out ready"),
        ([{**LABELS[0], "pipelines": ["gate"]}], None, "has xen-debian-12, a guest: leave out pipelines"),
        ([{"name": "bare", "image": "debian-12"}], None, "has bare, a guest: give memory_mib"),
    ],
)
def test_labels_that_can_not_be(tmp_path, labels, hosts, says):
    done = render(tmp_path, hosts, site_xen_labels=labels)
    assert done.returncode == 1
    assert says in " ".join(done.stderr.split())
    assert not (tmp_path / "infra/zuul.d/nodes.yaml").exists()
