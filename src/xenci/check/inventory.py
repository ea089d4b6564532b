"""An inventory as Ansible reads it, with the file and line of each definition.

What can't be read is noted and taken as empty, so that one run reports all of it and the rest besides.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import EncryptedString, VaultSecretsContext, get_file_vault_secret
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar
from ansible.utils.display import Display
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from xenci.check import undecided
from xenci.check.mistake import Mistake, Place, shown
from xenci.check.origins import place

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
VARS_FILE = re.compile(r"/(group|host)_vars/")
# The rest of a role is no concern of its inputs, and would take half of the time; `specs.py` reads its specs.
OTHER_FILES = re.compile(
    r"/roles/\w+/(handlers/\w+|meta/argument_specs|tasks/(?!main\.yml|preflight\.yml)\w+)\.yml$"
)


@dataclasses.dataclass(frozen=True)
class Definition:
    """One line of the inventory that gives a variable a value, for the hosts of a group or for one host."""

    name: str
    value: Any
    place: Place
    owner: str
    hosts: frozenset[str]


@dataclasses.dataclass(frozen=True)
class Warned:
    """A warning of Ansible's; with the error's text, where one is behind it."""

    text: str
    place: Place | None
    failure: str = ""


class Loader(DataLoader):  # type: ignore[misc]  # Ansible has no types
    """Ansible's reader of files, which goes on after a file of the inventory that it can't read."""

    def __init__(self, mine: Callable[[str], bool]) -> None:
        super().__init__()
        self.failed: dict[str, AnsibleError] = {}
        self._mine = mine
        self._read: dict[tuple[str, bool], Any] = {}
        self.undecided: dict[Place, str] = {}
        """What is asked for at each place that is still to be decided."""

    def load_from_file(self, file_name: str, cache: str = "all", **options: Any) -> Any:
        """As Ansible's; without its copy of all that it reads, which takes longer than reading again."""
        options["unsafe"] = True  # no copy of what nobody keeps
        path = str(self.path_dwim(file_name))
        if OTHER_FILES.search(path):
            return []
        if not self._mine(path):
            return super().load_from_file(path, cache="none", **options)
        # Ansible reads a hosts file twice; the first time, for the name of a plugin, templates are mere text.
        read = (path, bool(options.get("trusted_as_template")))
        if read not in self._read:
            try:
                content = super().load_from_file(path, cache="none", **options)
                if VARS_FILE.search(path) and content is not None and not isinstance(content, Mapping):
                    raise AnsibleError("the file holds no variables")
                if endless(content):
                    raise AnsibleError("a value holds itself, through an alias to its own anchor")
            except AnsibleError as error:
                self.failed[path] = error
                content = {}
            for where, wanted in undecided.take(content or {}):
                self.undecided[where or Place(path)] = wanted
            self._read[read] = content
        return self._read[read]


