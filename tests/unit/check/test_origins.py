"""The one place that leans on ansible-core's private origin tags: when they move, this says so."""

from __future__ import annotations

from pathlib import Path

from ansible.parsing.dataloader import DataLoader

from xenci.check.mistake import Place
from xenci.check.origins import place


def test_keys_values_and_elements_know_their_line(tmp_path: Path) -> None:
    path = tmp_path / "vars.yml"
    path.write_text("---\n\nname: value\nnumber: 3\nlist:\n  - one\n  - key: two\n", encoding="utf-8")
    read = DataLoader().load_from_file(str(path))
    keys = {str(key): key for key in read}
    assert place(keys["name"]) == Place(str(path), 3, 1)
    assert place(read["name"]) == Place(str(path), 3, 7)
    assert place(read["number"]) == Place(str(path), 4, 9)
    assert place(read["list"]) == Place(str(path), 6, 3)
    assert place(read["list"][1]["key"]) == Place(str(path), 7, 10)


def test_what_was_not_read_has_no_place() -> None:
    assert place("text") is None
    assert place(None) is None
