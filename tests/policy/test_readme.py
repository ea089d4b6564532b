"""The README shows commands that exist and names files that are there."""

from __future__ import annotations

import re

from tests.policy.repository import ROOT, text_files

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_named_files_exist() -> None:
    named = {
        word
        for word in re.findall(r"`([\w./-]+)`", README)
        if "/" in word and not word.startswith((".venv", "xenci "))
    }
    assert len(named) > 15
    missing = sorted(word for word in named if not (ROOT / word).exists())
    assert not missing, f"README names what is not there: {missing}"


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", text_files()["Makefile"], re.MULTILINE))
    pages = [README, *(text for name, text in text_files().items() if name.startswith("docs/"))]
    named = {target for page in pages for target in re.findall(r"\bmake ([a-z0-9-]+)\b(?=[`\s])", page)}
    assert {"demo", "test", "quick"} <= named
    assert named <= targets, f"no such target: {sorted(named - targets)}"


def test_every_make_target_has_its_line_of_help() -> None:
    makefile = text_files()["Makefile"]
    phony = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE))
    helped = set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.MULTILINE))
    assert phony == helped
