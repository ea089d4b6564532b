"""Secrets of twenty kinds, used in every way that comes to mind: none is shown, kept, or among processes."""

from __future__ import annotations

import base64
import dataclasses
import html
import json
import re
import threading
import urllib.parse
from pathlib import Path

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from tests.runs.conftest import PASSWORD, Bench
from xenci.apply.screen import Screen
from xenci.plan import text
from xenci.runs import apply, drift, plan

MARK = re.compile(r"(?i)c4n4ry\d\d")
BEGIN, END = "-----BEGIN {} PRIVATE KEY-----\n", "-----END {} PRIVATE KEY-----\n"

VAULT: dict[str, object] = {
    "vault_plain": "c4n4ry01-password",
    "vault_odd": 'c4n4ry02 "it\'s" a/b+c %d $HOME \\n <&> {x}',
    "vault_unicode": "c4n4ry03-größe-密碼",
    "vault_private_key": BEGIN.format("OPENSSH")
    + "c4n4ry04AAAAB3NzaC1\nc4n4ry04lineTwo0000\n"
    + END.format("OPENSSH"),
    "vault_pem": BEGIN.format("RSA") + "MIIEc4n4ry05\n" + END.format("RSA"),
    "vault_hex": "c4n4ry06" + "0123456789abcdef" * 2,
    "vault_nested": {"service": {"login": {"key": "c4n4ry07-nested"}}},
    "vault_list": ["c4n4ry08-first", "c4n4ry08-second"],
    "vault_url": "https://user:c4n4ry09@db.example.org/x?y=c4n4ry09",
    "vault_json": json.dumps({"type": "account", "private": "c4n4ry10-in-json"}),
    "vault_base64": base64.b64encode(b"c4n4ry11 in base64 of its own").decode(),
    "vault_lines": "c4n4ry12 line one\n\tc4n4ry12 line two\n",
    "vault_long": "c4n4ry13" + "x" * 400,
    "vault_short": "c4n4ry14",
    "vault_token": "ghp_c4n4ry15" + "a" * 30,
    "vault_spaces": "  c4n4ry16 with spaces  ",
    "vault_cookie": "session=c4n4ry17; Path=/",
}
INLINE = "c4n4ry18-inline"
PLAIN = "c4n4ry19-plain-text-that-a-role-calls-secret"
FILE = "c4n4ry20-in-a-file-of-the-bastion"

PLAYBOOK = """\
- name: Configure service
  hosts: service
  gather_facts: false
  vars:
    every: "{{ [vault_plain, vault_odd, vault_unicode, vault_private_key, vault_pem, vault_hex,
      vault_nested | to_json, vault_list | join(','), vault_url, vault_json, vault_base64, vault_lines,
      vault_long, vault_short, vault_token,
      vault_spaces, vault_cookie, inline_word, zuul_web_secret, file_word] }}"
  tasks:
    - name: As it is
      ansible.builtin.copy:
        content: "{{ every | join('\\n') }}"
        dest: "{{ folder }}/plain"
        mode: "0600"
    - name: In JSON
      ansible.builtin.copy: {content: "{{ every | to_json }}", dest: "{{ folder }}/json", mode: "0600"}
    - name: In YAML
      ansible.builtin.copy: {content: "{{ every | to_nice_yaml }}", dest: "{{ folder }}/yaml", mode: "0600"}
    - name: In base64, one by one
      ansible.builtin.copy:
        content: "{{ every | map('b64encode') | join('\\n') }}"
        dest: "{{ folder }}/base64"
        mode: "0600"
    - name: In base64, as a whole
      ansible.builtin.copy:
        content: "{{ every | join(' ') | b64encode }}"
        dest: "{{ folder }}/blob"
        mode: "0600"
    - name: In URLs
      ansible.builtin.copy:
        content: "{{ every | map('urlencode') | join('\\n') }}"
        dest: "{{ folder }}/url"
        mode: "0600"
    - name: In a shell
      ansible.builtin.copy:
        content: "{{ every | map('quote') | join(' ') }}"
        dest: "{{ folder }}/sh"
        mode: "0600"
    - name: Item by item
      ansible.builtin.lineinfile:
        path: "{{ folder }}/items"
        line: "{{ item | regex_replace('\\n', ' ') }}"
        create: true
        mode: "0600"
      loop: "{{ every }}"
    - name: Said {{ vault_plain }}
      ansible.builtin.debug: {msg: "{{ every }}"}
    - name: Run
      ansible.builtin.shell: "cat >/dev/null; echo {{ every | map('quote') | join(' ') }}"
      args: {stdin: "{{ every | join }}"}
      when: not ansible_check_mode
    - name: Fail
      ansible.builtin.fail: {msg: "it is {{ every | join(' ') }}"}
      when: break_it | default(false)
"""


