"""The life of a small guest on the Xen that runs, as root in dom0.

python3 xen_life.py --toolstack xl|virsh --logs FOLDER [--option WORD]

Each step is a test case with its time and output, in FOLDER/xen-life-TOOLSTACK.xml (JUnit) and .txt. The
guest is paravirtualized and has neither disk nor network: dom0's own kernel and initrd, which stop at a
prompt (`break=top`). Whether it lives is asked there.

Exit status: 0 all steps passed, 1 one did not, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

NAME, UUID, MEMORY_MIB = "xenci-life", "5b4d7a52-8f0e-4c58-9d0e-6a2f6e1c0a11", 256
CONSOLE = Path("/var/log/xen/console") / f"guest-{NAME}.log"
PROMPT = "(initramfs)"
COMMAND_SECONDS, BOOT_SECONDS, ANSWER_SECONDS = 300, 300, 60
# The toolstack's word where Xen answers EOPNOTSUPP, as Debian's does: it can't watch what a guest changes.
NO_SHADOW_PAGING = "Failed to enable logdirty: 95,"
OPTIONS = "console=hvc0 break=top quiet"
XL = """\
name = "{name}"
uuid = "{uuid}"
type = "pv"
kernel = "{kernel}"
ramdisk = "{initrd}"
extra = "{options}"
memory = {memory}
vcpus = 1
on_poweroff = "destroy"
on_reboot = "destroy"
on_crash = "destroy"
"""
LIBVIRT = """\
<domain type='xen'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='xenpv'>linux</type>
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>{options}</cmdline>
  </os>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>destroy</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <console type='pty'><target type='xen' port='0'/></console>
  </devices>
