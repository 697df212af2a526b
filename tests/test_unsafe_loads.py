"""No file that a user names is run: calls that could do it are refused in the whole tree."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [
    *(path for folder in ("src", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py")),
    *(
        path
        for path in (ROOT / "scripts").iterdir()
        if path.is_file() and b"python" in path.read_bytes().partition(b"\n")[0]
    ),
]

NEVER = {
    *("eval", "exec", "compile", "__import__"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "cPickle.load", "dill.load", "dill.loads"),
    *("marshal.load", "marshal.loads", "shelve.open", "joblib.load", "pandas.read_pickle"),
    *("yaml.load", "yaml.unsafe_load", "yaml.full_load", "jsonpickle.decode"),
    *("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("torch.jit.load", "torch.hub.load", "torch.package.PackageImporter"),
    *("shutil.unpack_archive", "tempfile.mktemp"),
}
NEEDED = {
    "torch.load": ("weights_only", True),
    "numpy.load": ("allow_pickle", False),
    "PIL.Image.open": ("formats", None),
}
"""Call -> the keyword without which it may run what is in a file, and its value if one is due."""


def imported(tree: ast.AST) -> dict[str, str]:
    """Returns what the names of a module's imports stand for."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def called(node: ast.Call, names: dict[str, str]) -> str:
    """Returns the full name of what is called, as ``numpy.load``; empty for what has none."""
    parts: list[str] = []
    place = node.func
    while isinstance(place, ast.Attribute):
        parts.append(place.attr)
        place = place.value
    if not isinstance(place, ast.Name):
        return ""
    return ".".join([names.get(place.id, place.id), *reversed(parts)])


def unsafe_calls(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    names = imported(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = called(node, names)
        keywords = {each.arg: each.value for each in node.keywords}
        values = {
            key: value.value for key, value in keywords.items() if isinstance(value, ast.Constant)
        }
        if name in NEVER or values.get("shell") or values.get("allow_pickle"):
            yield f"{node.lineno}: {name}"
        elif name in NEEDED:
            keyword, value = NEEDED[name]
            if keyword not in keywords or (value is not None and values.get(keyword) is not value):
                yield f"{node.lineno}: {name} without {keyword}"


def test_programs_of_torch_are_loaded_in_one_place_that_checks_them():
    """``torch.export.load`` unpickles, and calls what a graph names."""
    loading = []
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = imported(tree)
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        if any(called(node, names) == "torch.export.load" for node in calls):
            loading.append(path.relative_to(ROOT).as_posix())
    assert loading == ["src/apnet/exported/torch_file.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_run(path):
    assert list(unsafe_calls(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ntorch.load(path)",
        "import torch\ntorch.load(path, weights_only=False)",
        "import torch\ntorch.load(path, weights_only=chosen)",
        "from torch import load\nload(path)",
        "import numpy as np\nnp.load(path)",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "import numpy as np\nnp.array(np.load(path, mmap_mode='r'))",
        "import pickle\npickle.loads(data)",
        "from pickle import load as read\nread(file)",
        "from PIL import Image\nImage.open(path)",
        "import subprocess\nsubprocess.run(text, shell=True)",
        "import os\nos.system(text)",
        "import yaml\nyaml.load(text)",
        "eval(text)",
    ],
)
def test_what_could_run_a_file_is_seen(source):
    assert list(unsafe_calls(source))


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ntorch.load(path, map_location='cpu', weights_only=True)",
        "import numpy as np\nnp.load(path, allow_pickle=False)",
        "network.eval()",
        "re.compile(text)",
        "from PIL import Image\nImage.open(path, formats=FORMATS)",
        "import subprocess\nsubprocess.run([program, text])",
    ],
)
def test_what_runs_nothing_is_let_through(source):
    assert not list(unsafe_calls(source))
