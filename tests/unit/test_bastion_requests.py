"""The key of Zuul's jobs may ask four things, and nothing else goes through."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from xenci.bastion import __main__ as program
from xenci.bastion import settings
from xenci.bastion.requests import Answer, Request, RequestError, Spool, parse


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ("plan 1,1", Request("plan", 1, 1)),
        ("plan 123456789,12345", Request("plan", 123456789, 12345)),
        ("apply", Request("apply")),
        ("drift", Request("drift")),
        ("status", Request("status")),
    ],
)
def test_what_may_be_asked(line: str, request_: Request) -> None:
    assert parse(line) == request_
    assert request_.name == line


ATTACKS = [
    "",
    " ",
    "plan",
    "plan 1",
    "plan 1,",
    "plan ,1",
    "plan 0,1",
    "plan 01,1",
    "plan 1,0",
    "plan -1,1",
    "plan 1,1,1",
    "plan 1;1",
    "plan 1/1",
    "plan  1,1",
    " plan 1,1",
    "plan 1,1 ",
    "plan 1,1\n",
    "apply\n",
    "\napply",
    "apply\r",
    "apply\0",
    "plan 1,1\napply",
    "PLAN 1,1",
    "plan 1,1; id",
    "plan 1,1 && id",
    "plan 1,1 | sh",
    "plan 1,1 & id",
    "plan $(id),1",
    "plan `id`,1",
    "plan 1,$((1))",
    "plan ${IFS}1,1",
    "plan 1,1 > /etc/passwd",
    "plan --limit all 1,1",
    "plan --all",
    "plan HEAD",
    "plan refs/changes/01/1/1",
    "plan refs/heads/evil",
    "plan origin/master",
    "plan 0123456789abcdef0123456789abcdef01234567",
    "plan 1234567890,1",
    "plan 1,123456",
    "plan \N{ARABIC-INDIC DIGIT ONE},1",
    "plan \N{FULLWIDTH DIGIT ONE},1",
    "apply 0123456789abcdef0123456789abcdef01234567",
    "apply refs/heads/master",
    "apply --break-glass x",
    "apply; id",
    "apply\tx",
    "drift --repair",
    "status --runs /etc",
    "repair",
    "log",
    "work",
    "ask apply",
    "reports",
    "sh",
    "sh -i",
    "bash -c id",
    "scp -t /tmp",
    "sftp",
    "internal-sftp",
    "rsync --server . /",
    "git-upload-pack 'infra'",
    "xenci apply",
    "/bin/sh",
    "../../bin/sh",
    "a" * 100000,
]


@pytest.mark.parametrize("line", ATTACKS, ids=lambda line: repr(line)[:40])
def test_what_may_not(line: str) -> None:
    with pytest.raises(RequestError, match="this key may run one of") as caught:
        parse(line)
    if line.strip() not in ("", "log", "sh", "plan", "work", "reports"):
        assert line not in str(caught.value)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    for name in ("requests", "answers"):
        (tmp_path / name).mkdir()
    return Spool(tmp_path)


def test_the_spool_keeps_order(spool: Spool) -> None:
    names = [spool.put(parse(line)) for line in ("apply", "plan 7,2", "drift")]
    assert spool.waiting() == sorted(names)
    assert {spool.get(name).name for name in names} == {"apply", "plan 7,2", "drift"}
    assert spool.get(names[1]) == Request("plan", 7, 2)


def test_an_answer_takes_the_request_away(spool: Spool) -> None:
    name = spool.put(parse("apply"))
    assert spool.answered(name) is None
    spool.answer(name, Answer(2, "text", "run"))
    assert spool.answered(name) == Answer(2, "text", "run")
    assert spool.waiting() == []
    os.utime(spool.answers / f"{name}.json", (0, 0))
    spool.expire()
    assert list(spool.answers.iterdir()) == []


ID = "0000000000001-0123abcd"


def planted(spool: Spool, kind: str) -> None:
    """What somebody who can write into the spool may leave there."""
    path = spool.requests / ID
    secret = spool.answers / "secret"
    secret.write_text("apply")
    if kind == "link":
        path.symlink_to(secret)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "large":
        path.write_text("apply" * 1000)
    elif kind == "bytes":
        path.write_bytes(b"\xff\xfeapply")
    else:
        path.write_text("apply; id")


@pytest.mark.parametrize("kind", ["link", "pipe", "large", "bytes", "command"])
def test_what_is_no_request_is_refused_and_goes_away(spool: Spool, kind: str) -> None:
    planted(spool, kind)
    (name,) = spool.waiting()
    with pytest.raises(RequestError):
        spool.get(name)
    spool.answer(name, Answer(64, "no"))
    assert spool.waiting() == []
    assert (spool.answers / "secret").read_text() == "apply"


def test_folders_are_no_requests(spool: Spool) -> None:
    (spool.requests / ID).mkdir()
    (spool.requests / "full/of").mkdir(parents=True)
    assert spool.waiting() == []
    assert [path.name for path in spool.requests.iterdir()] == ["full"]


def test_other_names_are_removed(spool: Spool) -> None:
    for name in ("x", "..x", "1-2", f"{ID}.json", f"{ID}\n"):
        (spool.requests / name).write_text("apply")
    os.utime(spool.requests / "..x", (0, 0))
    assert spool.waiting() == []
    assert list(spool.requests.iterdir()) == []


def values(folder: Path) -> dict[str, object]:
    """Settings of which only folders matter."""
    paths = {
        "infra", "code", "venv", "git_key", "git_known_hosts", "hosts_key", "vault_password_file",
        "review_password_file", "page", "metrics",
    }  # fmt: skip
    texts = {"infra_url", "infra_project", "branch", "code_url", "review_url", "review_user", "review_group"}
    return {
        **dict.fromkeys(paths | texts, "/none"),
        "spool": str(folder),
        "runs": str(folder / "runs"),
        "inventories": ["inventory"],
        "days": 1,
    }


def test_a_job_sees_what_is_done_and_gets_the_answer(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "bastion.json").write_text(json.dumps(values(tmp_path)))
    monkeypatch.setattr(settings.load, "__defaults__", (tmp_path / "bastion.json",))
    monkeypatch.setattr(program, "POLL", 0.05)
    monkeypatch.setenv("SSH_ORIGINAL_COMMAND", "plan 12,3")

    def work() -> None:
        while not (waiting := spool.waiting()):
            pass
        spool.log(waiting[0]).write_text("it begins\n")
        spool.answer(waiting[0], Answer(2, "the plan\n"))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert program.main(["request"]) == 2
    thread.join()
    assert capsysbinary.readouterr().out == b"it begins\nthe plan\n"


@pytest.mark.parametrize("line", ["plan 1,1; id", "sh", "", "drift --repair"])
def test_the_program_refuses_the_rest(line: str, tmp_path: Path) -> None:
    for name in ("requests", "answers"):
        (tmp_path / name).mkdir()
    (tmp_path / "bastion.json").write_text(json.dumps(values(tmp_path)))
    code = (
        "import sys; from pathlib import Path; from xenci.bastion import __main__, settings;"
        f"settings.load.__defaults__ = (Path({str(tmp_path / 'bastion.json')!r}),);"
        "sys.exit(__main__.main(['request']))"
    )
    environment = {**os.environ, "SSH_ORIGINAL_COMMAND": line, "PYTHONPATH": "src"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == program.USAGE
    assert "this key may run one of" in done.stderr
    assert list((tmp_path / "requests").iterdir()) == []


def test_settings_of_another_version_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bastion.json"
    path.write_text(json.dumps(values(tmp_path) | {"more": 1}))
    with pytest.raises(
        settings.SettingsError, match="missing or unknown: more; apply the role bastion again"
    ):
        settings.load(path)
    with pytest.raises(settings.SettingsError, match="No such file"):
        settings.load(tmp_path / "none")
