"""Jobs and projects by name: those of the inventory against what checkouts of infra and the like define.

Zuul's format: https://zuul-ci.org/docs/zuul/latest/project-config.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from xenci.check.inventory import Inventory
from xenci.check.mistake import Mistake, Place, meant
from xenci.check.origins import place

OWN = "noop"
"""The job that Zuul has by itself."""


@dataclasses.dataclass
class Jobs:
    """What some checkouts define: names of jobs, and the projects that they require.

    `mistakes`: files that are no YAML, playbooks and secrets that are not there.
    """

    names: set[str] = dataclasses.field(default_factory=lambda: {OWN})
    required: list[tuple[str, str, Place]] = dataclasses.field(default_factory=list)
    mistakes: list[Mistake] = dataclasses.field(default_factory=list)
    unreadable: bool = False


class Lines(yaml.SafeLoader):
    """A reader that notes each mapping's line under `__line__`, and takes Zuul's secrets for nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping, with its line."""
        return {**super().construct_mapping(node, deep=deep), "__line__": node.start_mark.line + 1}


Lines.add_multi_constructor("!", lambda *_: None)


def near(sources: Sequence[Path]) -> list[Path]:
    """The repository that an inventory lies in, where it holds configuration of Zuul's."""
    found = []
    for source in sources:
        for directory in source.resolve().parents:
            if (directory / "zuul.d").is_dir():
                found.append(directory)
            if (directory / ".git").exists() or directory in found:
                break
    return list(dict.fromkeys(found))


def check(inventory: Inventory, checkouts: Sequence[Path]) -> Iterator[Mistake]:
    """What `site_projects` runs, and what jobs require; nothing is said where no checkout is known."""
    if not checkouts:
        return
    jobs = read(checkouts)
    yield from jobs.mistakes
    where = ", ".join(map(str, checkouts))
    if not jobs.unreadable:
        for name, line in run(inventory):
            if name not in jobs.names:
                fix = meant(name, jobs.names)
                yield Mistake(
                    line,
                    "site_projects",
                    f"site_projects runs {name}, which is no job of {where}",
                    f"did you mean {fix}?" if fix else "define it, or name its checkout with --infra",
                    name,
                )
    known = read_by_zuul(inventory)
    for job, project, line in jobs.required if known else ():
        if not any(project == one or project.endswith(f"/{one}") for one in known):
            fix = meant(project, known)
            yield Mistake(
                line,
                "",
                f"the job {job} requires {project}, which Zuul does not read",
                f"did you mean {fix}?" if fix else "add it to site_untrusted_projects or the like",
                project,
            )


def run(inventory: Inventory) -> Iterator[tuple[str, Place]]:
    """Names of the jobs that the inventory runs, with their lines."""
    for one in inventory.defined("site_projects"):
        for project in one.value if isinstance(one.value, list) else ():
            pipelines = project.values() if isinstance(project, Mapping) else ()
            for job in (job for jobs in pipelines if isinstance(jobs, list) for job in jobs):
                name = job.get("name") if isinstance(job, Mapping) else job
                if isinstance(name, str) and "{{" not in name:
                    yield name, place(name) or one.place


def read_by_zuul(inventory: Inventory) -> set[str]:
    """Names of the projects in the tenant; empty where the inventory does not say them plainly."""
    found = set()
    for kind in ("config", "untrusted", "upstream"):
        for one in inventory.defined(f"site_{kind}_projects"):
            if not isinstance(one.value, list):
                return set()
            found |= {name for name in one.value if isinstance(name, str)}
    return set() if any("{{" in name for name in found) else found


def read(checkouts: Sequence[Path]) -> Jobs:
    """The jobs of all checkouts, from the files that Zuul reads."""
    jobs = Jobs()
    for checkout in checkouts:
        secrets: set[str] = set()
        used: list[tuple[str, str, Place]] = []
        for path in files(checkout):
            try:
                with path.open(encoding="utf-8") as file:
                    content = yaml.load(file, Loader=Lines)  # noqa: S506  # it is a SafeLoader
            except (yaml.YAMLError, UnicodeDecodeError) as error:
                mark = getattr(error, "problem_mark", None)
                line = Place(str(path), mark.line + 1 if mark else 1)
                jobs.mistakes.append(Mistake(line, "", "is no YAML that Zuul can read", "correct it"))
                jobs.unreadable = True
                continue
            entries = (
                [entry for entry in content if isinstance(entry, Mapping)]
                if isinstance(content, list)
                else []
            )
            secrets |= {name for entry in entries if (name := named(entry.get("secret")))}
            for job in (entry["job"] for entry in entries if named(entry.get("job"))):
                jobs.names.add(job["name"])
                jobs.required += listed(job, "required-projects", "name", path)
                used += listed(job, "secrets", "secret", path)
                jobs.mistakes += missing(job, path, checkout)
        # A secret works in jobs of its own project alone.
        for job_name, secret, line in used:
            if secret not in secrets:
                what = f"the job {job_name} uses the secret {secret}, which is not there"
                near = meant(secret, secrets)
                fix = f"did you mean {near}?" if near else "make it with zuul-client encrypt"
                jobs.mistakes.append(Mistake(line, "", what, fix, secret))
    return jobs


def files(checkout: Path) -> Iterator[Path]:
    """The files of a checkout that Zuul reads."""
    found = [checkout / name for name in ("zuul.yaml", ".zuul.yaml")]
    for folder in ("zuul.d", ".zuul.d"):
        found += sorted((checkout / folder).rglob("*.yaml"))
    yield from filter(Path.is_file, found)


def named(stanza: object) -> str:
    """The name of a stanza; empty where it has none."""
    name = stanza.get("name") if isinstance(stanza, Mapping) else None
    return name if isinstance(name, str) else ""


def listed(job: Mapping[str, Any], key: str, inner: str, path: Path) -> Iterator[tuple[str, str, Place]]:
    """The job, each entry of one of its lists, and its line; an entry is a name, or has it under `inner`."""
    entries = job.get(key)
    for entry in entries if isinstance(entries, list) else [entries]:
        name = entry.get(inner) if isinstance(entry, Mapping) else entry
        if isinstance(name, str):
            yield job["name"], name, Place(str(path), job["__line__"])


def missing(job: Mapping[str, Any], path: Path, checkout: Path) -> Iterator[Mistake]:
    """Playbooks of a job that are not there: Zuul takes the change, and every later build fails."""
    for stage in ("pre-run", "run", "post-run", "cleanup-run"):
        listed = job.get(stage)
        for entry in listed if isinstance(listed, list) else [listed]:
            name = entry.get("name") if isinstance(entry, Mapping) else entry
            if isinstance(name, str) and not any(
                (checkout / f"{name}{suffix}").is_file() for suffix in ("", ".yaml", ".yml")
            ):
                there = [str(one.relative_to(checkout)) for one in checkout.glob("playbooks/**/*.yml")]
                near = meant(name, there)
                yield Mistake(
                    Place(str(path), job["__line__"]),
                    "",
                    f"the job {job['name']} runs {name}, which is not there",
                    f"did you mean {near}?" if near else "make the playbook, or correct the path",
                    name,
                )
