import dataclasses
import importlib.util
from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch
from PIL import Image

import apnet.cli.model_commands as commands
import apnet.embedding.choice as choice
from apnet.data import EvaluationTransform
from apnet.embedding import (
    BACKENDS,
    PRECISIONS,
    Agreement,
    Backend,
    Task,
    agreement,
    choose_backend,
    sample_images,
)
from apnet.embedding.agreement import STRICT
from apnet.embedding.capture import BLOCK, exported, in_blocks
from apnet.embedding.engines import ENGINES, Engine
from apnet.embedding.engines.folded import folded_backend
from apnet.embedding.folding import fold
from apnet.errors import ConfigError, MissingExtraError
from apnet.model import SpatialAttention, create_network
from apnet.model.fast import channels_last
from apnet.types import ImageRecord

SIZE = (32, 16)
CPU = torch.device("cpu")


def needs(*names):
    absent = [name for name in names if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(absent), reason=f"not installed: {', '.join(absent)}")


ONNX = needs("onnx", "onnxscript", "onnxruntime")
OPENVINO = needs("openvino")


def seasoned(name):
    """Random weights; batch norms that have seen images, so that features differ."""
    torch.manual_seed(0)
    network = create_network(name, image_size=SIZE).train()
    for stage in network.modules():
        if isinstance(stage, SpatialAttention):
            torch.nn.init.ones_(stage.score[-1].weight)
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(16, 3, *SIZE) + torch.randn(16, 3, 1, 1))
    return network.eval()


@pytest.fixture(scope="module")
def network():
    return seasoned("apnet-c2-small")


@pytest.fixture(scope="module")
def images():
    torch.manual_seed(1)
    return torch.randn(BLOCK + 5, 3, *SIZE) + torch.randn(BLOCK + 5, 3, 1, 1)


@pytest.fixture(scope="module")
def expected(network, images):
    with torch.inference_mode():
        return network.embed(images)


def test_folding_leaves_the_features(network, images, expected):
    backend = folded_backend(network, SIZE, "float32")
    torch.testing.assert_close(backend.run(images), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(backend.run(images[:1]), expected[:1], atol=1e-4, rtol=1e-4)


def test_folding_a_spatial_pyramid_leaves_the_features(images):
    network = seasoned("apnet-s1-small")  # norms and weights of several modules are stacked
    backend = folded_backend(network, SIZE, "float32")
    with torch.inference_mode():
        expected = network.embed(images)
    torch.testing.assert_close(backend.run(images), expected, atol=1e-4, rtol=1e-4)


def test_what_is_made_of_weights_alone_is_computed_once():
    aten = torch.ops.aten
    graph = exported(seasoned("apnet-s1-small"), SIZE).module()
    inputs = [n.all_input_nodes for n in graph.graph.nodes if n.target == aten.cat.default]
    assert any(all(x.op == "get_attr" for x in found) for found in inputs)
    left = [n for n in fold(graph).graph.nodes if n.op == "call_function" and n.all_input_nodes]
    assert not any(all(x.op == "get_attr" for x in n.all_input_nodes) for n in left)


@pytest.mark.parametrize("name", ["apnet-c2-small", "apnet-s1-small"])
def test_a_folded_graph_scales_every_map_once_in_bf16(name, images, monkeypatch):
    scaled, pooled, maps = channels_last.scale, channels_last.pool, []
    monkeypatch.setattr(channels_last, "scale", lambda x, gate: maps.append(x) or scaled(x, gate))
    monkeypatch.setattr(channels_last, "pool", lambda x: maps.append(x) or pooled(x))
    backend = folded_backend(seasoned(name), SIZE, "bf16")
    maps.clear()
    backend.run(images[:BLOCK])
    stages = 4
    assert len(maps) == (2 * stages if name == "apnet-c2-small" else stages)
    assert all(x.dtype is torch.bfloat16 for x in maps)


def test_every_norm_behind_a_convolution_is_folded(network):
    norms = sum(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    module = fold(exported(network, SIZE).module())
    left = [n for n in module.graph.nodes if n.target == torch.ops.aten.batch_norm.default]
    assert norms > 10
    assert len(left) == 1  # the neck, which follows no convolution


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        pytest.param("onnx", "float32", marks=ONNX),
        pytest.param("openvino", "float32", marks=OPENVINO),
        pytest.param("eager", "bf16"),
        pytest.param("folded", "bf16"),
        pytest.param("onnx", "int8", marks=ONNX),
    ],
)
def test_backends_agree(network, images, expected, name, precision):
    task = Task(network, SIZE, 1, CPU)
    built = ENGINES[name].build(task, precision, images[:BLOCK])
    features = built.run(images)
    assert features.shape == expected.shape
    assert features.dtype == torch.float32
    agreed = agreement(expected.numpy(), features.numpy())
    assert agreed.cosine > {"float32": 0.99999, "bf16": 0.999, "int8": 0.98}[precision]
    assert agreed.cosine < 1 - 1e-9 or precision == "float32"  # it is another arithmetic


