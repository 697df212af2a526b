"""Training that begins with a trained network: what fits is taken, and what does not is said."""

import pytest
import torch
from tiny import network_of, people, tiny, weights_in

from apnet.checkpoints import load_checkpoint, save_checkpoint
from apnet.errors import CheckpointError, ConfigError
from apnet.shipped import default_checkpoint
from apnet.training import NoCallback, RunFolder, load_recipe, resume_run, train
from apnet.training.initial_weights import begin_network, transfer

CLASSIFIER = "branches.0.heads.0.classifier.weight"


@pytest.fixture
def trained(tmp_path):
    """Returns the folder of a run on other identities."""
    data = people(tmp_path / "others", seed=5)
    train(tiny("epochs=1", "seed=3"), data, tmp_path / "trained", device="cpu", evaluate=False)
    return tmp_path / "trained"


def begun(recipe, classes=4):
    config = load_config(recipe, classes)
    torch.manual_seed(0)
    return begin_network(config, recipe.weights)


def load_config(recipe, classes):
    return type(recipe.network)(**{**vars(recipe.network), "num_classes": classes})


def test_everything_of_a_run_but_its_classifier_is_taken(trained):
    network, report = begun(tiny(f"weights={trained}"), classes=7)
    weights, own = weights_in(trained), dict(network.state_dict())
    assert report.fresh == (CLASSIFIER,)
    assert report.unused == ()
    assert report.taken == len(weights) - 1
    assert own[CLASSIFIER].shape == (7, 16)
    assert all(torch.equal(own[name], weights[name]) for name in own if name != CLASSIFIER)


def test_a_classifier_is_new_even_for_as_many_identities(trained):
    network, report = begun(tiny(f"weights={trained}"), classes=4)
    assert report.fresh == (CLASSIFIER,)
    assert not torch.equal(network.state_dict()[CLASSIFIER], weights_in(trained)[CLASSIFIER])


def test_a_file_means_what_its_run_means(trained):
    file, _ = begun(tiny(f"weights={trained / 'last.safetensors'}"))
    folder, _ = begun(tiny(f"weights={trained}"))
    assert all(
        torch.equal(value, folder.state_dict()[name]) for name, value in file.state_dict().items()
    )


def test_what_does_not_fit_is_named(trained):
    network, report = begun(tiny(f"weights={trained}", "network.parts=[1]"))
    assert set(report.fresh) == {CLASSIFIER}
    assert report.unused
    assert all("pyramid.attends.1." in name for name in report.unused)
    said = str(report)
    assert f"began with {report.taken} tensors of {trained}" in said
    assert f"new: {CLASSIFIER}" in said
    assert "pyramid.attends.1." in said.partition("without a place: ")[2]
    assert f"and {len(report.unused) - 3} more" in said
    assert network.num_classes == 4


def test_what_the_weights_lack_begins_anew(trained):
    network, report = begun(tiny(f"weights={trained}", "network.parts=[1, 2, 4]"))
    assert report.unused == ()
    fresh = set(report.fresh) - {CLASSIFIER}
    assert fresh
    assert all("pyramid.attends.2." in name for name in fresh)
    assert report.taken + len(report.fresh) == len(network.state_dict())


