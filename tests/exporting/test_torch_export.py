"""The program of torch.export: it agrees, and a changed one runs nothing."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
import torch
from tiny_exports import SIZE, crops

import apnet
from apnet.errors import CheckpointError, ConfigError
from apnet.exporting import export

MODEL, INPUTS = "models/model.json", "data/sample_inputs/model.pt"
WEIGHTS = "data/weights/model_weights_config.json"


@pytest.fixture(scope="module")
def program(checkpoint, people, tmp_path_factory):
    return export(checkpoint, "torch", tmp_path_factory.mktemp("torch") / "F.pt2", images=people)


def test_the_program_agrees(program, checkpoint):
    assert program.gate.passed
    file, original = apnet.load_model(program.path), apnet.load_model(checkpoint)
    assert file.fingerprint == original.fingerprint
    images = crops(19, SIZE)
    found, expected = file.embed(images).features, original.embed(images).features
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_torch_alone_runs_it(program, checkpoint):
    module = torch.export.load(program.path).module()
    images = crops(3, SIZE)
    expected = apnet.load_model(checkpoint).embed(images).features
    with torch.inference_mode():
        features = module(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(features, expected, atol=1e-5)


def test_no_folder_of_this_machine_is_in_it(program):
    assert b"exporting/graph.py" not in program.path.read_bytes()


def test_a_broken_graph_is_refused(checkpoint, people, tmp_path, monkeypatch):
    """The graph normalises a little wrongly, so that all cosines stay near 1."""
    import apnet.exporting.graph as graph

    whole = graph.EmbeddingGraph._normalised
    monkeypatch.setattr(
        graph.EmbeddingGraph, "_normalised", lambda self, images: whole(self, images) * 1.05
    )
    (tmp_path / "F.pt2").write_bytes(b"before")
    with pytest.raises(ConfigError, match="not written, as the exported network disagrees"):
        export(checkpoint, "torch", tmp_path / "F.pt2", images=people)
    assert [path.name for path in tmp_path.iterdir()] == ["F.pt2"]
    assert (tmp_path / "F.pt2").read_bytes() == b"before"


class Harm:
    """Its pickle writes a file when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def changed(program, path, changes):
    """Writes the program with other members; ``None`` removes one."""
    with zipfile.ZipFile(program.path) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    top = next(iter(members)).partition("/")[0]
    for name, change in changes.items():
        old = members.pop(f"{top}/{name}", b"")
        new = change(old) if callable(change) else change
        if new is not None:
            members[f"{top}/{name}"] = new
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def graph_with(change):
    def applied(text):
        graph = json.loads(text)
        change(graph)
        return json.dumps(graph)

    return applied


def call(target):
    return graph_with(
        lambda graph: graph["graph_module"]["graph"]["nodes"][0].update(target=target)
    )


def first_size(graph):
    sizes = graph["graph_module"]["graph"]["sym_int_values"]
    next(iter(sizes.values()))["as_expr"]["expr_str"] = "__import__('os').getpid()"


def pickled_weight(config):
    next(iter(config["config"].values()))["use_pickle"] = True


CHANGES = {
    "a function": ({MODEL: call("torch.load")}, "calls 'torch.load', no tensor operator"),
    "a reader": ({MODEL: call("torch.ops.aten.from_file.default")}, "no tensor operator"),
    "a size": ({MODEL: graph_with(first_size)}, "no plain product"),
    "code": ({MODEL: graph_with(lambda graph: graph.update(guards_code=["1"]))}, "holds code"),
    "an object": (
        {MODEL: graph_with(lambda graph: graph.update(as_custom_obj={"name": "x"}))},
        "'as_custom_obj', which is not read for safety",
    ),
    "a pickle": ({WEIGHTS: graph_with(pickled_weight)}, "is pickled, which is not read"),
    "a library": ({"data/aotinductor/model.so": b"x"}, "an unexpected"),
    "no graph": ({MODEL: None}, "'models/model.json' is missing"),
    "no JSON": ({MODEL: b"{"}, "'models/model.json' is damaged"),
    "no metadata": ({"extra/apnet": None}, "preprocessing is unknown"),
    "half a weight": ({"data/weights/weight_0": b"1234"}, "a damaged program"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_changed_program_is_refused(program, tmp_path, case):
    changes, expected = CHANGES[case]
    changed(program, tmp_path / "F.pt2", changes)
    with pytest.raises(CheckpointError, match=r"F\.pt2: ") as refused:
        apnet.load_model(tmp_path / "F.pt2")
    assert expected in str(refused.value)


def test_example_inputs_are_not_unpickled(program, tmp_path):
    harmed = tmp_path / "harmed"
    changed(program, tmp_path / "F.pt2", {INPUTS: pickle.dumps(Harm(harmed))})
    assert len(apnet.load_model(tmp_path / "F.pt2").embed(crops(2, SIZE))) == 2
    assert not harmed.exists()
    saved = io.BytesIO()
    torch.save(Harm(harmed), saved)
    changed(program, tmp_path / "F.pt2", {INPUTS: saved.getvalue()})
    apnet.load_model(tmp_path / "F.pt2")
    assert not harmed.exists()


@pytest.mark.parametrize("content", [b"", b"PK", b"nonsense" * 100])
def test_what_is_no_program_is_refused(tmp_path, content):
    (tmp_path / "F.pt2").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"F\.pt2: no archive of an exported program"):
        apnet.load_model(tmp_path / "F.pt2")