class Inventory:
    """Hosts, groups, definitions, and the variables that a host has in a play."""

    def __init__(
        self,
        sources: Sequence[Path],
        root: Path,
        vault_password: Path | None,
        secret: Callable[[str], bool],
        facts: frozenset[str],
    ) -> None:
        """Read it.

        :param secret: says whether a variable's value must not be shown.
        :param facts: names that roles set while they run.
        """
        plugins()
        self.sources = [source.resolve() for source in sources]
        self.tops = list(
            dict.fromkeys(source if source.is_dir() else source.parent for source in self.sources)
        )
        self.unreadable: list[Mistake] = []
        self.odd: list[Mistake] = []
        """What Ansible itself warns of, such as a key that is there twice."""
        self.secret = secret
        self.facts = facts
        self._of_host: dict[str, dict[str, Any]] = {}
        self.loader = Loader(self.mine)
        self.loader.set_basedir(str(root / "playbooks"))
        if VaultSecretsContext.current(optional=True) is None:
            VaultSecretsContext.initialize(VaultSecretsContext([]))
        if vault_password:
            self._vault(vault_password)
        with warnings() as warned:
            self.manager = InventoryManager(self.loader, [str(source) for source in self.sources])
            self.variables = VariableManager(self.loader, self.manager)
            HostVars(self.manager, self.variables, self.loader)
            self.hosts: list[str] = sorted(map(str, self.manager.hosts))
            self.definitions = [*self._in_hosts_files(), *self._in_vars_files()]
        self._note_warnings(warned)
        self._note_unreadable()
        self.undecided = list(self._undecided())

    def mine(self, path: str) -> bool:
        """Whether a file belongs to the inventory."""
        return any(path.startswith(f"{top}/") for top in self.tops)

    def top(self) -> Place:
        """Where to point when no line is to blame: the first file of the inventory."""
        for source in self.sources:
            files = (
                [source] if source.is_file() else sorted(one for one in source.glob("*.yml") if one.is_file())
            )
            if files:
                return Place(str(files[0]))
        return Place(str(self.sources[0]))

    def group_place(self, group: str) -> Place:
        """Where the inventory names a group."""
        found = self.manager.groups.get(group)
        return (place(found.name) if found else None) or self.top()

    def in_play(self, play: Any, host: Any, task: Any) -> dict[str, Any]:
        """Variables of a host in a role, as Ansible ranks them; without facts, which only a host knows."""
        with warnings():
            found: dict[str, Any] = self.variables.get_vars(play=play, host=host, task=task)
        found.pop("ansible_facts", None)
        return found

    def of_host(self, name: str) -> dict[str, Any]:
        """Variables of a host outside of plays."""
        if name not in self._of_host:
            self._of_host[name] = self.in_play(None, self.manager.hosts.get(name), None)
        return self._of_host[name]

    def value(self, name: str, host: str, default: str = "") -> str:
        """A variable of a host as text; empty where it can't be worked out, which who reads it says."""
        variables = self.of_host(host)
        try:
            return str(self.templar(variables).template(variables.get(name, default)))
        except AnsibleError:
            return ""

    def address(self, host: str) -> str:
        """What Ansible connects to."""
        return self.value("ansible_host", host, host)

    def templar(self, variables: Mapping[str, Any]) -> Templar:
        """Ansible's templates over some variables."""
        return Templar(self.loader, variables)

    def defined(self, name: str, host: str = "") -> list[Definition]:
        """Definitions of a variable, of those that reach a host if there are any; general ones first."""
        found = self._by_name.get(name, [])
        return [one for one in found if not host or not one.hosts or host in one.hosts] or found

    @functools.cached_property
    def _by_name(self) -> dict[str, list[Definition]]:
        names: dict[str, list[Definition]] = {}
        for definition in self.definitions:
            names.setdefault(definition.name, []).append(definition)
        return names

    def definition_at(self, where: Place) -> Definition | None:
        """The definition that a line of the inventory belongs to."""
        before = [one for one in self.definitions if one.place.path == where.path and one.place <= where]
        return max(before, key=lambda one: one.place, default=None)

    def blame(self, name: str, variables: Mapping[str, Any], host: str = "") -> Place | None:
        """The line of the inventory that a value goes back to, through templates in playbooks and roles."""
        seen: set[str] = set()
        queue = [name]
        while queue:
            name = queue.pop(0)
            if name in seen:
                continue
            seen.add(name)
            if found := self.defined(name, host):
                at = place(variables.get(name))
                return next((one.place for one in found if at and place(one.value) == at), found[-1].place)
            text = str(variables.get(name, ""))
            for group in re.findall(r"groups\[['\"](\w+)['\"]\]", text):
                if (where := self.group_place(group)) != self.top():
                    return where
            queue += [
                word
                for word in NAME.findall(text)
                if word in variables and word not in ("hostvars", "groups")
            ]
        return None

    def spoken_of(self, name: str, variables: Mapping[str, Any]) -> list[str]:
        """Hosts of the groups that a template speaks of, itself or through others."""
        groups: set[str] = set()
        seen: set[str] = set()
        queue = [name]
        while queue:
            if (name := queue.pop()) in seen or name in ("hostvars", "groups", "group_names"):
                continue
            seen.add(name)
            text = str(variables.get(name, ""))
            words = NAME.findall(text)
            groups |= set(words) & set(map(str, self.manager.groups)) if "hostvars" in text else set()
            queue += [word for word in words if word in variables]
        hosts = (self.manager.groups[group].get_hosts() for group in groups)
        return sorted({str(host.name) for each in hosts for host in each})

    def host_place(self, host: str) -> Place:
        """Where the inventory says something of a host itself, else where it first names it."""
        own = [one.place for one in self.definitions if one.owner == host]
        listed = [each for each in own if not VARS_FILE.search(each.path)]
        return min(listed or own, default=None) or place(self.manager.hosts[host].name) or self.top()

    def lacking(self, host: str, variable: str) -> Mistake:
        """A host without a variable that others need of it."""
        what = f"{host} has no {variable}"
        if variable == "ansible_host":
            fix = "give the host's IP address, as the other hosts see it: their firewalls name it"
        else:
            fix = "give it to the host, other hosts' services need it"
        return Mistake(self.host_place(host), variable, what, fix, hosts=(host,))

    def mistake(self, where: Place, what: str, fix: str, variable: str = "", host: str = "") -> Mistake:
        """A mistake at a line, with the variable that it defines and its value, unless that is secret."""
        definition = self.definition_at(where)
        name = definition.name if definition else variable
        value = "" if definition is None or self.hidden(name, definition.value) else shown(definition.value)
        return Mistake(where, name, what, fix, value, (host,) if host else ())

    def hidden(self, name: str, value: object) -> bool:
        """Whether a value must not be shown: it is a secret, made of one, or comes out of a vault."""
        where = place(value)
        vaulted = isinstance(value, EncryptedString) or (where is not None and encrypted(where.path))
        return vaulted or self.secret(name) or "vault_" in str(value)

    def _vault(self, password: Path) -> None:
        try:
            secret = get_file_vault_secret(str(password), loader=self.loader)
            secret.load()
        except AnsibleError as error:
            self.unreadable.append(
                Mistake(Place(str(password)), "", message(error), "name the file with the vault's password")
            )
            return
        secrets = [("default", secret)]
        self.loader.set_vault_secrets(secrets)
        VaultSecretsContext.current().secrets = secrets

    def _undecided(self) -> Iterator[Mistake]:
        for where, wanted in self.loader.undecided.items():
            definition = self.definition_at(where)
            name = definition.name if definition else "a value"
            yield Mistake(where, name, f"{name} is {undecided.HINT}", f"give {wanted}")

    def _note_unreadable(self) -> None:
        for path, error in sorted(self.loader.failed.items()):
            where = place(error.obj) or Place(path)
            vault = "vault" in type(error).__name__.lower() or "vault" in message(error).lower()
            fix = (
                "give its password with --vault-password-file"
                if vault
                else "make it YAML that Ansible can read"
            )
            self.unreadable.append(Mistake(where, "", message(error), fix))
        for source in self.sources:
            if not source.exists():
                self.unreadable.append(
                    Mistake(Place(str(source)), "", "no such inventory", "correct the path")
                )
        if not self.unreadable and not self.hosts:
            self.unreadable.append(Mistake(self.top(), "", "the inventory has no host", "add hosts to it"))

    def _note_warnings(self, warned: list[Warned]) -> None:
        tries: list[Warned] = []
        for one in warned:
            unparsed = re.match("Unable to parse (.+) as an inventory source", one.text)
            if one.failure:
                tries.append(one)
            elif unparsed:
                # Every plugin has tried, each with an error of its own.
                told = next((a_try for a_try in tries if "'yaml'" in a_try.text), None)
                if told and unparsed[1] not in self.loader.failed:
                    where = told.place or Place(unparsed[1])
                    fix = "write it as an inventory of Ansible's: groups with hosts, vars and children"
                    self.unreadable.append(Mistake(where, "", told.failure, fix))
                tries = []
            elif one.place and self.mine(one.place.path):
                self.odd.append(self.mistake(one.place, one.text.rstrip("."), "correct it"))

    def _in_hosts_files(self) -> Iterator[Definition]:
        owners = [*self.manager.groups.values(), *self.manager.hosts.values()]
        for owner in owners:
            for name, value in owner.vars.items():
                where = place(name)
                if where and self.mine(where.path) and not VARS_FILE.search(where.path):
                    yield Definition(str(name), value, where, str(owner.name), self._reach(str(owner.name)))

    def _in_vars_files(self) -> Iterator[Definition]:
        for top in self.tops:
            for kind in ("group_vars", "host_vars"):
                for owner in owners(top / kind):
                    for path in self.loader.find_vars_files(str(top / kind), owner):
                        yield from self._file(str(path.decode() if isinstance(path, bytes) else path), owner)

    def _file(self, path: str, owner: str) -> Iterator[Definition]:
        content = self.loader.load_from_file(path, trusted_as_template=True)
        for name, value in (content or {}).items():
            yield Definition(str(name), value, place(name) or Place(path), owner, self._reach(owner))

    def _reach(self, owner: str) -> frozenset[str]:
        if owner in self.manager.groups:
            return frozenset(str(host.name) for host in self.manager.groups[owner].get_hosts())
        return frozenset({owner} & set(map(str, self.manager.hosts)))


