"""What is compared with: a second tenant of the lab's Zuul, configured as Zuul's own documentation does it.

Its config-project is `bench/plain/`; the project that it tests is a copy of the demo's. So both tenants have
the same services, nodes, tests and changes; what differs is pipelines, jobs and playbooks.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from xenci.apply.screen import Screen
from xenci.demo import commands, seed
from xenci.demo.lab import Lab
from xenci.demo.site import Site
from xenci.files import write

TENANT = "plain"
CONFIG, TESTED = "plain-config", "plain-tests"
SCHEDULERS = "playbooks/configure_zuul_scheduler.yml"


@contextlib.contextmanager
def tenant(site: Site, screen: Screen) -> Iterator[Site]:
    """While inside, Zuul has the second tenant: the site as that tenant's user sees it.

    :raises xenci.demo.commands.StuckError: when it could not be made, or not be taken back.
    """
    lab = site.lab
    stage(site)
    commands.play(lab, screen, "bench/plain_zuul.yml", "plain Zuul's projects")
    seed.follow(commands.desk(site, "admin"), (CONFIG, TESTED))
    try:
        source = {"config-projects": [CONFIG], "untrusted-projects": [TESTED]}
        tell(lab, [{"tenant": {"name": TENANT, "source": {"gerrit": source}}}])
        commands.play(lab, screen, SCHEDULERS, "plain Zuul's tenant")
        yield dataclasses.replace(site, tenant_name=TENANT)
    finally:
        take_back(lab, screen)


def settings(lab: Lab) -> Path:
    """The file in the lab's inventory that adds the tenant."""
    return lab.inventory / "group_vars" / "all" / "plain_zuul.yml"


def take_back(lab: Lab, screen: Screen) -> None:
    """Remove the tenant from inventory and Zuul, where this or a killed run has added it."""
    if settings(lab).exists():
        # The file goes last: what is cut short in here is done by the next run.
        tell(lab, [])
        commands.play(lab, screen, SCHEDULERS, "plain Zuul's tenant taken back")
        settings(lab).unlink()


def tell(lab: Lab, tenants: list[dict[str, Any]]) -> None:
    """Write into the lab's inventory which tenants Zuul has beside the site's own."""
    write(settings(lab), yaml.safe_dump({"site_zuul_further_tenants": tenants}, explicit_start=True))


def stage(site: Site) -> None:
    """Put the content of both projects together in `.lab/<lab>/seeds`."""
    root, seeds = site.lab.root, site.lab.seeds
    for project, content in (
        (CONFIG, root / "bench/plain"),
        (TESTED, root / "demo/projects/hypervisor-tools"),
    ):
        shutil.rmtree(seeds / project, ignore_errors=True)
        shutil.copytree(content, seeds / project)
        (seeds / project / ".gitreview").write_text(seed.gitreview(site, project), encoding="utf-8")
    for path in (seeds / CONFIG).rglob("*.y*ml"):
        text = path.read_text(encoding="utf-8")
        for host, address in site.addresses.items():
            text = text.replace(f"@{host}@", address)
        path.write_text(text, encoding="utf-8")