def test_blocks_are_filled_and_cut():
    sizes = []

    def run(block):
        sizes.append(len(block))
        return block.sum(dim=(1, 2, 3))[:, None]

    images = torch.randn(2 * BLOCK + 3, 3, 2, 2)
    torch.testing.assert_close(in_blocks(run)(images), images.sum(dim=(1, 2, 3))[:, None])
    assert sizes == [BLOCK] * 3


def test_agreement_of_equals_and_of_others():
    features = np.random.default_rng(0).standard_normal((20, 8))
    assert agreement(features, 3 * features) == Agreement(pytest.approx(1), 1, 1, 20)
    other = agreement(features, np.random.default_rng(1).standard_normal((20, 8)))
    assert other.cosine < 0.5
    assert other.orders == pytest.approx(0.5, abs=0.05)
    assert not STRICT.met(other)
    assert not STRICT.met(agreement(features, np.full((20, 8), np.nan)))


def test_rank_agreement_counts_the_decisions_of_its_definition():
    """Four directions; the second way swaps two neighbours of the first image only."""

    def at(*degrees):
        return np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)

    first, second = at(0, 10, -11, 90), at(0, 12, -11, 90)
    cosines = [matrix @ matrix.T for matrix in (first, second)]
    right = decisions = 0
    for query in range(4):
        others = [image for image in range(4) if image != query]
        nearest = max(others, key=lambda image: cosines[0][query, image])
        for rival in set(others) - {nearest}:
            decisions += 1
            right += cosines[1][query, nearest] >= cosines[1][query, rival]
    assert (decisions, right) == (8, 7)
    assert agreement(first, second).ranks == pytest.approx(7 / 8)


def test_the_sample_is_spread_and_leaves_broken_images_out(tmp_path):
    records = []
    for index in range(9):
        path = tmp_path / f"{index}.png"
        Image.new("RGB", (8, 8), (index * 20, 0, 0)).save(path)
        records.append(ImageRecord(path, 1))
    (tmp_path / "4.png").write_bytes(b"")
    taken = sample_images(records, (8, 8), 3)
    transform = EvaluationTransform((8, 8))
    for image, value in zip(taken, (0, 160), strict=True):
        flat = torch.zeros(3, 8, 8, dtype=torch.uint8)
        flat[0] = value
        torch.testing.assert_close(image, transform(flat))


def test_few_images_are_done_by_the_reference(network):
    chosen = choose_backend(Task(network, SIZE, 100, CPU), sample=None)
    assert str(chosen.backend) == "eager float32"
    assert chosen.agreement is None


def noisy(name, noise):
    """Builds the reference with some noise, in place of an engine's network."""

    def build(task, arithmetic, _calibration):
        if noise is None:
            raise RuntimeError("no compiler\nand a long story")

        def run(images):
            with torch.inference_mode():
                features = task.network.embed(images)
            return features + noise * torch.randn(features.shape) * features.std()

        return Backend(name, arithmetic, run)

    return build


def absent(*_arguments):
    raise MissingExtraError("not installed")


@pytest.fixture
def only(monkeypatch):
    """Replaces the engines' builders: by noisy ones where a noise is given, else by none."""

    def install(noise):
        for name, engine in ENGINES.items():
            build = noisy(name, noise[name]) if name in noise else absent
            monkeypatch.setitem(ENGINES, name, dataclasses.replace(engine, build=build))
        monkeypatch.setattr(choice, "choose_precision", lambda *_: "bf16")

    return install


def pick(network, images, count=5000, **settings):
    return choose_backend(Task(network, SIZE, count, CPU), lambda n: images[:n], **settings)


def test_one_that_disagrees_is_not_used_and_told(network, images, only):
    only({"openvino": 0.5, "folded": 0.0})
    chosen = pick(network, images)
    assert str(chosen.backend) == "folded bf16"
    assert chosen.agreement.ranks == 1
    (remark,) = chosen.remarks
    assert remark.startswith("openvino bf16 does not agree: smallest cosine 0.")
    assert "at least 0.999 and 99.9% are needed" in remark


