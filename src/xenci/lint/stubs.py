"""A copy of an infra repository in which every secret is a stub: who checks a change has no vault password.

A file that is encrypted as a whole says nothing of what it holds. So each gets a stub for every `vault_*`
that the inventory or a playbook reads, encrypted again, since in plain text they would be a mistake.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from xenci import secrets
from xenci.files import write

HEADER = b"$ANSIBLE_VAULT"
NAME = re.compile(r"\bvault_\w+")
# A value that is encrypted alone: its name, and all lines that are indented below it.
IN_PLACE = re.compile(
    r"^(?P<head>(?P<indent> *)(?P<name>\w+): +)!vault *\|-?\n(?P<lines>(?:(?P=indent) +\S.*\n)+)", re.M
)


def copy(infra: Path, target: Path, root: Path) -> Path:
    """Copy a checkout, without its history, and put stubs in the place of secrets.

    :param root: checkout of xenci, whose playbooks read secrets too.
    :return: file with the password of the stubs, beside `target`.
    """
    # Links stay links: one that points out of the checkout shows nobody a file of this machine.
    shutil.copytree(infra, target, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    password = target.with_name("password")
    write(password, secrets.password() + "\n")
    files = [path for path in sorted(target.rglob("*")) if path.is_file() and not path.is_symlink()]
    sealed = [path for path in files if path.read_bytes().startswith(HEADER)]
    names: set[str] = set()
    for path in files:
        if path.suffix in (".yml", ".yaml") and path not in sealed:
            names |= open_in_place(path)
    for path in [*root.glob("playbooks/**/*.yml"), *root.glob("roles/*/*/*.yml")]:
        names |= set(NAME.findall(path.read_text(encoding="utf-8")))
    if sealed:
        vault = VaultLib([("default", VaultSecret(password.read_text(encoding="utf-8").strip().encode()))])
        plain = yaml.safe_dump({name: stub(name) for name in sorted(names)}, default_style="|")
        for path in sealed:
            path.write_bytes(vault.encrypt(f"---\n{plain}".encode()))
    return password


def open_in_place(path: Path) -> set[str]:
    """Put a reference in the place of each value that is encrypted alone; names of secrets that are read."""

    def reference(match: re.Match[str]) -> str:
        name = match["name"] if not match["name"].startswith("vault_") else f"{match['name']}_in_place"
        name = name if name.startswith("vault_") else f"vault_{name}_in_place"
        # As many lines as before: mistakes further down keep theirs.
        rest = "\n" * match["lines"].count("\n")
        return f'{match["head"]}"{{{{ {name} }}}}"\n{rest}'

    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return set()
    opened = IN_PLACE.sub(reference, text)
    if opened != text:
        path.write_text(opened, encoding="utf-8")
    return set(NAME.findall(opened))


def stub(name: str) -> str:
    """A value that is as good as the secret for every check, but that its public half is another's."""
    return secrets.private_key() if re.search(r"_private_key(_|$)", name) else secrets.password()
