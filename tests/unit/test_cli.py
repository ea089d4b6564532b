"""The command line: help everywhere, exit codes, and what is said when it can't work."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from xenci import cli, playbook
from xenci.cli import errors
from xenci.paths import checkout


def leaves(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command and subcommand."""
    found = [path]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                found += leaves(sub, (*path, name))
    return found


EVERY = leaves(cli.parser())


def test_the_commands() -> None:
    assert {path[0] for path in EVERY if path} == {
        "apply",
        "check",
        "demo",
        "drift",
        "health",
        "lab",
        "lint",
        "log",
        "plan",
        "render",
        "secrets",
        "status",
        "token",
        "xen",
    }


@pytest.mark.parametrize("path", EVERY, ids=lambda path: " ".join(path) or "xenci")
def test_every_command_has_help_with_examples_and_exit_codes(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([*path, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "exit codes:" in text
    examples = re.findall(r"^  (xenci .+?)(?:   +|$)", text.partition("examples:")[2], re.MULTILINE)
    assert examples, "no examples"
    for line in examples:
        if not re.search(r"--help|\(", line):
            cli.parser().parse_args(shlex.split(line)[1:])
    assert "130" in text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["apply", "-i", "no/such"], errors.UNFIT, "no such inventory: no/such"),
        (["plan", "-i", "no/such"], errors.UNFIT, "no such inventory: no/such"),
        (["drift", "--lab", "none"], errors.UNFIT, "no such lab: none"),
        (["log", "20200101T", "--runs", "no/such"], errors.UNFIT, "no run '20200101T'; there is none yet"),
        (["demo", "up", "--lab", "Not A Name"], errors.UNFIT, "lower-case"),
        (["demo", "down", "--lab", "../.."], errors.UNFIT, "lower-case"),
        (["render", "-i", "x", "no/such"], errors.UNFIT, "no such directory"),
        (["health", "-i", "no/such"], errors.UNFIT, "no such inventory: no/such"),
        (["health", "--lab", "none"], errors.UNFIT, "no such lab: none"),
        (["token", "-i", ".", "--user", "a b"], errors.UNFIT, "use letters"),
        (["token", "-i", ".", "--hours", "0"], errors.UNFIT, "give 1 to 168"),
        (["token", "-i", ".", "--file", "no/such/file"], errors.UNFIT, "no such directory"),
    ],
)
def test_what_cannot_work(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["demo"],
        ["demo", "sideways"],
        ["apply"],
        ["plan"],
        ["plan", "-i", "x", "--sideways"],
        ["health"],
        ["token", "-i", "x", "--lab", "y"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == errors.USAGE


@pytest.mark.parametrize(
    ("made_by_make", "again"),
    [(False, "xenci demo up --lab x"), (True, "make demo LAB=x")],
)
def test_how_to_go_on(made_by_make: bool, again: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAKELEVEL", raising=False)
    if made_by_make:
        monkeypatch.setenv("MAKELEVEL", "1")
    options = argparse.Namespace(
        command="demo", again=["demo", "up", "--lab", "x"], make_again="make demo LAB=x"
    )
    assert errors.again(options) == again


def test_a_token_is_asked_for_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, Any] = {}

    def run(name: str, *_: object, **options: Any) -> list[playbook.Answer]:
        asked.update(options["extra_vars"], name=name)
        return [
            playbook.Answer("zuul_web : token | Make a token", "ci", {"censored": "by no_log"}),
            playbook.Answer("zuul_web : token | How to use it", "ci", {"msg": ["zuul-client …"]}),
        ]

    monkeypatch.setattr(playbook, "run", run)
    path = tmp_path / "zuul.conf"
    words = ["-i", "inventories/demo", "--user", "me", "--hours", "2", "--file", str(path)]
    assert cli.main(["token", *words]) == 0
    assert asked == {
        "name": "operate_token",
        "zuul_web_token_file": str(path),
        "zuul_web_token_user": "me",
        "zuul_web_token_seconds": 7200,
    }
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["zuul-client …", f"token: written to {path}, good for 2 hours"]


def test_a_pipe_that_closes_is_no_traceback() -> None:
    program = "import sys; from xenci.cli import main; sys.exit(main(['demo', 'status', '--lab', 'none']))"
    reader, writer = os.pipe()
    os.close(reader)
    answer = subprocess.run(
        [sys.executable, "-c", program],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    os.close(writer)
    assert (answer.returncode, answer.stderr) == (errors.FAILED, "")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("xenci ", {"apply", "check", "demo", "lab", "render", "secrets"}),
        ("xenci de", {"demo"}),
        ("xenci demo ", {"up", "down", "status"}),
        ("xenci check --inf", {"--infra"}),
        ("xenci check --format ", {"text", "json", "zuul"}),
        ("xenci check -i inv", {"inventory-of-mine"}),
    ],
)
def test_bash_completes(typed: str, offered: set[str], tmp_path: Path) -> None:
    (tmp_path / "inventory-of-mine").mkdir()
    xenci = Path(sys.executable).with_name("xenci")
    program = f"""
        source <({xenci} --print-completion bash)
        COMP_LINE={shlex.quote(typed)}
        COMP_WORDS=($COMP_LINE)
        [[ $COMP_LINE == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        eval "$(complete -p xenci | sed 's/.*-F \\([^ ]*\\) .*/\\1/') xenci"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    answer = subprocess.run(["bash", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    words = set(answer.stdout.split())
    assert offered <= words, (words, answer.stderr)
    assert all(word.startswith(typed.rpartition(" ")[2]) for word in words)


@pytest.mark.parametrize("shell", ["zsh", "tcsh", "fish", "powershell"])
def test_other_shells_complete_too(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--print-completion", shell])
    assert caught.value.code == 0
    script = capsys.readouterr().out
    assert all(word in script for word in ("xenci", "check", "infra", "print-completion"))


def test_the_page_names_every_command() -> None:
    page = (checkout() / "docs/command_line.md").read_text(encoding="utf-8")
    rows = " ".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE))
    assert set(re.findall(r"`xenci (\w+)`", rows)) == {path[0] for path in EVERY if path}