</domain>
"""


class StepError(Exception):
    """Why a step failed."""


class SkipError(Exception):
    """Why there is no such step."""


@dataclass
class Case:
    """How a step went. `kind` is passed, failure or skipped."""

    name: str
    seconds: float
    kind: str
    why: str
    output: str


class Guest:
    """The guest, and what was said while something was done with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.questions = 0
        release = os.uname().release
        self.values = {
            "name": NAME,
            "uuid": UUID,
            "kernel": f"/boot/vmlinuz-{release}",
            "initrd": f"/boot/initrd.img-{release}",
            "options": OPTIONS,
            "memory": MEMORY_MIB,
        }

    def run(self, *words: str) -> str:
        """Return what a command says; raises StepError where it fails or lasts too long."""
        self.said.append(f"$ {shlex.join(words)}")
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, errors="replace", timeout=COMMAND_SECONDS, check=False
            )
        except FileNotFoundError:
            raise StepError(f"{words[0]} is not installed") from None
        except subprocess.TimeoutExpired:
            raise StepError(f"{' '.join(words[:3])} did not end in {COMMAND_SECONDS} s") from None
        self.said.append((done.stdout + done.stderr).rstrip())
        if done.returncode:
            raise StepError(f"{' '.join(words[:3])} ended with status {done.returncode}")
        return done.stdout

    def wait(self, what: str, seconds: float, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise StepError(f"{what}: not so after {seconds:.0f} s")
            time.sleep(0.5)

    def console(self) -> str:
        """Return what the guest has printed."""
        return CONSOLE.read_text(encoding="utf-8", errors="replace") if CONSOLE.exists() else ""

    def state(self) -> str:
        """Return its line of `xl list`, "" if it has none."""
        lines = self.run("xl", "list").splitlines()
        return next((line for line in lines if line.split()[0] == NAME), "")

    def paused(self) -> bool:
        """Tell whether it stands still."""
        return self.state().split()[4][2] == "p"

    def answers(self) -> None:
        """Ask it to add something up, and wait for the sum on its console."""
        self.questions += 1
        domid = self.state().split()[1]
        terminal = self.run("xenstore-read", f"/local/domain/{domid}/console/tty").strip()
        with open(terminal, "wb", buffering=0) as stream:
            stream.write(f"echo sum $((1000 + {self.questions})) of {NAME}\n".encode())
        answer = f"sum {1000 + self.questions} of {NAME}"
        self.wait(f"the guest says {answer!r}", ANSWER_SECONDS, lambda: answer in self.console())

    def gone(self) -> None:
        """Wait until Xen has let go of it."""
        self.wait("the guest is gone", ANSWER_SECONDS, lambda: not self.state())

    def booted(self) -> None:
        """Wait for its prompt."""
        self.wait("the guest's prompt is there", BOOT_SECONDS, lambda: PROMPT in self.console())


class Xl(Guest):
    """Its life through xl."""

    def create(self) -> None:
        """Start it, and wait until it answers."""
        config = self.folder / "life.cfg"
        config.write_text(XL.format(**self.values))
        self.run("xl", "create", str(config))
        self.booted()
        self.answers()

    def pause(self) -> None:
        """Let it stand still, and go on."""
        self.run("xl", "pause", NAME)
        self.wait("the guest is paused", ANSWER_SECONDS, self.paused)
        self.run("xl", "unpause", NAME)
        self.answers()

    def save(self) -> None:
        """Save it, which ends it."""
        self.run("xl", "save", NAME, str(self.folder / "life.save"))
        self.gone()

    def restore(self) -> None:
        """Bring it back."""
        self.run("xl", "restore", str(self.folder / "life.save"))
        self.answers()

    def migrate(self) -> None:
        """Move it to this same host."""
        before = self.state().split()[1]
        # With no ssh command, what stands for the host is the receiving command itself.
        try:
            self.run("xl", "migrate", "-s", "", NAME, "xl migrate-receive")
        except StepError:
            if NO_SHADOW_PAGING not in self.said[-1]:
                raise
            self.answers()
            raise SkipError("this Xen has no shadow paging, and so migrates no PV guest") from None
        after = self.state().split()[1]
        if after == before:
            raise StepError(f"the guest is still domain {before}")
        self.answers()

    def destroy(self) -> None:
        """End it."""
        self.run("xl", "destroy", NAME)
        self.gone()


class Virsh(Guest):
    """Its life through libvirt."""

    def virsh(self, *words: str) -> str:
        """Return what libvirt says."""
        return self.run("virsh", "--connect", "xen:///system", *words)

    def create(self) -> None:
        """Start it, and wait until it answers."""
        self.virsh("version")
        config = self.folder / "life.xml"
        config.write_text(LIBVIRT.format(**self.values))
        self.virsh("create", str(config))
        self.booted()
        self.answers()

    def pause(self) -> None:
        """Let it stand still, and go on."""
        self.virsh("suspend", NAME)
        self.wait("the guest is paused", ANSWER_SECONDS, self.paused)
        self.virsh("resume", NAME)
        self.answers()

    def save(self) -> None:
        """Save it, which ends it."""
        self.virsh("save", NAME, str(self.folder / "life.save"))
        self.gone()

    def restore(self) -> None:
        """Bring it back."""
        self.virsh("restore", str(self.folder / "life.save"))
        self.answers()

    def migrate(self) -> None:
        """Move it to this same host."""
        raise SkipError("libvirt refuses to migrate a guest to the host that it is on")

    def destroy(self) -> None:
        """End it."""
        self.virsh("destroy", NAME)
        self.gone()


STEPS = ("create", "pause", "save", "restore", "migrate", "destroy")


def info(guest: Guest, option: str) -> None:
    """See which Xen runs, and that it was booted with a word on its command line."""
    facts = dict(line.partition(":")[::2] for line in guest.run("xl", "info").splitlines())
    words = {key.strip(): value for key, value in facts.items()}.get("xen_commandline", "").split()
    if option and option not in words:
        raise StepError(f"{option} is not on Xen's command line: what was to be booted does not run")


def live(guest: Guest, option: str) -> list[Case]:
    """Go through all steps; after one that failed the others are skipped, but the guest is removed."""
    cases: list[Case] = []
    steps: list[tuple[str, Callable[[], None]]] = [("info", lambda: info(guest, option))]
    steps += [(name, getattr(guest, name)) for name in STEPS]
    for name, step in steps:
        failed = next((case.name for case in cases if case.kind == "failure"), "")
        guest.said, begun, kind, why = [], time.monotonic(), "passed", ""
        try:
            if failed:
                raise SkipError(f"{failed} has failed")
            step()
        except StepError as error:
            kind, why = "failure", str(error)
        except SkipError as error:
            kind, why = "skipped", str(error)
        seconds = time.monotonic() - begun
        cases.append(Case(name, seconds, kind, why, "\n".join(guest.said)))
        print(f"{kind:8} {name} ({seconds:.1f} s){f': {why}' if why else ''}", flush=True)  # noqa: T201
    if any(case.kind == "failure" for case in cases):
        subprocess.run(["xl", "destroy", NAME], capture_output=True, check=False)
    return cases


def report(cases: list[Case], toolstack: str, console: str, logs: Path) -> None:
    """Write the results for programs and for people."""
    counts = {kind: sum(case.kind == kind for case in cases) for kind in ("failure", "skipped")}
    suite = ET.Element(
        "testsuite",
        name=f"xen-life-{toolstack}",
        tests=str(len(cases)),
        failures=str(counts["failure"]),
        skipped=str(counts["skipped"]),
        time=f"{sum(case.seconds for case in cases):.3f}",
    )
    text = []
    for case in cases:
        element = ET.SubElement(
            suite, "testcase", classname=suite.get("name", ""), name=case.name, time=f"{case.seconds:.3f}"
        )
        if case.kind != "passed":
            ET.SubElement(element, case.kind, message=plain(case.why))
        ET.SubElement(element, "system-out").text = plain(case.output)
        text.append(f"== {case.name}: {case.kind} ({case.seconds:.1f} s) {case.why}\n{case.output}\n")
    text.append(f"== console of the guest\n{console}\n")
    logs.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite).write(logs / f"xen-life-{toolstack}.xml", encoding="utf-8", xml_declaration=True)
    (logs / f"xen-life-{toolstack}.txt").write_text("\n".join(text), encoding="utf-8")


def plain(text: str) -> str:
    """Return text without what XML can't hold."""
    return "".join(letter if letter in "\n\t" or letter.isprintable() else "?" for letter in text)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--toolstack", choices=["xl", "virsh"], required=True)
    parser.add_argument("--logs", type=Path, required=True)
    parser.add_argument("--option", default="", help="what must stand on Xen's command line")
    arguments = parser.parse_args()
    folder = Path("/var/tmp") / NAME  # noqa: S108 - on disk: /tmp may be memory
    folder.mkdir(mode=0o700, exist_ok=True)
    # Of an earlier run; xenconsoled goes on writing to the file that it has open.
    if CONSOLE.exists():
        os.truncate(CONSOLE, 0)
    guest = {"xl": Xl, "virsh": Virsh}[arguments.toolstack](folder)
    cases = live(guest, arguments.option)
    report(cases, arguments.toolstack, guest.console(), arguments.logs)
    return 1 if any(case.kind == "failure" for case in cases) else 0


if __name__ == "__main__":
    sys.exit(main())