def test_training_says_what_it_took(tmp_path, trained):
    data, said, first = people(tmp_path / "people"), [], []

    class Look(NoCallback):
        def step(self, epoch, step, steps, loss, rate):
            first.append(loss)

    recipe = tiny(f"weights={trained}", "epochs=2")
    train(
        recipe,
        data,
        tmp_path / "run",
        device="cpu",
        evaluate=False,
        notify=said.append,
        callbacks=[Look()],
    )
    (text,) = said
    assert f"tensors of {trained}; new: {CLASSIFIER}; without a place: none" in text
    train(
        tiny("epochs=2"),
        data,
        tmp_path / "random",
        device="cpu",
        evaluate=False,
        notify=said.append,
        callbacks=[Look()],
    )
    assert len(said) == 1  # nothing to say of random weights
    assert first[0] != first[len(first) // 2]


def test_a_resumed_run_needs_no_initial_weights(tmp_path, trained):
    data, said = people(tmp_path / "people"), []
    recipe = tiny(f"weights={trained}", "epochs=1")
    train(recipe, data, tmp_path / "run", device="cpu", evaluate=False)
    (trained / "last.safetensors").unlink()
    resume_run(
        tmp_path / "run",
        device="cpu",
        settings={"epochs": 2},
        evaluate=False,
        notify=said.append,
    )
    assert len(RunFolder(tmp_path / "run").read_history()) == 2
    assert not said


def test_the_shipped_network(tmp_path):
    said = []
    recipe = load_recipe(
        "small",
        {
            "weights": "shipped",
            "preset": "weights",
            "epochs": 1,
            "optimiser.learning_rate": 1e-9,
            "sampling.identities_per_batch": 2,
            "sampling.images_per_identity": 2,
        },
    )
    shipped = default_checkpoint()
    assert load_config(recipe, 0) == load_config_without_classes(shipped)
    data = people(tmp_path / "people")
    checkpoint = train(
        recipe, data, tmp_path / "run", device="cpu", evaluate=False, notify=said.append
    )
    assert "tensors of shipped; new: " in said[0]
    assert "without a place: none" in said[0]
    assert checkpoint.network.num_classes == 4
    before = dict(shipped.network.named_parameters())
    for name, value in checkpoint.network.named_parameters():
        if "classifier" not in name:
            torch.testing.assert_close(value, before[name], atol=1e-5, rtol=0)


def load_config_without_classes(checkpoint):
    return type(checkpoint.config)(**{**vars(checkpoint.config), "num_classes": 0})


def test_nothing_that_fits_is_an_error(trained):
    with pytest.raises(CheckpointError, match=r"none of its \d+ tensors fits this network"):
        begun(tiny("weights=shipped"))


def test_a_network_of_ones_own_takes_what_fits(trained):
    recipe = tiny()
    mine = network_of(recipe, seed=9, classes=3)
    network, report = begin_network(load_config(recipe, 4), str(trained), mine)
    assert network is mine
    assert network.num_classes == 4
    assert report.fresh == (CLASSIFIER,)


def test_a_network_of_ones_own_keeps_its_weights_otherwise():
    recipe = tiny()
    mine = network_of(recipe, seed=9)
    before = {name: value.clone() for name, value in mine.state_dict().items()}
    network, report = begin_network(load_config(recipe, 4), "random", mine)
    assert report is None
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_the_preset_of_the_weights(trained):
    overrides = ["preset=weights", f"weights={trained}"]
    network = load_recipe("paper-c", overrides).network
    assert network == tiny().network
    changed = load_recipe("paper-c", [*overrides, "network.last_stride=2"]).network
    assert (changed.last_stride, changed.backbone) == (2, "resnet10t")


@pytest.mark.parametrize("weights", ["imagenet", "random"])
def test_a_preset_of_weights_that_hold_no_network(weights):
    with pytest.raises(CheckpointError, match="holds no network of this package; give 'shipped'"):
        load_recipe("paper-c", ["preset=weights", f"weights={weights}"])


def test_a_folder_that_is_no_run(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=r"a folder without last\.safetensors"):
        train(
            tiny(f"weights={tmp_path / 'empty'}"),
            people(tmp_path / "people"),
            tmp_path / "run",
            device="cpu",
        )
    assert not (tmp_path / "run").exists()


def test_a_damaged_checkpoint(tmp_path, trained):
    path = trained / "last.safetensors"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(CheckpointError, match="damaged"):
        begun(tiny(f"weights={trained}"))


def test_a_path_that_does_not_exist(tmp_path):
    with pytest.raises((CheckpointError, ConfigError), match=r"nowhere\.safetensors"):
        begun(tiny(f"weights={tmp_path / 'nowhere.safetensors'}"))


def test_a_checkpoint_saved_in_half_precision(tmp_path, trained):
    found = load_checkpoint(trained)
    path = tmp_path / "half.safetensors"
    save_checkpoint(path, found.network, found.config, {}, half=True)
    network = network_of(tiny())
    report = transfer(network, path)
    assert report.fresh == (CLASSIFIER,)
    for name, value in network.state_dict().items():
        assert value.dtype == found.network.state_dict()[name].dtype
        if name != CLASSIFIER:
            torch.testing.assert_close(
                value, found.network.state_dict()[name], rtol=1e-3, atol=1e-6
            )
