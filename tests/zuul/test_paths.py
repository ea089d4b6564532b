"""Which jobs run for which paths: the demo's inventory, rendered, and Zuul's own matchers."""

import pytest

TESTS, DOCS = {"hypervisor-tools-tests"}, {"hypervisor-tools-docs"}
NONE, ALL = set(), TESTS | DOCS

UPSTREAM = [
    # Xen: the jobs that test Xen.
    (["drivers/xen/__init__.py"], TESTS),
    (["drivers/xen/domain.py"], TESTS),
    (["drivers/xen/toolstack/xl.py"], TESTS),
    (["drivers/xen/README.md"], TESTS),
    (["drivers/xen/kvm.py"], TESTS),
    (["tests/test_xen.py"], TESTS),
    (["tests/data/web.cfg"], TESTS),
    (["tests/test_guests.py"], TESTS),
    (["drivers/xen/__init__.py", "tests/test_xen.py"], TESTS),
    (["drivers/xen/__init__.py", "tests/test_xen.py", "tests/data/web.cfg"], TESTS),
    # KVM: none of ours.
    (["drivers/kvm/__init__.py"], NONE),
    (["drivers/kvm/domain.py"], NONE),
    (["drivers/kvm/xen/compat.py"], NONE),
    (["drivers/kvm/README.md"], NONE),
    (["tests/test_kvm.py"], NONE),
    (["tests/data/db.xml"], NONE),
    (["tests/data/more/db.xml"], NONE),
    (["drivers/kvm/__init__.py", "tests/test_kvm.py", "tests/data/db.xml"], NONE),
    # Documentation: the job that tests it.
    (["docs/xen.md"], DOCS),
    (["docs/kvm.md"], DOCS),
    (["docs/drivers/xen/index.md"], DOCS),
    (["docs/images/flow.svg"], DOCS),
    (["README.md"], DOCS),
    (["README.md", "docs/xen.md", "docs/kvm.md"], DOCS),
    # Common code: all.
    (["drivers/__init__.py"], ALL),
    (["drivers/guest.py"], ALL),
    (["drivers/xenial.py"], ALL),
    (["drivers/kvm.py"], ALL),
    (["bin/hv-guests"], ALL),
    (["Makefile"], ALL),
    (["tests/run.py"], ALL),
    (["tests/docs.py"], ALL),
    ([".gitignore"], ALL),
    (["README.md.in"], ALL),
    (["setup/docs/x.md"], ALL),
    (["lib/drivers/xen/x.py"], ALL),
    # Several of them: what each needs, and no more.
    (["drivers/xen/__init__.py", "docs/xen.md"], ALL),
    (["drivers/xen/__init__.py", "README.md"], ALL),
    (["drivers/kvm/__init__.py", "docs/kvm.md"], DOCS),
    (["drivers/kvm/__init__.py", "README.md"], DOCS),
    (["drivers/kvm/__init__.py", "drivers/xen/__init__.py"], TESTS),
    (["tests/test_kvm.py", "tests/test_xen.py"], TESTS),
    (["tests/data/db.xml", "tests/data/web.cfg"], TESTS),
    (["drivers/kvm/__init__.py", "drivers/guest.py"], ALL),
    (["drivers/xen/__init__.py", "drivers/guest.py"], ALL),
    (["docs/xen.md", "drivers/guest.py"], ALL),
    (["docs/kvm.md", "tests/test_xen.py"], ALL),
    # The commit message is no file; a change without files (a merge) may be anything.
    (["/COMMIT_MSG", "drivers/kvm/__init__.py"], NONE),
    (["/COMMIT_MSG", "docs/xen.md"], DOCS),
    (["/COMMIT_MSG"], ALL),
    ([], ALL),
]


@pytest.mark.parametrize(("files", "jobs"), UPSTREAM, ids=lambda value: "+".join(sorted(value)) or "none")
def test_upstream(site, files, jobs):
    assert site("vote").jobs("check", "hypervisor-tools", files) == jobs


def test_the_table_is_long_enough():
    assert len(UPSTREAM) >= 40


@pytest.mark.parametrize(
    ("pipeline", "project", "jobs"),
    [
        ("sandbox", "sandbox", {"project-tests"}),
        ("gate", "sandbox", {"project-tests"}),
        ("own_check", "infra", {"infra-lint"}),
        ("gate", "xenci", {"noop"}),
        ("own_check", "sandbox", None),
        ("gate", "hypervisor-tools", None),
        ("sandbox", "hypervisor-tools", None),
    ],
)
def test_our_own(site, pipeline, project, jobs):
    assert site("vote").jobs(pipeline, project, ["README.md"]) == jobs
