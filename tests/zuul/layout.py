"""Zuul's own reading of what `xenci render` writes: from an inventory to a layout and reports, no service up.

The one file of the tests that leans on Zuul's inside for it (14.3): `ConnectionRegistry`, `TenantParser`,
`QueueItem.freezeJobGraph`, as zuul-web calls it for its page of frozen jobs, and the managers' `_reportItem`.
"""

import configparser
import contextlib
import json
import shutil
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
import yaml
from zuul.configloader import ParseContext, TenantParser
from zuul.driver.gerrit.gerritmodel import GerritChange, GerritTriggerEvent
from zuul.lib.connections import ConnectionRegistry
from zuul.lib.tracing import Tracing
from zuul.model import (
    Build,
    ChangeQueue,
    Layout,
    ParsedConfig,
    QueueItem,
    SourceContext,
    Tenant,
    TenantProjectConfig,
)
from zuul.model_api import MODEL_API
from zuul.zk.components import COMPONENT_REGISTRY
from zuul.zk.zkobject import LocalZKContext

from xenci.zuul import drivers, registration

ROOT = Path(__file__).parents[2]
XENCI = ROOT / ".venv/bin/xenci"
HOST = "review.demo.test"
# The demo's own: trusted, untrusted, and upstream's, of which nothing is loaded.
PROJECTS = {"infra": True, "xenci": False, "sandbox": False, "hypervisor-tools": False}
CLASSES = set(TenantParser.all_classes)
# Every process of Zuul does so at its start; queue items ask for it.
Tracing(configparser.ConfigParser())
# What the other processes understand: as much as this one.
COMPONENT_REGISTRY.registry = SimpleNamespace(model_api=MODEL_API)


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKLF33Kbg"
NO_BASTION = {"disabled": {"hosts": {"bastion1": {}}}}


def render(
    directory: Path, *options: str | Path, groups: dict | None = None, **variables
) -> subprocess.CompletedProcess:
    """Put `infra` below `directory` together: the skeleton, and what is rendered of the demo's inventory.

    `variables` outrank the inventory's; `groups` are added to it.
    """
    infra, inventory = directory / "infra", directory / "inventory"
    if not infra.exists():
        shutil.copytree(ROOT / "infra", infra)
        shutil.copytree(ROOT / "demo/infra", infra, dirs_exist_ok=True)
        # The demo's Zuul encrypts it.
        (infra / "zuul.d/secrets.yaml").write_text(
            "- secret: {name: bastion-key, data: {key: not-encrypted-here}}\n", encoding="utf-8"
        )
    for name, values in {
        "hosts": {"all": {"children": groups or {}}},
        "group_vars/all/test": variables,
        # Known only when hosts are up.
        "group_vars/lab/keys": {"site_host_key": KEY},
    }.items():
        path = inventory / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    command = [XENCI, "render", "-i", ROOT / "inventories/demo", "-i", inventory, *options, infra]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def connections() -> ConnectionRegistry:
    """The demo's connections with our drivers; nothing is connected to."""
    config = configparser.ConfigParser()
    config["connection gerrit"] = {"driver": "gerrit", "server": HOST, "user": "xen-ci", "password": "x"}
    config["connection static"] = {"driver": "static"}
    config["connection xen"] = {"driver": "xen"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ConnectionRegistry, "__init__", ConnectionRegistry.__init__)
        registration.register(drivers.DRIVERS)
        registry = ConnectionRegistry()
    registry.configure(config, sources=True, triggers=True, reporters=True, providers=True)
    return registry


