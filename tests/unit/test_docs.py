"""Every command and every snippet of an inventory in `docs/` and the README is tried, without a host.

A block is `sh` (commands), `yaml` (a snippet, whose first line names its file) or `text` (to be read only).
"""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.example import copy, fill
from xenci import cli, secrets
from xenci.check import check, report
from xenci.paths import checkout

ROOT = checkout()
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OTHERS = {"ansible-vault", "cp", "curl", "export", "git", "source", "ssh", "ssh-keygen", "zuul-client"}
"""Programs that are not ours; what they are given must still be there."""


def blocks(page: Path, kind: str) -> list[str]:
    """The blocks of one kind on a page."""
    return [text for name, text in BLOCK.findall(page.read_text(encoding="utf-8")) if name == kind]


def commands(page: Path) -> list[str]:
    """The commands on a page, without their comments."""
    return [line for text in blocks(page, "sh") for line in text.splitlines() if line.strip()]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_blocks_say_what_they_are(page: Path) -> None:
    for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        assert kind in ("sh", "yaml", "text", "{toctree}"), f"{name(page)}: {text[:60]!r} is of no known kind"


@pytest.mark.parametrize(
    ("page", "line"),
    [pytest.param(page, line, id=f"{name(page)}: {line}") for page in PAGES for line in commands(page)],
)
def test_commands_are_right(page: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    line = re.sub(r"<\((.+)\)", r"\1", line).partition(" > ")[0]
    words = shlex.split(line, comments=True)
    program, arguments = words[0], words[1:]
    if program == "source" and arguments[0] == "xenci":
        program, *arguments = arguments
    if program == "xenci":
        parsed(arguments)
    elif program == "make":
        targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
        assert arguments[0] in targets
        assert all(re.fullmatch(r"[A-Z_]+=\S+", word) for word in arguments[1:])
    elif program == "ansible-playbook":
        playbooks = [word for word in arguments if word.startswith("playbooks/")]
        assert playbooks
        specified = option_names()
        given = {word.partition("=")[0] for before, word in itertools.pairwise(arguments) if before == "-e"}
        assert given <= specified, f"no role takes {given - specified}"
    else:
        assert program in OTHERS, f"{program}: what does the page need it for?"
    for word in words:
        if re.match(r"(playbooks|roles|tools)/|inventories/example|infra$", word):
            assert (ROOT / word).exists(), f"{word} is not there"


def parsed(arguments: list[str]) -> None:
    """Let the real parser read a command line."""
    try:
        cli.parser().parse_args(arguments)
    except SystemExit as error:
        assert error.code == 0, f"xenci {shlex.join(arguments)} is no command"  # noqa: PT017


def option_names() -> set[str]:
    """Inputs of all roles."""
    found: set[str] = set()
    for path in ROOT.glob("roles/*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values():
            found |= set(entry.get("options") or {})
    return found


def put(top: Path, snippet: str) -> None:
    """Write a snippet into the file that its first line names: into its mappings, or after its list."""
    file = re.match(r"# ([\w./]+)\n", snippet)
    assert file, f"the first line names no file: {snippet[:60]!r}"
    path, new = top / file[1], yaml.safe_load(snippet)
    there = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else type(new)()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(merged(there, new), sort_keys=False), encoding="utf-8")


def merged(there: Any, new: Any) -> Any:
    """What a reader makes of a file who follows a snippet."""
    if isinstance(there, dict) and isinstance(new, dict):
        return {**there, **{key: merged(there.get(key), value) for key, value in new.items()}}
    if isinstance(there, list) and there and isinstance(there[0], dict) and "job" in there[0]:
        return there + list(new)
    return new


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "yaml")], ids=name)
def test_snippets_make_an_inventory_without_mistakes(page: Path, tmp_path: Path) -> None:
    inventory, password = copy(tmp_path), tmp_path / "password"
    fill(inventory, password)
    certificate_from_elsewhere(inventory, password)
    shutil.copytree(ROOT / "infra", tmp_path / "infra")
    for snippet in blocks(page, "yaml"):
        put(tmp_path if snippet.startswith("# infra/") else inventory, snippet)
    result = check([inventory], ROOT, password, [tmp_path / "infra"])
    assert report.text(result, tmp_path) == ""


def certificate_from_elsewhere(inventory: Path, password: Path) -> None:
    """What the page about certificates puts into the vault."""
    vault, path = secrets.opened(password), inventory / "group_vars/zuul_web/vault.yml"
    values = {
        "vault_zuul_web_certificate": "-----BEGIN CERTIFICATE-----",
        "vault_zuul_web_certificate_private_key": secrets.private_key(),
    }
    plain = secrets.text(vault, path) + yaml.safe_dump(values, default_style="|")
    path.write_bytes(vault.encrypt(plain.encode()))


def test_a_wrong_command_and_a_wrong_snippet_are_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="is no command"):
        parsed(["apply", "--sideways"])
    inventory = copy(tmp_path)
    fill(inventory, tmp_path / "password")
    put(inventory, "# group_vars/all/site.yml\nsite_contact: somewhere\n")
    assert check([inventory], ROOT, tmp_path / "password").mistakes


def test_every_page_is_in_the_table_of_contents() -> None:
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    for page in ROOT.glob("docs/*.md"):
        assert page.name == "index.md" or re.search(rf"^{page.stem}$", index, re.MULTILINE), page.name


def test_named_files_exist() -> None:
    """Paths in backticks that begin with a folder of this repository."""
    folders = "|".join(("roles", "playbooks", "src", "inventories/example", "tests", "infra", "tools"))
    for page in (ROOT / "docs").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        for word in re.findall(rf"`((?:{folders})/[\w./-]+)`", text):
            assert (ROOT / word).exists(), f"{name(page)}: {word} is not there"
