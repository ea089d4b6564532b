"""A site of two hosts on this machine, whose playbooks Ansible runs for real."""

from __future__ import annotations

import dataclasses
import io
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from xenci.apply.screen import Screen
from xenci.files import write
from xenci.paths import checkout
from xenci.runs.site import Site
from xenci.runs.store import Store

ROOT = checkout()
HOSTS = """\
all:
  vars:
    ansible_connection: local
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
    service_folder: %s
  children:
    service: {hosts: {one: null, two: null}}
    other: {hosts: {two: null}}
"""
SITE = """\
- name: Site
  ansible.builtin.import_playbook: configure_site.yml
- name: Service
  ansible.builtin.import_playbook: configure_service.yml
- name: Other
  ansible.builtin.import_playbook: configure_other.yml
"""
CHECKED = """\
- name: Check the site
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: preflight
      ansible.builtin.assert: {that: service_threads | int > 0, quiet: true}
      vars: {service_threads: "{{ hostvars[groups['service'][0]].service_threads }}"}
"""
SERVICE = """\
- name: Configure service
  hosts: service
  gather_facts: false
  tasks:
    - name: configure | Make the folder
      ansible.builtin.file:
        path: "{{ service_folder }}/{{ inventory_hostname }}"
        state: directory
        mode: "0700"
    - name: configure | Render the settings
      ansible.builtin.copy:
        dest: "{{ service_folder }}/{{ inventory_hostname }}/settings.ini"
        content: |
          # settings
          threads = {{ service_threads }}
          pass = {{ vault_service_word }}
          mode = plain
        mode: "0600"
      register: settings
    - name: configure | Write the key
      ansible.builtin.copy:
        dest: "{{ service_folder }}/{{ inventory_hostname }}/key"
        content: "{{ vault_service_private_key }}"
        mode: "0600"
      no_log: true
    - name: configure | Take the old file away
      ansible.builtin.file: {path: "{{ service_folder }}/{{ inventory_hostname }}/old", state: absent}
    - name: service | Load it
      ansible.builtin.command: touch {{ service_folder }}/{{ inventory_hostname }}/loaded
      when: settings is changed
      changed_when: true
    - name: service | Ask it
      ansible.builtin.command: "true"
      changed_when: false
    - name: service | Wait for it
      ansible.builtin.debug: {msg: waits}
      when:
        - settings is not skipped
        - not (ansible_check_mode and settings is changed)
"""
OTHER = """\
- name: Configure other
  hosts: other
  gather_facts: false
  tasks:
    - name: configure | Write it
      ansible.builtin.copy:
        dest: "{{ service_folder }}/{{ inventory_hostname }}/other"
        content: "{{ other_word }}\\n"
        mode: "0600"
"""
PASSWORD = "the-password-of-the-vault"
WORD = "correct horse/battery+staple"
KEY = (
    "-----BEGIN OPENSSH "
    + "PRIVATE KEY-----\nAAAABBBBCCCCDDDDEEEEFFFF\n-----END OPENSSH "
    + "PRIVATE KEY-----\n"
)


@dataclasses.dataclass
class Bench:
    """The site, the folder that its hosts are, and the repository of its inventory."""

    site: Site
    hosts: Path
    infra: Path
    output: io.StringIO

    @property
    def screen(self) -> Screen:
        return Screen(self.output)

    def set(self, name: str, text: str) -> None:
        """Write a file of the inventory."""
        path = self.infra / "inventory" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def vault(self, name: str, text: str) -> None:
        """Write an encrypted file of the inventory."""
        vault = VaultLib([("default", VaultSecret(PASSWORD.encode()))])
        self.set(name, vault.encrypt(text.encode()).decode())

    def be_applied(self) -> None:
        """Make the hosts what the first inventory says, without the time that Ansible takes."""
        settings = f"# settings\nthreads = 4\npass = {WORD}\nmode = plain\n"
        for host, files in {
            "one": {"settings.ini": settings, "key": KEY, "loaded": ""},
            "two": {"settings.ini": settings, "key": KEY, "loaded": "", "other": "hello\n"},
        }.items():
            (self.hosts / host).mkdir(mode=0o700)
            for name, text in files.items():
                write(self.hosts / host / name, text)

    def secrets(self, word: str) -> None:
        """Write the secrets of the service."""
        content = yaml.safe_dump({"vault_service_word": word, "vault_service_private_key": KEY})
        self.vault("group_vars/service/vault.yml", content)

    def commit(self, message: str) -> str:
        """Commit what was written."""
        git(self.infra, "add", "--all")
        git(self.infra, "commit", "--quiet", "--message", message)
        return git(self.infra, "rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=master")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A site that nothing was applied to."""
    root, infra, hosts = tmp_path / "root", tmp_path / "infra", tmp_path / "hosts"
    for folder in (root / "playbooks", infra / "inventory", hosts):
        folder.mkdir(parents=True)
    for name in ("ansible.cfg", ".venv", ".cache", "roles"):
        (root / name).symlink_to(ROOT / name)
    for name, text in (
        ("site", SITE),
        ("configure_site", CHECKED),
        ("configure_service", SERVICE),
        ("configure_other", OTHER),
    ):
        (root / f"playbooks/{name}.yml").write_text(text)
    history = "playbooks/operate_file_history.yml"
    (root / history).symlink_to(ROOT / history)
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    site = Site(root, [infra / "inventory"], Store(tmp_path / "runs"), tmp_path / "state", password)
    site.state.mkdir()
    made = Bench(site, hosts, infra, io.StringIO())
    made.set("hosts.yml", HOSTS % hosts)
    made.set("group_vars/service/service.yml", "service_threads: 4\n")
    made.set("group_vars/other/other.yml", "other_word: hello\n")
    made.secrets(WORD)
    git(infra, "init", "--quiet")
    made.commit("first")
    return made
