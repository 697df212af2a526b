"""What may change when a run goes on, what may not, and runs of version 0.1."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from tiny import StopAt, people, same, tiny, weights_in, write_people

from apnet.checkpoints import read_tensors
from apnet.errors import ConfigError, DataError, Interrupted
from apnet.training import RunFolder, resume_run, train

OLD_RUN = Path(__file__).parents[1] / "fixtures" / "run-0.1"


@pytest.fixture
def run(tmp_path):
    """Returns a run of three epochs that is done."""
    train(tiny(), people(tmp_path / "people"), tmp_path / "run", device="cpu", evaluate=False)
    return RunFolder(tmp_path / "run")


def changes_in(run):
    return json.loads(run.record.read_text())["changes"]


def test_more_epochs(tmp_path, run):
    resume_run(run.root, device="cpu", settings={"epochs": 6}, evaluate=False)
    assert [entry["epoch"] for entry in run.read_history()] == [1, 2, 3, 4, 5, 6]
    assert run.recipe() == tiny("epochs=6")
    assert changes_in(run) == [{"after_epoch": 3, "settings": {"epochs": {"old": 3, "new": 6}}}]
    # The schedule does not read the number of epochs, so it is the run of six epochs exactly.
    data = people(tmp_path / "again")
    train(tiny("epochs=6"), data, tmp_path / "whole", device="cpu", evaluate=False)
    assert same(weights_in(tmp_path / "whole"), weights_in(run.root))


def test_several_changes_are_kept(run):
    resume_run(run.root, device="cpu", settings=["epochs=4", "evaluate_every=1"], evaluate=False)
    resume_run(
        run.root,
        device="cpu",
        settings={"epochs": 5, "optimiser.learning_rate": 0.5},
        evaluate=False,
    )
    assert [entry["rate"] for entry in run.read_history()][3:] == pytest.approx([1e-4, 0.005])
    assert [change["after_epoch"] for change in changes_in(run)] == [3, 4]
    assert changes_in(run)[0]["settings"]["evaluate_every"] == {"old": 0, "new": 1}
    assert changes_in(run)[1]["settings"]["optimiser.learning_rate"] == {"old": 1e-3, "new": 0.5}


def test_a_setting_that_is_as_it_was_is_no_change(run):
    before = run.record.read_bytes()
    resume_run(run.root, device="cpu", settings={"epochs": 3}, evaluate=False)
    assert run.record.read_bytes() == before


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("network.parts", [1, 4]),
        ("network.attention", "spatial"),
        ("sampling.images_per_identity", 4),
        ("loss", "cross-entropy"),
        ("optimiser.name", "sgd"),
        ("augmentation.pad", 3),
        ("seed", 1),
        ("weights", "shipped"),
    ],
)
def test_other_settings_are_refused_by_name(run, setting, value):
    before = run.record.read_bytes()
    with pytest.raises(ConfigError, match=rf"--resume cannot change {setting} .*start a new run"):
        resume_run(run.root, device="cpu", settings={setting: value, "epochs": 9})
    assert run.record.read_bytes() == before


def test_fewer_epochs_than_are_done(run):
    before = run.record.read_bytes()
    with pytest.raises(ConfigError, match="3 epochs are done, epochs = 2 cannot undo them"):
        resume_run(run.root, device="cpu", settings={"epochs": 2})
    assert run.record.read_bytes() == before


def test_an_unknown_setting(run):
    with pytest.raises(ConfigError, match="unknown setting 'epoch'; did you mean 'epochs'"):
        resume_run(run.root, device="cpu", settings={"epoch": 9})


def test_train_refuses_other_settings_in_a_folder_that_is_in_use(tmp_path, run):
    with pytest.raises(ConfigError, match="holds a run with other settings"):
        train(
            tiny("seed=1"),
            people(tmp_path / "p"),
            run.root,
            device="cpu",
            resume=True,
            evaluate=False,
        )


def test_changed_identities_are_named(tmp_path, run):
    train_split = tmp_path / "people" / "bounding_box_train"
    for path in train_split.glob("0002_*"):
        path.rename(path.with_name(path.name.replace("0002", "0099")))
    message = "1 identity removed: 0002; 1 identity added: 0099; restore them"
    with pytest.raises(DataError, match=message):
        resume_run(run.root, device="cpu", settings={"epochs": 4})
    for path in train_split.glob("0099_*"):
        path.rename(path.with_name(path.name.replace("0099", "0002")))
    resume_run(run.root, device="cpu", settings={"epochs": 4}, evaluate=False)


def test_a_missing_image_names_its_identity(tmp_path, run):
    next((tmp_path / "people" / "bounding_box_train").glob("0003_*")).unlink()
    message = r"1 identity changed: 0003 \(3 images, before 4\)"
    with pytest.raises(DataError, match=message):
        resume_run(run.root, device="cpu", settings={"epochs": 4})


def test_changed_test_images_are_no_matter(tmp_path, run):
    next((tmp_path / "people" / "bounding_box_test").glob("0006_*")).unlink()
    resume_run(run.root, device="cpu", settings={"epochs": 4})
    assert "mAP" in run.read_history()[-1]


@pytest.mark.filterwarnings("ignore:settings of version 0.1 were translated")
def test_a_run_of_version_0_1_goes_on_exactly(tmp_path):
    data = write_people(tmp_path / "people")
    run = RunFolder(tmp_path / "run")
    shutil.copytree(OLD_RUN, run.root)
    facts = json.loads(run.record.read_text())
    facts["data"]["root"] = str(data)
    run.record.write_text(json.dumps(facts))
    recipe = run.recipe()
    assert (recipe.epochs, recipe.optimiser.learning_rate) == (3, 1e-3)
    assert [(term.name, term.weight) for term in recipe.loss] == [
        ("cross-entropy", 1),
        ("triplet", 0.5),
    ]
    assert (recipe.sampling.identities_per_batch, recipe.schedule.warmup_epochs) == (2, 1)
    resume_run(run.root, device="cpu")
    history = run.read_history()
    assert [entry["epoch"] for entry in history] == [1, 2, 3]
    assert "classification" not in history[-1]
    uninterrupted = read_tensors(OLD_RUN / "whole.safetensors")[0]
    torch.testing.assert_close(weights_in(run.root), uninterrupted, rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore:settings of version 0.1 were translated")
def test_a_run_of_version_0_1_may_change_too(tmp_path):
    data = write_people(tmp_path / "people")
    run = RunFolder(tmp_path / "run")
    shutil.copytree(OLD_RUN, run.root)
    facts = json.loads(run.record.read_text())
    facts["data"]["root"] = str(data)
    run.record.write_text(json.dumps(facts))
    resume_run(run.root, device="cpu", settings={"optimisation.epochs": 4}, evaluate=False)
    assert run.recipe().epochs == len(run.read_history()) == 4
    assert changes_in(run)[0]["settings"] == {"epochs": {"old": 3, "new": 4}}


def test_the_rate_changes_after_an_interruption(tmp_path):
    data = people(tmp_path / "people")
    run = RunFolder(tmp_path / "run")
    with pytest.raises(Interrupted):
        train(tiny(), data, run.root, device="cpu", evaluate=False, callbacks=[StopAt(1, 0)])
    resume_run(run.root, device="cpu", settings={"optimiser.learning_rate": 2e-3}, evaluate=False)
    rates = [entry["rate"] for entry in run.read_history()]
    assert rates == pytest.approx([1e-5, 2e-3, 2e-4])
    assert changes_in(run)[0]["after_epoch"] == 1


def test_data_that_has_moved(tmp_path, run):
    (tmp_path / "people").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="people"):
        resume_run(run.root, device="cpu", settings={"epochs": 4})
