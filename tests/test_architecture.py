"""Imports point one way, and the cheap ones stay cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from apnet import _HOME

SOURCE = Path(__file__).parents[1] / "src" / "apnet"

LAYERS = {
    0: [
        "_version",
        "errors",
        "arguments",
        "display",
        "extras",
        "naming",
        "files",
        "progress",
        "timing",
        "types",
        "results",
        "tables",
        "config",
        "devices",
    ],
    1: ["model", "losses", "data", "retrieval"],
    2: ["report", "checkpoints", "embedding"],
    3: ["shipped", "exported", "foreign"],
    4: ["models"],
    5: ["evaluation", "explanation", "calibration"],
    6: ["training", "rank_lists", "synthetic", "gallery", "trackers"],
    7: ["demo", "reproduction", "exporting", "service"],
    8: ["cli"],
    9: ["__main__"],
}
LAYER = {room: layer for layer, rooms in LAYERS.items() for room in rooms}


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    return rooms_in(path.read_text(), str(path))


def rooms_in(source: str, name: str) -> set[str]:
    """The rooms that a file imports from, also through a name that the package itself exports."""
    modules = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            if node.module == "apnet":
                modules |= {_HOME.get(alias.name, f"apnet.{alias.name}") for alias in node.names}
            else:
                modules.add(node.module)
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    return {module.split(".")[1] for module in modules if module.startswith("apnet.")}


FILES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path):
    here = room_of(path)
    for room in imported_rooms(path) - {here}:
        assert LAYER[room] < LAYER[here] or LAYER[room] == LAYER[here] == 0, f"{here} -> {room}"


@pytest.mark.parametrize(
    ("line", "room"),
    [
        ("from apnet import cli", "cli"),
        ("from apnet import cli as commands", "cli"),
        ("from apnet import __version__, train", "training"),
        ("from apnet.cli.application import main", "cli"),
        ("from apnet.cli import main", "cli"),
        ("import apnet.cli", "cli"),
        ("def late():\n    from apnet import evaluate_network", "evaluation"),
    ],
)
def test_an_import_through_the_package_is_seen(line, room):
    assert room in rooms_in(line, "a lower room")
    assert LAYER[room] > LAYER["retrieval"], "so it is refused in retrieval"


def test_every_room_has_a_layer():
    assert {room_of(path) for path in FILES} == set(LAYER)


LONGEST = 300
"""Lines of a file under src/apnet: what a reader takes in at once."""

LONGER: dict[str, str] = {}
"""File -> why it is longer."""


def test_files_are_short():
    lines = {
        path.relative_to(SOURCE).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in SOURCE.rglob("*.py")
    }
    assert {name for name, count in lines.items() if count > LONGEST} == set(LONGER)


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


def test_test_files_have_names_of_their_own():
    names = [path.name for path in (SOURCE.parents[1] / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names)), "pytest imports them by name"
