"""Run one playbook through ansible-runner."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import ansible_runner.interface

from xenci.apply import processes
from xenci.apply.events import Failure, Progress
from xenci.apply.processes import MARK
from xenci.apply.render import Renderer, failure_lines, last_line, summary_lines
from xenci.apply.screen import Screen

KEEP_RUNS = 5


@dataclasses.dataclass(frozen=True)
class Playbook:
    """What to run.

    `checkout` is the repository's root, `state` a private directory for ansible-runner's own files.
    """

    checkout: Path
    state: Path
    path: str
    inventories: Sequence[Path | str]
    limit: str = ""
    check: bool = False
    diff: bool = False
    before: Sequence[str] = ()
    """Playbooks to run before it, in the same run."""
    extra_vars: dict[str, Any] = dataclasses.field(default_factory=dict)
    environment: dict[str, str] = dataclasses.field(default_factory=dict)

    def command_line(self) -> str:
        """Options for ansible-playbook."""
        return " ".join(option for option, on in (("--check", self.check), ("--diff", self.diff)) if on)


@dataclasses.dataclass(frozen=True)
class Result:
    """How it ended. `status` is ansible-runner's: successful, failed, canceled or timeout.

    `output` holds the lines that were printed where no task began.
    """

    status: str
    seconds: float
    progress: Progress
    output: Sequence[str] = ()

    @property
    def ok(self) -> bool:
        """Did every host get through?"""
        return self.status == "successful"


class Cancelled(KeyboardInterrupt):
    """Ctrl-C or SIGTERM came while Ansible was running; Ansible has been stopped."""


def run(
    playbook: Playbook,
    screen: Screen,
    name: str,
    keep: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
) -> Result:
    """Run a playbook and show it.

    :param name: how the last line calls it.
    :param keep: takes each event and returns what of it is shown; ansible-runner then keeps no file of its
        own, which would hold what the event held.
    :raises Cancelled: after Ctrl-C, when Ansible's processes have ended.
    """
    began = time.monotonic()
    renderer = Renderer(screen)
    stop = threading.Event()
    output: list[str] = []
    with _signals(stop), screen.now(renderer.now):
        handler = renderer.event if keep is None else lambda event: renderer.event(keep(event)) and False
        runner = _runner(playbook, handler, stop)
        try:
            runner.run()
            if not renderer.progress.tasks:
                output = Path(runner.config.artifact_dir, "stdout").read_text(encoding="utf-8").splitlines()
        finally:
            if keep is not None:
                shutil.rmtree(runner.config.artifact_dir)
    result = Result(runner.status, time.monotonic() - began, renderer.progress, output)
    _report(playbook, screen, name, result)
    if stop.is_set():
        # Ansible's workers have sessions of their own and outlive the command that was stopped.
        processes.end(playbook.state)
        raise Cancelled
    return result


def _runner(playbook: Playbook, handler: Callable[[dict[str, Any]], bool], stop: threading.Event) -> Any:
    playbook.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    binaries = playbook.checkout / ".venv" / "bin"
    runner = ansible_runner.interface.init_runner(
        private_data_dir=str(playbook.state),
        project_dir=str(playbook.checkout),
        playbook=playbook.path,
        inventory=[str(source) for source in playbook.inventories],
        limit=playbook.limit or None,
        cmdline=playbook.command_line() or None,
        extravars=playbook.extra_vars or None,
        envvars={
            "ANSIBLE_CONFIG": str(playbook.checkout / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            MARK: str(playbook.state),
            **playbook.environment,
        },
        event_handler=handler,
        cancel_callback=stop.is_set,
        quiet=True,
        rotate_artifacts=KEEP_RUNS,
        suppress_env_files=True,
    )
    # Its own file of settings would be the other way to have Ctrl-C seen within a second.
    runner.config.pexpect_timeout = 1
    # ansible-runner knows of one playbook, the last word of its command.
    *words, last = runner.config.command
    # It makes its child deaf to hang-ups: without this a killed xenci leaves it running.
    runner.config.command = processes.tied([*words, *playbook.before, last])
    return runner


class _signals:  # noqa: N801 - reads as a statement
    """While inside, Ctrl-C and SIGTERM only set `stop`; a second Ctrl-C is the ordinary one."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._handle)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._stop.set()


def _report(playbook: Playbook, screen: Screen, name: str, result: Result) -> None:
    for warning in result.progress.warnings:
        screen.line(f"  {warning}", style="yellow")
    if not result.ok and result.status != "canceled":
        for entry in result.progress.final_failures():
            for line in failure_lines(entry, journal(playbook, entry)):
                screen.line(line, style="red" if line.startswith("FAILED") else "")
        for line in result.output[-20:]:
            screen.line(f"  {line}")
    for line in summary_lines(result.progress):
        screen.line(line)
    closing = last_line(result.progress, name, result.status, result.seconds)
    screen.line(closing, style="bold green" if result.ok else "bold red")


def journal(playbook: Playbook, entry: Failure, lines: int = 20) -> list[str]:
    """The end of the journal of the unit that a failed task was about; empty where there is none."""
    if not entry.unit:
        return []
    command = [str(playbook.checkout / ".venv" / "bin" / "ansible"), entry.host]
    for source in playbook.inventories:
        command += ["-i", str(source)]
    command += ["-o", "-m", "ansible.builtin.command"]
    command += ["-a", f"journalctl --no-pager -o cat -n {lines} -u {entry.unit}"]
    environment = {
        **os.environ,
        **playbook.environment,
        "ANSIBLE_CONFIG": str(playbook.checkout / "ansible.cfg"),
    }
    answer = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=playbook.checkout,
        env=environment,
        timeout=60,
        check=False,
    )
    _, found, text = answer.stdout.partition("(stdout) ")
    return (
        text.replace("\\n", "\n").splitlines()
        if found
        else [f"could not be read: {answer.stdout.strip()[:200]}"]
    )
