"""The code of docs/extending.md runs as it stands there."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import apnet
from apnet.embedding import ENGINES
from apnet.losses import LOSSES
from apnet.model.attention.table import ATTENTIONS
from apnet.retrieval.metrics.registry import METRICS
from apnet.training.schedules import SCHEDULES

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"


@pytest.fixture
def people(tmp_path):
    random = np.random.default_rng(0)
    for split, pids in (("bounding_box_train", (1, 2, 3, 4)), ("query", (5, 6))):
        for pid in pids:
            for index in range(4):
                pixels = random.integers(0, 256, (32, 16, 3)).astype(np.uint8)
                name = f"{pid:04d}_c{index % 2 + 1}s1_{index:06d}_00.png"
                for folder in (split, "bounding_box_test") if split == "query" else (split,):
                    (tmp_path / "people" / folder).mkdir(parents=True, exist_ok=True)
                    Image.fromarray(pixels).save(tmp_path / "people" / folder / name)
    return tmp_path


@pytest.fixture
def restored_tables():
    tables = (ATTENTIONS, LOSSES, SCHEDULES, METRICS, ENGINES)
    before = [dict(table) for table in tables]
    yield
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)


def test_the_page_runs(people, restored_tables, monkeypatch):
    monkeypatch.chdir(people)
    namespace = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 7
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), namespace)
    network = namespace["network"]
    assert [type(stage.pyramid.attends[0].attends[0]).__name__ for stage in network.stages] == [
        "RowAttention"
    ] * 4
    assert [term.name for term in namespace["recipe"].loss] == ["cross-entropy", "mean-norm"]
    counted = apnet.network_cost(network, (64, 32))
    assert counted.parameters == sum(weight.numel() for weight in network.parameters())


def test_an_engine_of_the_page_is_chosen_by_its_name(people, restored_tables, monkeypatch):
    import torch

    from apnet.embedding import Task, choose_backend

    monkeypatch.chdir(people)
    block = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[-1]
    exec(compile(block, str(PAGE), "exec"), {"torch": torch})
    network = apnet.create_network("apnet-c2-small", image_size=(64, 32)).eval()
    task = Task(network, (64, 32), 4, torch.device("cpu"))
    choice = choose_backend(
        task, lambda count: torch.randn(min(count, 8), 3, 64, 32), backend="plain"
    )
    assert choice.backend.name == "plain"
    assert choice.agreement is not None
    assert choice.agreement.cosine > 0.999
