"""A run that is killed changes nothing any more."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from xenci.apply import processes

ROOT = Path(__file__).resolve().parents[2]

PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.shell: echo {{ item }} >> {{ inventory_hostname }}; sleep 0.1
      args: {chdir: "{{ playbook_dir }}"}
      loop: "{{ range(3000) | list }}"
"""

PROGRAM = f"""
import sys
from pathlib import Path
from xenci.apply import run
from xenci.apply.screen import Screen
here = Path(sys.argv[1])
playbook = run.Playbook(Path({str(ROOT)!r}), here / "state", str(here / "play.yml"), [here / "hosts"])
run.run(playbook, Screen(), "test")
"""


def test_after_kill_9_no_worker_goes_on(tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    (tmp_path / "hosts").write_text("one ansible_connection=local\ntwo ansible_connection=local\n")
    changed = [tmp_path / "one", tmp_path / "two"]
    run = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 40
    while not all(path.exists() for path in changed):
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(processes.left_behind(tmp_path / "state")) >= 3  # ansible-playbook and a worker for each host
    run.kill()
    run.wait()
    try:
        while processes.left_behind(tmp_path / "state"):
            assert time.monotonic() < deadline, "Ansible goes on"
            time.sleep(0.1)
    finally:
        processes.end(tmp_path / "state")
    before = [path.read_text() for path in changed]
    time.sleep(1)  # time in which a worker would do five more items
    assert [path.read_text() for path in changed] == before
