"""The program that the jobs xen-boot-test and libvirt-xen run in dom0, on doubles of xl and virsh."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from xenci.paths import checkout

PROGRAM = checkout() / "infra/roles/xen_life/files/xen_life.py"
STEPS = ["info", "create", "pause", "save", "restore", "migrate", "destroy"]
# A guest is a file with its domain id and state; what is written to its terminal it answers on its console.
DOUBLE = r"""#!/bin/bash
cd "$(dirname "$0")/.."
echo "$(basename "$0") $*" >>calls
[ "$(cat fail 2>/dev/null)" != "$(basename "$0") $1" ] ||
    { cat why >&2 2>/dev/null || echo broken >&2; exit 1; }
start() {
    echo $(($(cat next 2>/dev/null || echo 1) + 1)) >next
    cat next >domain; echo -b---- >state
    echo "(initramfs) " >>console.log
}
case "$(basename "$0") $1" in
    "xl info") echo "xen_commandline        : dom0_mem=1G xenci_build=7" ;;
    "xl list")
        echo "Name ID Mem VCPUs State Time(s)"
        echo "Domain-0 0 1024 1 r----- 1.0"
        [ ! -e domain ] || echo "xenci-life $(cat domain) 256 1 $(cat state) 1.0" ;;
    "xl create" | "xl restore" | "virsh create" | "virsh restore") start ;;
    "xl migrate") [ "$*" = "migrate -s  xenci-life xl migrate-receive" ] && start ;;
    "xl pause" | "virsh suspend") echo --p--- >state ;;
    "xl unpause" | "virsh resume") echo -b---- >state ;;
    "xl save" | "virsh save") rm domain; touch "$3" ;;
    "xl destroy" | "virsh destroy") rm domain ;;
    "virsh version") ;;
    "xenstore-read /local/domain/$(cat domain)/console/tty") echo "$PWD/terminal" ;;
    *) echo "the double knows no $(basename "$0") $*" >&2; exit 9 ;;
esac
"""


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder with doubles on PATH, and a program that looks for the console there."""
    (tmp_path / "bin").mkdir()
    for name in ("xl", "xenstore-read"):
        (tmp_path / "bin" / name).write_text(DOUBLE)
        (tmp_path / "bin" / name).chmod(0o755)
    virsh = DOUBLE.replace('cd "$(dirname', 'shift 2; cd "$(dirname')
    (tmp_path / "bin/virsh").write_text(virsh)
    (tmp_path / "bin/virsh").chmod(0o755)
    text = PROGRAM.read_text().replace("/var/tmp", str(tmp_path))
    text = text.replace(
        'Path("/var/log/xen/console") / f"guest-{NAME}.log"', f'Path("{tmp_path}/console.log")'
    )
    text = text.replace("ANSWER_SECONDS = 300, 300, 60", "ANSWER_SECONDS = 300, 300, 2")
    (tmp_path / "life.py").write_text(text)
    return tmp_path


def run(host: Path, *arguments: str) -> tuple[int, dict[str, str], str]:
    """Exit status, kind by step, and the text; a shell at the terminal answers meanwhile."""
    os.mkfifo(host / "terminal")
    shell = subprocess.Popen(
        ["bash", "-c", 'while true; do bash <"$0/terminal" >>"$0/console.log"; done', str(host)],
        start_new_session=True,
    )
    try:
        done = subprocess.run(
            [sys.executable, str(host / "life.py"), "--logs", str(host / "logs"), *arguments],
            env={"PATH": f"{host}/bin:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    finally:
        os.killpg(shell.pid, 9)
        shell.wait()
    assert done.stderr == ""
    toolstack = arguments[arguments.index("--toolstack") + 1]
    suite = ET.parse(host / f"logs/xen-life-{toolstack}.xml").getroot()  # noqa: S314 - made just now
    kinds = {}
    for case in suite:
        marks = [child.tag for child in case if child.tag != "system-out"]
        kinds[str(case.get("name"))] = marks[0] if marks else "passed"
    assert suite.get("tests") == str(len(STEPS))
    assert suite.get("failures") == str(list(kinds.values()).count("failure"))
    return done.returncode, kinds, (host / f"logs/xen-life-{toolstack}.txt").read_text()


def test_every_step_passes_with_xl(host: Path) -> None:
    status, kinds, text = run(host, "--toolstack", "xl", "--option", "xenci_build=7")
    assert (status, kinds) == (0, dict.fromkeys(STEPS, "passed")), text
    assert "$ xl migrate -s '' xenci-life 'xl migrate-receive'" in text
    assert "sum 1004 of xenci-life" in text
    assert not (host / "domain").exists()


def test_libvirt_does_not_migrate_to_itself(host: Path) -> None:
    status, kinds, text = run(host, "--toolstack", "virsh")
    assert (status, kinds.pop("migrate")) == (0, "skipped"), text
    assert set(kinds.values()) == {"passed"}, text
    assert "virsh" in (host / "calls").read_text()


def test_a_xen_that_migrates_no_such_guest(host: Path) -> None:
    (host / "fail").write_text("xl migrate")
    (host / "why").write_text("xc: error: Failed to enable logdirty: 95,22,0 (22 = Invalid argument)")
    status, kinds, text = run(host, "--toolstack", "xl")
    assert (status, kinds.pop("migrate")) == (0, "skipped"), text
    assert set(kinds.values()) == {"passed"}, text
    # It is asked whether it has outlived the attempt.
    assert "sum 1004 of xenci-life" in text


def test_a_step_that_fails_ends_it_and_removes_the_guest(host: Path) -> None:
    (host / "fail").write_text("xl save")
    status, kinds, text = run(host, "--toolstack", "xl")
    assert status == 1
    assert kinds["save"] == "failure", text
    assert [kinds[name] for name in STEPS[4:]] == ["skipped"] * 3
    assert "broken" in text
    assert not (host / "domain").exists()


def test_a_guest_that_does_not_answer(host: Path) -> None:
    double = host / "bin/xl"
    double.write_text(
        double.read_text().replace("xl unpause", "xl nothing").replace("*) echo", "*) exit 0; echo")
    )
    (host / "bin/xenstore-read").write_text("#!/bin/bash\necho /dev/null\n")
    status, kinds, text = run(host, "--toolstack", "xl")
    assert (status, kinds["create"]) == (1, "failure"), text


def test_another_xen_than_the_chosen_one(host: Path) -> None:
    status, kinds, text = run(host, "--toolstack", "xl", "--option", "xenci_build=8")
    assert (status, kinds["info"], kinds["create"]) == (1, "failure", "skipped")
    assert "what was to be booted does not run" in text
