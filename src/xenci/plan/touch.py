"""Which playbooks a change to an inventory can reach.

By the words in them: a name that changed, and every variable that is made of it, stands in the playbook, in a
role that it runs, or in one that those run. That finds too much rather than too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from xenci.plan.secret_values import files

WORD = re.compile(r"[A-Za-z_]\w*")
ROLE = re.compile(r"\bxenci\.stack\.(\w+)")
ALWAYS = "configure_site"
"""What the inventory says of the whole site is checked first."""


def reached(before: Sequence[Path], after: Sequence[Path], root: Path, playbooks: Sequence[str]) -> list[str]:
    """Those of the playbooks that the difference between two versions of an inventory can reach, in order.

    All of them where hosts or groups differ; none where nothing does.

    :param root: checkout of xenci.
    :param playbooks: of the site, in order, from the checkout's root.
    """
    old, new = contents(before), contents(after)
    differ = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    if not differ:
        return []
    if not all(is_variables(name) for name in differ):
        return list(playbooks)
    definitions: dict[str, set[str]] = {}
    for text in (*old.values(), *new.values()):
        for name, value in variables(text):
            definitions.setdefault(name, set()).update(WORD.findall(str(value)))
    read = {path: words(root, path) for path in playbooks}
    names: set[str] = set()
    for path in differ:
        was, now = dict(variables(old.get(path, b""))), dict(variables(new.get(path, b"")))
        if encrypted(old.get(path, b"")) or encrypted(new.get(path, b"")):
            # Which of its values differ only the vault's password tells: any may.
            names |= vaulted(definitions.values()) | vaulted(read.values())
        names |= {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
    names = closure(names, definitions)
    found = [path for path in playbooks if names & read[path]]
    first = [path for path in playbooks if Path(path).stem == ALWAYS]
    return [path for path in playbooks if path in first or path in found] if found else first


def contents(inventories: Iterable[Path]) -> dict[str, bytes]:
    """Each file's content by its path in the inventory."""
    found: dict[str, bytes] = {}
    for number, source in enumerate(inventories):
        top = source if source.is_dir() else source.parent
        for path in files([source]):
            found[f"{number}/{path.relative_to(top)}"] = path.read_bytes()
    return found


def is_variables(name: str) -> bool:
    """Whether a file of an inventory holds variables only."""
    return bool(re.search(r"/(group|host)_vars/", name))


def encrypted(content: bytes) -> bool:
    """Whether a file as a whole is encrypted."""
    return content.startswith(b"$ANSIBLE_VAULT")


def variables(content: bytes) -> Iterator[tuple[str, Any]]:
    """Names and values of a file of variables; what is encrypted is its own cipher text."""

    class Loader(yaml.SafeLoader):
        """YAML with any tag."""

    Loader.add_multi_constructor("!", lambda _loader, _tag, node: str(node.value))
    if encrypted(content):
        return
    loaded = yaml.load(content, Loader=Loader)  # noqa: S506  # it is a SafeLoader
    if isinstance(loaded, dict):
        yield from ((str(name), value) for name, value in loaded.items())


def vaulted(texts: Iterable[set[str]]) -> set[str]:
    """Every `vault_*` among the words of some texts."""
    return {word for text in texts for word in text if word.startswith("vault_")}


def closure(names: set[str], definitions: Mapping[str, set[str]]) -> set[str]:
    """The names, and all that are made of them."""
    while True:
        more = {name for name, read in definitions.items() if name not in names and read & names}
        if not more:
            return names
        names = names | more


def words(root: Path, playbook: str) -> set[str]:
    """Every word in a playbook, in files of variables that it reads, and in the roles that it runs."""
    path = root / playbook
    text = path.read_text(encoding="utf-8")
    for file in re.findall(r"\bvars/\w+\.yml", text):
        text += (path.parent / file).read_text(encoding="utf-8")
    found = set(WORD.findall(text))
    roles, seen = ROLE.findall(text), set()
    while roles:
        role = roles.pop()
        if role in seen:
            continue
        seen.add(role)
        for part in sorted((root / "roles" / role).rglob("*")):
            if part.is_file() and part.suffix in (".yml", ".j2"):
                text = part.read_text(encoding="utf-8")
                found |= set(WORD.findall(text))
                roles += ROLE.findall(text)
    return found
