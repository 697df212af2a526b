"""The code in the README, in docs/ and in docstrings runs as it stands there.

The blocks of one page run one after another in a folder that holds what the page speaks of. What
takes a GPU or hours is replaced by something small, see ``SMALLER``.
"""

import doctest
import importlib
import pkgutil
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import apnet
from apnet.cli.application import app
from apnet.embedding import ENGINES
from apnet.losses import LOSSES
from apnet.model.attention.table import ATTENTIONS
from apnet.retrieval.metrics.registry import METRICS
from apnet.training.schedules import SCHEDULES

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])

SMALLER = {
    '"paper-c"': '"tiny.toml"',
    'device="cuda"': 'device="cpu"',
    '"epochs": 120': '"epochs": 1',
    "ids=240, images_per_id=18": "ids=4, images_per_id=4",
    "ids=20, images_per_id=16": "ids=4, images_per_id=4",
    '"people-market"': '"people-market", share=0.004',
}
NEEDS_A_RUN = {"embedding.md", "explaining.md"}
"""Pages about a run that was trained before."""

TINY = """
epochs = 1
weights = "random"
precision = "float32"
[network]
backbone = "resnet10t"
image_size = [32, 16]
reduction = 4
[network.backbone_options]
channels = [8, 8, 16, 16]
stem_width = 8
[sampling]
identities_per_batch = 2
images_per_identity = 2
[augmentation]
pad = 2
"""


def blocks(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def restored_tables():
    tables = (ATTENTIONS, LOSSES, SCHEDULES, METRICS, ENGINES)
    before = [dict(table) for table in tables]
    yield
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


@pytest.fixture
def place(people_folder, restored_tables, tmp_path, monkeypatch):
    """The current folder and home of a user, with a set of people and some pictures."""
    for name in ("market", "DIR"):
        (tmp_path / name).symlink_to(people_folder)
    random = np.random.default_rng(3)
    (tmp_path / "crops").mkdir()
    names = ["who.jpg", "a.jpg", "b.jpg", *(f"crops/{index}.jpg" for index in range(12))]
    for name, size in [("frame.jpg", (160, 160)), *((name, (64, 32)) for name in names)]:
        pixels = random.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "tiny.toml").write_text(TINY)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", [page.name for page in PAGES if blocks(page)])
def test_the_page_runs(page, place, people_folder):
    path = next(each for each in PAGES if each.name == page)
    if page in NEEDS_A_RUN:
        apnet.train("tiny.toml", "market1501=market", out="runs/c2", device="cpu")
    if page == "extending.md":
        (place / "people").symlink_to(people_folder)
    if page == "synthetic.md":
        (place / "market").unlink()
    namespace = {"__name__": "page"}
    for block in blocks(path):
        for large, small in SMALLER.items():
            block = block.replace(large, small)
        exec(compile(block, str(path), "exec"), namespace)


def test_most_pages_have_code():
    assert {"README.md", "python.md", "extending.md"} <= {
        page.name for page in PAGES if blocks(page)
    }


def test_an_engine_of_one_s_own_is_chosen_by_its_name(place):
    from apnet.embedding import Task, choose_backend

    block = blocks(ROOT / "docs" / "extending.md")[-1]
    exec(compile(block, "extending.md", "exec"), {"torch": torch})
    network = apnet.create_network("apnet-c2-small", image_size=(64, 32)).eval()
    task = Task(network, (64, 32), 4, torch.device("cpu"))
    choice = choose_backend(
        task, lambda count: torch.randn(min(count, 8), 3, 64, 32), backend="plain"
    )
    assert choice.backend.name == "plain"
    assert choice.agreement is not None
    assert choice.agreement.cosine > 0.999


MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(apnet.__path__, "apnet.")
    if name != "apnet.__main__"
]


def test_the_examples_in_docstrings_run(place):
    found = 0
    for name in MODULES:
        counts = doctest.testmod(importlib.import_module(name))
        assert not counts.failed, name
        found += counts.attempted
    assert found > 20


def commands(page: Path) -> list[str]:
    """Lines that begin with ``apnet``, after ``$`` or four blanks, continued ones joined."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(r"^(?:\$ |    )apnet (.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("page", [page.name for page in PAGES if commands(page)])
def test_the_commands_of_the_page_exist_with_their_options(page):
    import typer

    path = next(each for each in PAGES if each.name == page)
    root = typer.main.get_command(app)
    for line in commands(path):
        words = shlex.split(line, comments=True)
        command, rest = root, words
        while rest and rest[0] in getattr(command, "commands", {}):
            command, rest = command.commands[rest[0]], rest[1:]
        assert not hasattr(command, "commands"), f"{page}: apnet {line}"
        known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        for word in rest:
            if word.startswith("--"):
                assert word.partition("=")[0] in known, f"{page}: apnet {line}: {word}"