def endless(value: object, around: tuple[int, ...] = ()) -> bool:
    """Whether a value is part of itself, as an alias inside its own anchor makes it in YAML."""
    if not isinstance(value, (Mapping, list)):
        return False
    if id(value) in around:
        return True
    inner = value.values() if isinstance(value, Mapping) else value
    return any(endless(one, (*around, id(value))) for one in inner)


@functools.cache
def encrypted(path: str) -> bool:
    """Whether a file as a whole is encrypted."""
    with Path(path).open("rb") as file:
        return file.read(14) == b"$ANSIBLE_VAULT"


def owners(directory: Path) -> list[str]:
    """Groups or hosts that a directory of variables names, general ones first."""
    names = {
        one.name if one.is_dir() else one.stem for one in directory.glob("*") if not one.name.startswith(".")
    }
    return sorted(names, key=lambda name: (name != "all", name))


def message(error: BaseException) -> str:
    """An error of Ansible's in one line."""
    return " ".join(str(error).split()).rstrip(".")


@functools.cache
def plugins() -> None:
    """Make Ansible's plugins known, once in a process."""
    init_plugin_loader()


@contextlib.contextmanager
def warnings() -> Iterator[list[Warned]]:
    """Take Ansible's warnings, with their errors, in place of the terminal."""
    taken: list[Warned] = []
    display = Display()

    def warning(msg: str, *_: object, obj: object = None, **__: object) -> None:
        taken.append(Warned(msg, place(obj)))

    def failure(msg: str, exception: BaseException, **_: object) -> None:
        taken.append(Warned(msg, place(getattr(exception, "obj", None)), message(exception)))

    new = {"warning": warning, "error_as_warning": failure, "deprecated": warning}
    around = {name: vars(display)[name] for name in new if name in vars(display)}
    vars(display).update(new)
    try:
        yield taken
    finally:
        for name in new:
            del vars(display)[name]
        vars(display).update(around)
