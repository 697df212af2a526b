"""Training learns, resumes exactly, stops cleanly and names what went wrong."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
import torch

from apnet.checkpoints import load_checkpoint, read_tensors
from apnet.config import to_dict
from apnet.errors import CheckpointError, ConfigError, DataError, Interrupted, TrainingError
from apnet.evaluation import evaluate_network
from apnet.files import file_lock
from apnet.training import RunFolder, Silence, train

CPU = torch.device("cpu")


def begun(tmp_path, recipe, dataset, name="run"):
    run = RunFolder(tmp_path / name)
    run.begin(recipe, {"name": dataset.name, "root": str(dataset.root)})
    return run


class StopAt(Silence):
    """Sends a signal to this process at a given epoch and step."""

    def __init__(self, epoch, step, number=signal.SIGINT):
        self.place, self.number = (epoch, step), number

    def step(self, epoch, step, steps, loss, rate):
        if (epoch, step) == self.place:
            os.kill(os.getpid(), self.number)


def equal_weights(first, second):
    a, b = read_tensors(first.last)[0], read_tensors(second.last)[0]
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_run_learns(tmp_path, tiny_recipe, tiny_set):
    recipe = dataclasses.replace(
        tiny_recipe,
        optimisation=dataclasses.replace(
            tiny_recipe.optimisation, epochs=25, rate=3e-3, decay_every=25
        ),
        augmentation=dataclasses.replace(tiny_recipe.augmentation, pad=0, erase=0.0),
    )
    run = begun(tmp_path, recipe, tiny_set)
    train(recipe, tiny_set, run, device=CPU)
    losses = [entry["loss"] for entry in run.read_history()]
    assert losses[-1] < 0.7 * losses[0]


def test_a_run_writes_its_folder(tmp_path, tiny_recipe, tiny_set):
    run = begun(tmp_path, tiny_recipe, tiny_set)

    def evaluate(network):
        return evaluate_network(network, tiny_recipe.network, tiny_set)[0]

    train(tiny_recipe, tiny_set, run, device=CPU, evaluate=evaluate)
    history = run.read_history()
    assert [entry["epoch"] for entry in history] == [1, 2, 3, 4]
    assert [("mAP" in entry) for entry in history] == [False, True, False, True]
    facts = json.loads((run.root / "run.json").read_text())
    assert facts["recipe"] == to_dict(tiny_recipe)
    assert facts["versions"]["torch"] == torch.__version__
    assert load_checkpoint(run.root).config.num_classes == 4
    assert load_checkpoint(run.best).facts["epoch"] in (2, 4)


@pytest.mark.parametrize("place", [(0, 0), (1, 1), (2, 99)])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_resume_is_exact(tmp_path, tiny_recipe, tiny_set, place, number):
    whole = begun(tmp_path, tiny_recipe, tiny_set, "whole")
    train(tiny_recipe, tiny_set, whole, device=CPU)
    steps_seen = []

    class Count(Silence):
        def step(self, epoch, step, steps, loss, rate):
            steps_seen.append(steps)

    probe = begun(tmp_path, tiny_recipe, tiny_set, "probe")
    train(tiny_recipe, tiny_set, probe, device=CPU, listener=Count())
    place = (place[0], min(place[1], steps_seen[place[0]] - 1))

    cut = begun(tmp_path, tiny_recipe, tiny_set, "cut")
    with pytest.raises(Interrupted):
        train(tiny_recipe, tiny_set, cut, device=CPU, listener=StopAt(*place, number))
    assert cut.state.exists()
    train(tiny_recipe, tiny_set, cut, device=CPU, resume=True)
    assert equal_weights(whole, cut)
    keys = ("epoch", "loss", "classification", "triplet", "rate")
    for a, b in zip(whole.read_history(), cut.read_history(), strict=True):
        assert {key: a[key] for key in keys} == {key: b[key] for key in keys}


def test_kill_dash_nine_loses_at_most_the_epoch(tmp_path, tiny_recipe, tiny_set):
    whole = begun(tmp_path, tiny_recipe, tiny_set, "whole")
    train(tiny_recipe, tiny_set, whole, device=CPU)
    script = textwrap.dedent("""
        import os, signal, sys
        import torch
        from pathlib import Path
        from apnet.config import Recipe, parse
        from apnet.data import load_dataset
        from apnet.training import RunFolder, Silence, train
        from apnet.types import ImageRecord, ReidDataset
        import json

        run = RunFolder(Path(sys.argv[1]))
        records = tuple(
            ImageRecord(Path(path), pid, camid) for path, pid, camid in json.loads(sys.argv[2])
        )
        class Kill(Silence):
            def step(self, epoch, step, steps, loss, rate):
                if (epoch, step) == (2, 1):
                    os.kill(os.getpid(), signal.SIGKILL)
        dataset = ReidDataset("tiny", Path("."), records, (), ())
        train(run.recipe(), dataset, run, device=torch.device("cpu"), listener=Kill())
    """)
    cut = begun(tmp_path, tiny_recipe, tiny_set, "cut")
    records = [(str(each.path), each.pid, each.camid) for each in tiny_set.train]
    done = subprocess.run(
        [sys.executable, "-c", script, str(cut.root), json.dumps(records)], check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert [entry["epoch"] for entry in cut.read_history()] == [1, 2]
    train(tiny_recipe, tiny_set, cut, device=CPU, resume=True)
    assert equal_weights(whole, cut)


def test_workers_do_not_change_the_result(tmp_path, tiny_recipe, tiny_set):
    recipe = dataclasses.replace(
        tiny_recipe, optimisation=dataclasses.replace(tiny_recipe.optimisation, epochs=1)
    )
    runs = [begun(tmp_path, recipe, tiny_set, str(workers)) for workers in (0, 2)]
    for run, workers in zip(runs, (0, 2), strict=True):
        train(recipe, tiny_set, run, device=CPU, workers=workers)
    assert equal_weights(*runs)


def test_a_loss_that_is_not_finite_names_the_batch(tmp_path, tiny_recipe, tiny_set):
    run = begun(tmp_path, tiny_recipe, tiny_set)

    class Poison(Silence):
        def step(self, epoch, step, steps, loss, rate):
            if (epoch, step) == (1, 0):
                for weight in poisoned:
                    weight.data.fill_(float("nan"))

    poisoned = []
    original = torch.optim.Adam.__init__

    def remember(self, weights, **options):
        poisoned.extend(weights)
        original(self, poisoned, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.Adam, "__init__", remember)
        with pytest.raises(TrainingError, match=r"nan at epoch 2, step 2 .*failed-batch-0\.txt"):
            train(tiny_recipe, tiny_set, run, device=CPU, listener=Poison())
    assert len((run.root / "failed-batch-0.txt").read_text().splitlines()) == 4
    assert load_checkpoint(run.root).facts["epoch"] == 1  # the last good epoch is intact


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, tiny_recipe, tiny_set, monkeypatch):
    run = begun(tmp_path, tiny_recipe, tiny_set)
    from apnet import checkpoints

    real, calls = checkpoints.save_file, []

    def full(tensors, path, metadata):
        calls.append(path)
        if len(calls) == 3:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        real(tensors, path, metadata)

    monkeypatch.setattr(checkpoints, "save_file", full)
    with pytest.raises(DataError, match="free some space"):
        train(tiny_recipe, tiny_set, run, device=CPU)
    monkeypatch.undo()
    assert not list(run.root.glob(".*.part"))
    train(tiny_recipe, tiny_set, run, device=CPU, resume=True)
    assert len(run.read_history()) == 4


def test_a_used_folder_is_refused(tmp_path, tiny_recipe, tiny_set):
    begun(tmp_path, tiny_recipe, tiny_set)
    with pytest.raises(ConfigError, match="continue it with --resume"):
        begun(tmp_path, tiny_recipe, tiny_set)


@pytest.mark.skipif(os.name != "posix", reason="folders are not locked")
def test_two_at_a_time(tmp_path, tiny_recipe, tiny_set):
    run = begun(tmp_path, tiny_recipe, tiny_set)
    with file_lock(run.root), pytest.raises(DataError, match="another process"):
        train(tiny_recipe, tiny_set, run, device=CPU)
    train(tiny_recipe, tiny_set, run, device=CPU)


def test_resume_refuses_what_is_no_run(tmp_path, tiny_recipe, tiny_set):
    with pytest.raises(CheckpointError, match="no run folder"):
        RunFolder(tmp_path).recipe()
    run = begun(tmp_path, tiny_recipe, tiny_set)
    (run.root / "run.json").write_text("{")
    with pytest.raises(CheckpointError, match="damaged"):
        run.recipe()
    train(tiny_recipe, tiny_set, begun(tmp_path, tiny_recipe, tiny_set, "b"), device=CPU)
    run.state.write_bytes((tmp_path / "b" / "last.safetensors").read_bytes())
    with pytest.raises(CheckpointError, match="no training state"):
        train(tiny_recipe, tiny_set, run, device=CPU, resume=True)


def test_a_set_without_training_images(tmp_path, tiny_recipe, tiny_set):
    empty = dataclasses.replace(tiny_set, train=())
    run = begun(tmp_path, tiny_recipe, empty)
    with pytest.raises(ConfigError, match="no training images"):
        train(tiny_recipe, empty, run, device=CPU)
    assert not run.root.exists()  # nothing half-written: the same command can be given again


def test_tensorboard_scalars(tmp_path, tiny_recipe, tiny_set):
    pytest.importorskip("tensorboard")
    from apnet.training import TensorBoard

    run = begun(tmp_path, tiny_recipe, tiny_set)
    train(tiny_recipe, tiny_set, run, device=CPU, listener=TensorBoard(run.root / "tb"))
    assert list((run.root / "tb").glob("events.out.tfevents.*"))
