"""The subpackages of ``apnet.synthetic`` import only those below them."""

import ast
from pathlib import Path

import pytest

import apnet.synthetic

ROOT = Path(apnet.synthetic.__file__).parent
ORDER = ["world", "people", "scene", "render", "workers", "output", "make", "__init__"]
FILES = sorted(ROOT.rglob("*.py"))


def subpackage(parts: list[str]) -> str:
    return parts[0].removesuffix(".py") if parts else "__init__"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    here = ORDER.index(subpackage(list(path.relative_to(ROOT).parts)))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            if name.startswith("apnet.synthetic"):
                assert ORDER.index(subpackage(name.split(".")[2:])) <= here, name