def test_one_that_does_not_run_is_not_used_and_told(network, images, only):
    only({"openvino": None, "onnx": 0.0})
    chosen = pick(network, images)
    assert str(chosen.backend) == "onnx float32"
    assert chosen.remarks == (
        "openvino bf16 does not run here (no compiler)",
        "openvino float32 does not run here (no compiler)",
    )


def test_the_reference_is_left_when_nothing_else_is_there(network, images, only):
    only({"folded": 1.0})
    chosen = pick(network, images)
    assert str(chosen.backend) == "eager float32"
    assert len(chosen.remarks) == 2


def test_what_was_asked_for_by_name_fails_by_name(network, images, only):
    only({"openvino": 1.0})
    with pytest.raises(ConfigError, match=r"does not agree: .*use --backend auto"):
        pick(network, images, backend="openvino", precision="float32")
    with pytest.raises(MissingExtraError):
        pick(network, images, backend="onnx")
    with pytest.raises(ConfigError, match="openvino int8 does not agree"):
        pick(network, images, precision="int8")
    only({})
    with pytest.raises(ConfigError, match="packages that are not installed"):
        pick(network, images, precision="int8")


def test_compiling_is_for_many_images(network, images, only):
    only({"compiled": 0.0, "folded": 0.0})
    assert pick(network, images).backend.name == "folded"
    assert pick(network, images, count=50_000).backend.name == "compiled"


@pytest.mark.parametrize("settings", [{"backend": "onnx"}, {"precision": "int8"}])
def test_the_processor_only(network, settings):
    with pytest.raises(ConfigError, match="add --device cpu"):
        choose_backend(Task(network, SIZE, 9, torch.device("meta")), sample=None, **settings)


def test_a_further_engine_is_a_line_in_the_table(network, images, only, monkeypatch):
    only({"folded": 0.0})
    assert pick(network, images).backend.name == "folded"
    fake = Engine(noisy("fake", 0.0), ("float32", "bf16"), order=0, worth_from=1000)
    monkeypatch.setitem(ENGINES, "fake", fake)
    assert str(pick(network, images).backend) == "fake bf16"
    assert str(pick(network, images, precision="float32").backend) == "fake float32"
    assert pick(network, images, count=999).backend.name == "folded"
    assert pick(network, images, count=9, backend="fake").backend.name == "fake"
    with pytest.raises(ConfigError, match=r"choose one of auto, .*openvino, fake"):
        pick(network, images, backend="fast")
    with pytest.raises(ConfigError, match="fake has no int8, only float32 or bf16; use onnx or"):
        pick(network, images, backend="fake", precision="int8")


@pytest.mark.parametrize("on_gpu", [True, False])
def test_an_engine_says_whether_it_runs_on_gpus(network, only, monkeypatch, on_gpu):
    only({})
    fake = Engine(noisy("fake", 0.0), ("float32",), order=0, on_gpu=on_gpu)
    monkeypatch.setitem(ENGINES, "fake", fake)
    task = Task(network, SIZE, 5000, torch.device("meta"))
    tried = list(choice._candidates(task, "auto", "float32"))
    assert tried == [("fake", "float32")] * on_gpu + [("eager", "float32")]


@pytest.mark.parametrize(
    ("count", "precision", "expected"),
    [
        (100, "auto", ["eager float32"]),
        (100, "bf16", ["eager bf16"]),
        (100, "int8", ["openvino int8", "onnx int8"]),
        (
            5000,
            "auto",
            [
                *("openvino bf16", "folded bf16"),
                *("openvino float32", "onnx float32", "folded float32", "eager float32"),
            ],
        ),
        (50_000, "bf16", ["openvino bf16", "compiled bf16", "folded bf16"]),
        (50_000, "int8", ["openvino int8", "onnx int8"]),
    ],
)
def test_what_is_tried_and_in_which_order(network, only, count, precision, expected):
    only({})
    tried = choice._candidates(Task(network, SIZE, count, CPU), "auto", precision)
    assert [f"{name} {arithmetic}" for name, arithmetic in tried] == expected


@pytest.mark.parametrize(("option", "names"), [("backend", BACKENDS), ("precision", PRECISIONS)])
def test_the_commands_help_names_what_there_is(option, names):
    _, settings = get_args(get_type_hints(commands.embed, include_extras=True)[option])
    assert settings.help == f"{', '.join(names[:-1])} or {names[-1]}."
