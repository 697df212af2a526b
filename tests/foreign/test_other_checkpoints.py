"""Others' checkpoints: guessed, refused with names, and ordinary models from then on."""

import numpy as np
import pytest
import torch
from layouts import LAYOUTS, Weights, fast_reid, osnet
from safetensors.torch import save_file

import apnet
from apnet.errors import CheckpointError, ConfigError
from apnet.foreign import ARCHITECTURES

GUESSED = [name for name, each in ARCHITECTURES.items() if each.guessed and "r101" not in name]
QUICK = "torchreid/osnet_x0_25"


def saved(folder, weights, name="theirs.pth"):
    torch.save(weights, folder / name)
    return folder / name


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A checkpoint of OSNet, as torchreid saves it."""
    content = {"state_dict": dict(osnet()), "epoch": 60, "rank1": 0.5, "optimizer": {"lr": 0.1}}
    return saved(tmp_path_factory.mktemp("theirs"), content, "model.pth.tar-60")


@pytest.mark.parametrize("name", GUESSED)
def test_the_weights_say_the_architecture(name, monkeypatch):
    from apnet.foreign.matching import closest

    monkeypatch.setattr(Weights, "shapes_only", True)
    exact = [each.name for each in closest(LAYOUTS[name]()) if each.exact]
    assert [each for each in exact if ARCHITECTURES[each].guessed] == [name]


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda w: w,
        lambda w: {"state_dict": w, "epoch": 1},
        lambda w: {"model": w, "iteration": 9},
        lambda w: {f"module.{name}": tensor for name, tensor in w.items()},
        lambda w: {name: tensor.half() for name, tensor in w.items()},
        lambda w: {n: t for n, t in w.items() if not n.endswith("num_batches_tracked")},
    ],
)
def test_the_wrappings_that_training_scripts_use(tmp_path, wrapped):
    model = apnet.load_model(saved(tmp_path, wrapped(dict(osnet()))), device="cpu")
    assert model.facts["architecture"] == QUICK
    assert {each.dtype for each in model.network.parameters()} == {torch.float32}


def test_safetensors_files_are_read(tmp_path, theirs):
    save_file(dict(osnet()), tmp_path / "osnet.safetensors")
    found = apnet.load_model(tmp_path / "osnet.safetensors", device="cpu")
    assert found.fingerprint == apnet.load_model(theirs, device="cpu").fingerprint


def changed(name, change):
    weights = dict(LAYOUTS[name]())
    change(weights)
    return weights


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda w: w.pop("conv3.0.conv2b.1.conv1.weight"),
            ["1 missing (the first: conv3.0.conv2b.1.conv1.weight)"],
        ),
        (
            lambda w: w.update({"conv9.weight": torch.ones(1)}),
            ["1 unknown (the first: conv9.weight)"],
        ),
        (
            lambda w: w.update({"conv1.conv.weight": torch.ones(64, 3, 7, 7)}),
            ["1 of another shape (the first: conv1.conv.weight: 64x3x7x7, not 16x3x7x7)"],
        ),
    ],
)
def test_what_does_not_fit_is_named_with_the_closest_layouts(tmp_path, change, words):
    path = saved(tmp_path, changed(QUICK, change))
    with pytest.raises(CheckpointError) as caught:
        apnet.load_model(path, architecture=QUICK, device="cpu")
    for word in [*words, "theirs.pth", "closest: torchreid/osnet_"]:
        assert word in str(caught.value)
    with pytest.raises(CheckpointError, match=f"closest: {QUICK} .*fit, 1 differ"):
        apnet.load_model(path, device="cpu")


def test_another_architecture_than_the_files_is_refused(tmp_path):
    path = saved(tmp_path, dict(fast_reid("sbs")))
    with pytest.raises(CheckpointError) as caught:
        apnet.load_model(path, architecture="fast-reid/bot_r50", device="cpu")
    assert "66 unknown (the first: backbone.NL_2.0.g.weight)" in str(caught.value)
    assert "closest: fast-reid/sbs_r50 (389 of 389 weights fit, 0 differ)" in str(caught.value)


def test_wrong_use_is_told(tmp_path, theirs):
    with pytest.raises(ConfigError, match="did you mean 'torchreid/osnet_x0_25'"):
        apnet.load_model(theirs, architecture="torchreid/osnet_x0-25")
    with pytest.raises(ConfigError, match="name the file"):
        apnet.load_model(architecture=QUICK)
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        apnet.load_model(tmp_path / "none.pth", architecture=QUICK)
    with pytest.raises(ConfigError, match="both say"):
        apnet.load_model(theirs, architecture=QUICK, network=apnet.load_model().network)


def test_code_in_a_file_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    with pytest.raises(CheckpointError, match="not unpickled for safety"):
        apnet.load_model(saved(tmp_path, {"state_dict": osnet(), "x": Trap()}), device="cpu")
    assert not (tmp_path / "ran").exists()


@pytest.fixture(scope="module")
def model(theirs):
    return apnet.load_model(theirs, device="cpu")


@pytest.fixture(scope="module")
def crops():
    return np.random.default_rng(0).integers(0, 256, (6, 64, 32, 3), np.uint8)


def test_the_preprocessing_is_the_architectures(model, crops):
    from apnet.data.transforms import normalise, resize

    pixels = torch.from_numpy(crops).permute(0, 3, 1, 2)
    images = torch.stack([normalise(resize(each, (256, 128))) for each in pixels])
    wanted = apnet.embed_images(model.network, images)
    np.testing.assert_allclose(np.asarray(model.embed(crops)), wanted.detach(), atol=1e-6)
    assert model.image_size == (256, 128)


def test_it_is_saved_as_a_checkpoint_of_this_package(model, crops, tmp_path):
    path = tmp_path / "ours.safetensors"
    apnet.save_checkpoint(path, model.network, model.config, model.facts)
    again = apnet.load_model(path, device="cpu")
    assert again.fingerprint == model.fingerprint
    np.testing.assert_array_equal(np.asarray(again.embed(crops)), np.asarray(model.embed(crops)))


def test_pyramids_are_inserted(theirs):
    network = apnet.load_model(theirs, device="cpu").network
    before = network.embed(torch.zeros(1, 3, 256, 128))
    apnet.insert_pyramids(
        network, ["trunk.conv3.body", "trunk.conv4.body"], (256, 128), start="one"
    )
    torch.testing.assert_close(network.embed(torch.zeros(1, 3, 256, 128)), before)
