#!/usr/bin/python
# Copyright: The xenci authors
# Apache License, Version 2.0 (see LICENSE)
"""Ansible module: when files were changed, and who was at work on the host then."""

from __future__ import annotations

DOCUMENTATION = r"""
module: file_history
short_description: Tell when files were changed, and who was logged in then
description:
  - Reads when each file was last changed, and from the host's journal which SSH sessions were open at that
    time and which commands of C(sudo) named the file. Changes nothing.
  - A host knows no more than that. Of several sessions it can't tell whose hand it was, and a program of its
    own leaves none.
author:
  - The xenci authors (@xenci)
attributes:
  check_mode:
    description: Can run in check mode and tell what would change, without changing anything.
    support: full
  diff_mode:
    description: Will tell what changed, or in check mode what would change.
    support: none
    details: Nothing ever changes.
options:
  paths:
    description: Files and folders, as absolute paths.
    type: list
    elements: path
    required: true
"""

EXAMPLES = r"""
- name: Who changed the web server's settings
  xenci.stack.file_history:
    paths: [/etc/nginx/nginx.conf]
  register: history
"""

RETURN = r"""
files:
  description: One for each path, in their order.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path.
      type: str
    gone:
      description:
        - Whether nothing is there. C(changed_at) is then the folder's time, empty where that is gone too.
      type: bool
    changed_at:
      description: When content, owner or mode were last changed, in UTC.
      type: str
      sample: "2026-01-02T03:04:05Z"
    known:
      description: Whether the journal reaches back to that time.
      type: bool
    sessions:
      description: SSH sessions that were open then.
      type: list
      elements: dict
      sample:
        - {"user": "root", "source": "192.0.2.7", "since": "2026-01-02T03:00:00Z", "key": "RSA SHA256:abc"}
    commands:
      description: Commands of C(sudo) that named the file, in the day before.
      type: list
      elements: dict
      sample:
        - {"user": "alice", "at": "2026-01-02T03:03:50Z", "command": "/usr/bin/vi /etc/nginx/nginx.conf"}
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DAY = 86400.0
# By their program's path, which the journal has from the kernel: names in it are anybody's to choose.
SSHD = ("/usr/sbin/sshd", "/usr/lib/openssh/sshd-session")
SUDO = ("/usr/bin/sudo",)
ACCEPTED = re.compile(
    r"Accepted \S+ for (?P<user>\S+) from (?P<source>\S+) port \d+ ssh2(?:: (?P<key>\S+ \S+))?"
)
CLOSED = re.compile(r"pam_unix\(sshd:session\): session closed for user ")
COMMAND = re.compile(r"\s*(?P<user>\S+) : .*?COMMAND=(?P<command>.*)")
Read = Callable[..., Iterator[dict[str, Any]]]


def utc(seconds: float) -> str:
    """A time as text."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def sessions(entries: list[dict[str, Any]], moment: float) -> list[dict[str, Any]]:
    """SSH sessions that were open at a time.

    :param entries: of sshd in the journal, the oldest first.
    """
    open_: dict[str, dict[str, Any]] = {}
    for entry in entries:
        text, process = entry["text"], entry["process"]
        if entry["at"] > moment:
            break
        if found := ACCEPTED.match(text):
            open_[process] = {**found.groupdict(""), "since": utc(entry["at"])}
        elif CLOSED.match(text):
            open_.pop(process, None)
    return list(open_.values())


def commands(entries: list[dict[str, Any]], path: str) -> list[dict[str, Any]]:
    """Commands of sudo that name a path.

    :param entries: of sudo in the journal, the oldest first.
    """
    every = (
        {**found.groupdict(), "at": utc(entry["at"])}
        for entry in entries
        if (found := COMMAND.match(entry["text"]))
    )
    return [one for one in every if path in one["command"]]


def history(path: str, read: Read) -> dict[str, Any]:
    """What is known of one path."""
    found = {"path": path, "gone": not os.path.lexists(path), "changed_at": "", "known": False}
    there = os.path.dirname(path) if found["gone"] else path
    if not os.path.lexists(there):
        return {**found, "sessions": [], "commands": []}
    moment = os.lstat(there).st_ctime
    return {
        **found,
        "changed_at": utc(moment),
        "known": any(read(f"--until=@{moment:.6f}", "--lines=1")),
        "sessions": sessions(list(read(*between(moment), *programs(SSHD))), moment),
        "commands": commands(list(read(*between(moment), *programs(SUDO))), path),
    }


def between(moment: float) -> tuple[str, str]:
    """The day up to a time, as options of journalctl."""
    return f"--since=@{moment - DAY:.6f}", f"--until=@{moment:.6f}"


def programs(paths: tuple[str, ...]) -> list[str]:
    """Matches of journalctl for messages of any of some programs."""
    return [f"_EXE={path}" for path in paths]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={"paths": {"type": "list", "elements": "path", "required": True}},
        supports_check_mode=True,
    )
    program = module.get_bin_path("journalctl")

    def read(*arguments: str) -> Iterator[dict[str, Any]]:
        if not program:
            return
        status, out, error = module.run_command(
            [program, "--quiet", "--output=json", "--no-pager", *arguments]
        )
        if status:
            module.fail_json(msg=f"journalctl: {error.strip() or out.strip()}")
        for line in out.splitlines():
            entry = json.loads(line)
            # What is no text comes as a list of bytes.
            if isinstance(text := entry.get("MESSAGE"), str):
                at = int(entry["__REALTIME_TIMESTAMP"]) / 1e6
                yield {"at": at, "process": entry.get("_PID", ""), "text": text}

    if relative := [path for path in module.params["paths"] if not os.path.isabs(path)]:
        module.fail_json(msg=f"paths: {relative[0]} is not absolute: write it from the root on")
    module.exit_json(changed=False, files=[history(path, read) for path in module.params["paths"]])


if __name__ == "__main__":
    main()
