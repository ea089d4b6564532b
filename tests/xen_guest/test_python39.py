"""The dom0 program runs on Debian 11's Python 3.9 with nothing but the standard library."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

GUEST = Path(__file__).parents[2] / "src" / "xenci" / "guest"
FILES = [*sorted(GUEST.glob("*.py")), GUEST.parent / "__init__.py"]
# What came after 3.9 and is easily used without a thought: keyword arguments and attributes.
NEWER_KEYWORDS = {
    "strict": "zip",
    "slots": "dataclass",
    "kw_only": "dataclass",
    "delete_on_close": "NamedTemporaryFile",
}
NEWER_MODULES = {"tomllib"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_syntax_and_imports(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))
    assert not any(isinstance(node, ast.Match) for node in ast.walk(tree))
    for node in ast.walk(tree):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        for module in modules:
            top = module.partition(".")[0]
            assert (
                module.startswith("xenci.guest") or module == "xenci.guest" or top in sys.stdlib_module_names
            )
            assert top not in NEWER_MODULES
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                called = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                assert NEWER_KEYWORDS.get(keyword.arg or "") != called, f"{file.name}:{node.lineno}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_annotations_are_not_evaluated(file: Path) -> None:
    """`X | None` fails on 3.9, except in annotations that stay text."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if any(isinstance(node, (ast.FunctionDef, ast.AnnAssign)) for node in ast.walk(tree)):
        imported = [
            node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        ]
        assert imported, f"{file.name} needs `from __future__ import annotations`"
    annotations = set()
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            part = getattr(node, name, None)
            if part is not None:
                annotations |= set(map(id, ast.walk(part)))
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and id(node) not in annotations:
            unions = [
                side
                for side in (node.left, node.right)
                if isinstance(side, ast.Constant) and side.value is None
            ]
            assert not unions, f"{file.name}:{node.lineno}: a union outside of an annotation"
