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
    ],
)
def test_labels_that_can_not_be(tmp_path, labels, hosts, says):
    done = render(tmp_path, hosts, site_xen_labels=labels)
    assert done.returncode == 1
    assert says in " ".join(done.stderr.split())
    assert not (tmp_path / "infra/zuul.d/nodes.yaml").exists()