def found(content: str) -> set[str]:
    """Marks in a text, also where somebody decodes what is in it."""
    texts = [content, urllib.parse.unquote(content), html.unescape(content)]
    for blob in re.findall(r"[A-Za-z0-9+/_-]{8,}", re.sub(r"\\n|\s", "", content) + " " + content):
        for cut in range(4):
            body = blob[cut:].replace("-", "+").replace("_", "/")
            body = body[: len(body) // 4 * 4]
            texts.append(base64.b64decode(body).decode("utf-8", "ignore"))
    return {mark for one in texts for mark in MARK.findall(one)}


def inventory(bench: Bench) -> None:
    """The secrets, each where it may lie."""
    vault = VaultLib([("default", VaultSecret(PASSWORD.encode()))])
    inline = vault.encrypt(INLINE.encode()).decode().replace("\n", "\n  ")
    bench.vault("group_vars/service/vault.yml", yaml.safe_dump(VAULT))
    bench.set("group_vars/service/inline.yml", f"inline_word: !vault |\n  {inline}\n")
    bench.set("group_vars/service/service.yml", f"zuul_web_secret: {PLAIN}\nservice_threads: 1\n")
    bench.set(
        "group_vars/service/file.yml", f"file_word: \"{{{{ lookup('file', '{bench.hosts}/word') }}}}\"\n"
    )
    bench.set("host_vars/one/folder.yml", f"folder: {bench.hosts}/one\n")
    bench.set("host_vars/two/folder.yml", f"folder: {bench.hosts}/two\n")
    (bench.hosts / "word").write_text(FILE)
    for host in ("one", "two"):
        (bench.hosts / host).mkdir()
    (bench.site.root / "playbooks/configure_service.yml").write_text(PLAYBOOK)
    bench.commit("canaries")


class Watch(threading.Thread):
    """Looks at the command lines of all processes, again and again."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[str] = set()
        self.looks = 0
        self._stop_it = threading.Event()

    def run(self) -> None:
        while not self._stop_it.wait(0.02):
            self.looks += 1
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen |= set(MARK.findall(path.read_bytes().decode("utf-8", "ignore")))
                except (FileNotFoundError, ProcessLookupError):
                    continue

    def stop(self) -> None:
        self._stop_it.set()
        self.join()


@pytest.fixture
def watch() -> Watch:
    thread = Watch()
    thread.start()
    return thread


def test_the_test_finds_them() -> None:
    whole = json.dumps([VAULT, INLINE, PLAIN, FILE], ensure_ascii=False)
    assert len(found(whole)) == 20
    assert found(base64.b64encode(b"xc4n4ry01").decode()) == {"c4n4ry01"}


def test_none_is_shown_or_kept(bench: Bench, watch: Watch) -> None:
    inventory(bench)
    bench.site = dataclasses.replace(bench.site, secret_files=[bench.hosts / "word"])
    screen = Screen(bench.output)
    planned = plan.plan(bench.site, screen)
    watch.stop()
    assert watch.looks > 10
    assert watch.seen == set()
    assert len(planned.plan.changes) >= 16
    (bench.hosts / "one/plain").write_text(
        "c4n4ry00 is old and in no vault, on lines that secrets take the place of\n"
    )
    compared = plan.plan(bench.site, screen, kind="drift")
    done = apply.apply(bench.site, screen)
    assert done.run.result == "applied", bench.site.store.read(done.run, "report.txt")
    bench.set("group_vars/all/break.yml", "break_it: true\n")
    bench.commit("broken")
    broken = apply.apply(bench.site, screen)
    assert broken.run.result == "failed"
    texts = {
        "output": bench.output.getvalue(),
        "page": drift.page(compared),
        "metrics": drift.metrics(compared),
    }
    for outcome in (planned, compared, done, broken):
        texts[f"{outcome.run.id} in the review"] = text.whole(
            outcome.plan, plan.heading(outcome.run), text.REVIEW, ""
        )
    for path in bench.site.store.folder.rglob("*"):
        if path.is_file():
            texts[str(path.relative_to(bench.site.store.folder))] = path.read_text()
    assert len(texts) > 15
    assert {name: found(content) for name, content in texts.items() if found(content)} == {}
    # What was done is told all the same.
    assert "As it is" in texts["output"]
    assert list(bench.site.state.iterdir()) == [bench.site.state / "lock"] or not list(
        bench.site.state.iterdir()
    )
