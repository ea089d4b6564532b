"""The generated half of the demo's inventory: names of this lab, random secrets, SSH keys.

`.lab/<lab>/inventory/group_vars/all/` gets
- `lab.yml`: name, subnet, paths, and the public half of every key as `local_<key>_public_key`,
- `vault.yml`, encrypted with the password in `.lab/<lab>/vault-password`: every name of `SECRETS`.
The keys also lie as files in `.lab/<lab>/keys/`, where git and ssh can use them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from xenci.demo.lab import Lab
from xenci.files import write
from xenci.secrets import password, private_key, public_key

ACCOUNTS = ("admin", "xen_ci", "xenci_bastion", "alice", "bob", "carol")
"""Accounts of the review server; the service accounts' real names have a hyphen."""

KEYS = (
    *(f"gerrit_{account}" for account in ACCOUNTS),
    "gerrit_host",
    "zuul_node",
    "xen_launcher",
    "log_upload",
    "bastion_request",
    "lab",
)
"""SSH keys: one for each account, the review server's host key, the executor's for nodes, the launcher's for
Xen hosts, the upload's, the one with which jobs ask the bastion, and root's on the hosts.
"""


def _password(_lab: Lab) -> str:
    return password()


def _key(_lab: Lab) -> str:
    return private_key()


def _hosts_key(lab: Lab) -> str:
    # Hosts that an older checkout has made accept the one that is there.
    there = lab.keys / "lab"
    return there.read_text(encoding="utf-8") if there.exists() else private_key()


def _vault_password(lab: Lab) -> str:
    return lab.vault_password.read_text(encoding="utf-8").strip()


SECRETS: dict[str, Callable[[Lab], str]] = {
    **{f"vault_gerrit_{account}_password": _password for account in ACCOUNTS},
    **{f"vault_{key}_private_key": _key for key in KEYS},
    "vault_lab_private_key": _hosts_key,
    # The bastion's copy: whoever reads it here has it.
    "vault_bastion_vault_password": _vault_password,
    "vault_postgresql_zuul_password": _password,
    "vault_zuul_keystore_password": _password,
    "vault_zuul_web_secret": _password,
}
"""Name of each secret and how it is made."""


def ensure(lab: Lab, subnet: str) -> bool:
    """Make what is not there yet, and never change what is; return whether anything was made.

    :param subnet: network of the lab in CIDR notation; a lab that exists keeps its own.
    """
    for directory in (lab.directory, lab.keys):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not lab.inventory.exists():
        _make(lab, subnet)
        made = True
    else:
        made = _complete(lab)
    _key_files(lab)
    return made


def read(lab: Lab) -> dict[str, str]:
    """All secrets of a lab, by name."""
    text = (lab.inventory / "group_vars" / "all" / "vault.yml").read_bytes()
    values: dict[str, str] = yaml.safe_load(_vault(lab).decrypt(text))
    return values


def settings(lab: Lab) -> dict[str, str]:
    """The plain half: lab_hosts_name, lab_hosts_subnet, public keys."""
    values: dict[str, str] = yaml.safe_load(
        (lab.inventory / "group_vars" / "all" / "lab.yml").read_text(encoding="utf-8")
    )
    return values


def _make(lab: Lab, subnet: str) -> None:
    write(lab.vault_password, password() + "\n")
    new = lab.directory / ".inventory.new"
    if new.exists():  # a run was killed in here
        shutil.rmtree(new)
    (new / "group_vars" / "all").mkdir(mode=0o700, parents=True)
    new.chmod(0o700)
    write(
        new / "hosts.yml",
        "---\n# The hosts are in inventories/demo; here is what differs between labs.\nall: {}\n",
    )
    values = {name: make(lab) for name, make in SECRETS.items()}
    write(new / "group_vars" / "all" / "vault.yml", _encrypted(lab, values))
    write(new / "group_vars" / "all" / "lab.yml", _plain(lab, subnet, values))
    # One rename, so that a kill leaves either no inventory or a whole one.
    new.rename(lab.inventory)


def _complete(lab: Lab) -> bool:
    """Add what a newer checkout wants and the lab has not: secrets, plain values."""
    values = read(lab)
    missing = {name: make(lab) for name, make in SECRETS.items() if name not in values}
    everything = lab.inventory / "group_vars" / "all"
    if missing:
        values |= missing
        write(everything / "vault.yml", _encrypted(lab, values))
    plain = _plain(lab, settings(lab)["lab_hosts_subnet"], values)
    if (everything / "lab.yml").read_text(encoding="utf-8") == plain:
        return bool(missing)
    write(everything / "lab.yml", plain)
    return True


def _plain(lab: Lab, subnet: str, values: dict[str, str]) -> str:
    # The directories are absolute: a scenario's playbooks do not lie where the site's do.
    lines = {
        "lab_hosts_name": lab.name,
        "lab_hosts_subnet": subnet,
        "lab_hosts_directory": str(lab.directory),
        "site_checkout": str(lab.root),
        # Git's word for none: the review server's xenci, and so its commit, is there later than this.
        "bastion_xenci_commit": "0" * 40,
    }
    for key in KEYS:
        lines[f"local_{key}_public_key"] = public_key(values[f"vault_{key}_private_key"])
    return f"---\n# Made by `xenci demo up`.\n{yaml.safe_dump(lines, sort_keys=False, width=1000)}"


def _key_files(lab: Lab) -> None:
    for name, value in read(lab).items():
        if not name.endswith("_private_key"):
            continue
        key = lab.keys / name.removeprefix("vault_").removesuffix("_private_key")
        if not key.exists() or key.read_text(encoding="utf-8") != value:
            write(key.with_name(f"{key.name}.pub"), public_key(value) + "\n", 0o644)
            write(key, value)


def _vault(lab: Lab) -> VaultLib:
    secret = lab.vault_password.read_text(encoding="utf-8").strip().encode()
    return VaultLib([("default", VaultSecret(secret))])


def _encrypted(lab: Lab, values: dict[str, str]) -> str:
    text: bytes = _vault(lab).encrypt(yaml.safe_dump(values, default_style="|").encode())
    return text.decode()