class Site:
    """The tenant of a rendered `infra`, as a scheduler would load it."""

    def __init__(self, infra: Path) -> None:
        self.files = {path.name: path.read_text(encoding="utf-8") for path in infra.glob("zuul.d/*.yaml")}
        self.stanzas = [stanza for text in self.files.values() for stanza in yaml.safe_load(text)]
        self.connections = connections()
        self.gerrit = self.connections.connections["gerrit"]
        self.gerrit.getProjectDefaultBranch = lambda *_: "master"
        self.gerrit.sched = SimpleNamespace(config=None)
        self.tenant = Tenant("xenci")
        self.tenant.default_base_job, self.tenant.web_root = "base", "https://zuul.demo.test/t/xenci/"
        self.tenant.allowed_labels = self.tenant.disallowed_labels = None
        for name, trusted in PROJECTS.items():
            project = TenantProjectConfig(self.gerrit.source.getProject(name))
            project.trusted, project.branches = trusted, ["master"]
            project.load_classes = set() if name == "hypervisor-tools" else CLASSES
            self.tenant.addTPC(project)
        self.context = ParseContext(self.connections, None, SimpleNamespace(system_id="tests"), None)
        self.parser = TenantParser(self.connections, None, mock.MagicMock(), None, None, None, None, None)
        self.layout = self.tenant.layout = Layout(self.tenant, "tests")
        self._load(self.tenant.getTPC("infra"))

    def _load(self, infra: TenantProjectConfig) -> None:
        config = ParsedConfig()
        for name, text in self.files.items():
            where = SourceContext(infra.project.canonical_name, "infra", "gerrit", "master", f"zuul.d/{name}")
            with self.context.errorContext(source_context=where):
                loaded = self.parser.loadProjectYAML(text, where, self.context)
                self.parser.addProjectBranchConfig(
                    self.context, config, self.tenant, infra, loaded, trusted=True
                )
        self.parser._addLayoutItems(self.layout, self.tenant, config, self.context)

    @property
    def errors(self) -> list[str]:
        """What Zuul finds wrong, warnings (old settings, expressions that RE2 refuses) included."""
        return [str(error.error) for error in [*self.layout.loading_errors.errors, *self.context.error_list]]

    def pipeline(self, name: str):
        """A pipeline of the layout."""
        return self.layout.pipeline_managers[name].pipeline

    def change(self, project: str, files: list[str]) -> GerritChange:
        """An open change to some files."""
        change = GerritChange(None)
        change.project, change.branch, change.files = self.gerrit.source.getProject(project), "master", files
        change.number, change.patchset, change.ref = 1, "1", "refs/changes/01/1/1"
        change.cache_stat = SimpleNamespace(key=SimpleNamespace(reference=None))
        return change

    @contextlib.contextmanager
    def item(self, pipeline: str, project: str, files: list[str]):
        """A change in a pipeline's queue, with its jobs; whether the project is in the pipeline at all."""
        manager = self.layout.pipeline_managers[pipeline]
        with LocalZKContext(manager.log) as context:
            manager.current_context, manager.state = context, mock.MagicMock(disabled=False)
            queue = ChangeQueue.new(context, manager=manager)
            item = QueueItem.new(context, queue=queue, changes=[self.change(project, files)])
            item.freezeJobGraph(
                self.layout, context, set(), skip_file_matcher=False, redact_secrets_and_keys=False
            )
            yield item

    def jobs(self, pipeline: str, project: str, files: list[str]) -> set[str] | None:
        """The jobs that Zuul would run for a change; None where the project is not in the pipeline."""
        with self.item(pipeline, project, files) as item:
            if self.layout.getProjectPipelineConfig(item, item.changes[0]) is None:
                return None
            return {job.name for job in item.current_build_set.job_graph.getJobs()}

    def said(self, pipeline: str, project: str, outcome) -> list[SimpleNamespace]:
        """What Gerrit is told (text, labels, submit) of a change to README.md, after `outcome(item)`."""
        told = []

        def review(_item, _change, text, submit, labels, *_, **__):
            told.append(SimpleNamespace(text=text, labels=labels, submit=submit))

        with self.item(pipeline, project, ["README.md"]) as item, pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.gerrit, "review", review)
            outcome(item)
            item.manager._reportItem(item, True, True)
        return told


def ended(result: str):
    """The outcome that every job ends with a result after 65 s."""

    def outcome(item: QueueItem) -> None:
        for job in item.getJobs():
            now = time.time()
            build = Build.new(
                item.manager.current_context,
                job=job,
                build_set=item.current_build_set,
                start_time=now - 65,
                end_time=now,
                result=result,
            )
            item.addBuild(build)
            item.setResult(build)

    return outcome


def comment(text: str, *, inline: bool = False, **approvals: tuple[int, int]) -> GerritTriggerEvent:
    """Somebody's comment as Gerrit's event tells it, with votes as label=(new, old).

    `inline`: as today's web interface sends it, in a comment on the patch set.
    """
    head = "Patch Set 1:\n\n(1 comment)"
    data = {
        "type": "comment-added",
        "change": {"project": "hypervisor-tools", "branch": "master", "number": 1},
        "patchSet": {"number": 1, "ref": "refs/changes/01/1/1"},
        "author": {"username": "alice"},
        "comment": head if inline else text,
        "approvals": [
            {"type": name, "description": name.replace("_", "-"), "value": str(new), "oldValue": str(old)}
            for name, (new, old) in approvals.items()
        ],
    }
    if inline:
        data["patchSetComments"] = {"/PATCHSET_LEVEL": [{"message": text}]}
    connection = SimpleNamespace(connection_name="gerrit", canonical_hostname=HOST)
    return GerritTriggerEvent.fromGerritEventDict(data, 0.0, connection, None)
