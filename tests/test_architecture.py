"""Imports point one way, and the cheap ones stay cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "apnet"

LAYERS = {
    0: [
        "_version",
        "errors",
        "extras",
        "files",
        "progress",
        "types",
        "results",
        "config",
        "devices",
    ],
    1: ["model", "losses", "data", "retrieval"],
    2: ["report", "checkpoints", "embedding", "explanation"],
    3: ["evaluation", "shipped"],
    4: ["training"],
    5: ["synthetic", "demo", "reproduction"],
    6: ["cli"],
    7: ["__main__"],
}
LAYER = {room: layer for layer, rooms in LAYERS.items() for room in rooms}


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        rooms |= {name.split(".")[1] for name in names if name.startswith("apnet.")}
    return rooms


FILES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path):
    here = room_of(path)
    for room in imported_rooms(path) - {here}:
        assert LAYER[room] < LAYER[here] or LAYER[room] == LAYER[here] == 0, f"{here} -> {room}"


def test_every_room_has_a_layer():
    assert {room_of(path) for path in FILES} == set(LAYER)


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in result.stdout.split()}


def test_importing_the_package_is_light():
    assert not loaded_by("import apnet") & {
        "torch",
        "timm",
        "matplotlib",
        "jinja2",
        "h5py",
        "numpy",
    }


def test_scoring_needs_no_torch():
    assert not loaded_by("import apnet.retrieval") & {"torch", "timm", "matplotlib"}


def test_every_public_name_is_there():
    import apnet

    for name in apnet.__all__:
        assert getattr(apnet, name) is not None, name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = apnet.nonsense
