"""Training learns, resumes exactly, stops cleanly and names what went wrong."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest
import torch

from apnet.checkpoints import load_checkpoint, read_tensors
from apnet.config import to_dict
from apnet.errors import CheckpointError, ConfigError, DataError, Interrupted, TrainingError
from apnet.files import file_lock
from apnet.training import NoCallback, RunFolder, resume_run, train

CPU = torch.device("cpu")


def fit(recipe, dataset, out, *callbacks, **options):
    """Trains on the CPU, without evaluation unless asked for; returns the run's folder."""
    options = {"evaluate": False, **options}
    train(recipe, dataset, out, device=CPU, callbacks=callbacks, **options)
    return RunFolder(out)


class StopAt(NoCallback):
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
        epochs=25,
        optimiser=dataclasses.replace(tiny_recipe.optimiser, learning_rate=3e-3),
        schedule=dataclasses.replace(tiny_recipe.schedule, decay_every=25),
        augmentation=dataclasses.replace(tiny_recipe.augmentation, pad=0, erase=0.0),
    )
    run = fit(recipe, tiny_set, tmp_path / "run")
    losses = [entry["loss"] for entry in run.read_history()]
    assert losses[-1] < 0.7 * losses[0]


def test_a_run_writes_its_folder(tmp_path, tiny_recipe, tiny_set):
    run = fit(tiny_recipe, tiny_set, tmp_path / "run", evaluate=True)
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
    whole = fit(tiny_recipe, tiny_set, tmp_path / "whole")
    steps_seen = []

    class Count(NoCallback):
        def step(self, epoch, step, steps, loss, rate):
            steps_seen.append(steps)

    fit(tiny_recipe, tiny_set, tmp_path / "probe", Count())
    place = (place[0], min(place[1], steps_seen[place[0]] - 1))

    cut = RunFolder(tmp_path / "cut")
    with pytest.raises(Interrupted):
        fit(tiny_recipe, tiny_set, cut.root, StopAt(*place, number))
    assert cut.state.exists()
    fit(tiny_recipe, tiny_set, cut.root, resume=True)
    assert equal_weights(whole, cut)
    keys = ("epoch", "loss", "cross-entropy", "triplet", "rate")
    for a, b in zip(whole.read_history(), cut.read_history(), strict=True):
        assert {key: a[key] for key in keys} == {key: b[key] for key in keys}


def test_kill_dash_nine_loses_at_most_the_epoch(tmp_path, tiny_recipe, tiny_set):
    whole = fit(tiny_recipe, tiny_set, tmp_path / "whole")
    script = textwrap.dedent("""
        import json, os, signal, sys
        from pathlib import Path
        from apnet.config import Recipe, parse
        from apnet.training import NoCallback, train
        from apnet.types import ImageRecord, ReidDataset

        out, root, records, recipe = sys.argv[1:]
        records = tuple(
            ImageRecord(Path(path), pid, camid) for path, pid, camid in json.loads(records)
        )
        class Kill(NoCallback):
            def step(self, epoch, step, steps, loss, rate):
                if (epoch, step) == (2, 1):
                    os.kill(os.getpid(), signal.SIGKILL)
        dataset = ReidDataset("tiny", Path(root), records, (), ())
        recipe = parse(Recipe, json.loads(recipe), "tiny")
        train(recipe, dataset, out, device="cpu", callbacks=[Kill()])
    """)
    cut = RunFolder(tmp_path / "cut")
    records = json.dumps([(str(each.path), each.pid, each.camid) for each in tiny_set.train])
    given = (str(cut.root), str(tiny_set.root), records, json.dumps(to_dict(tiny_recipe)))
    done = subprocess.run([sys.executable, "-c", script, *given], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [entry["epoch"] for entry in cut.read_history()] == [1, 2]
    fit(tiny_recipe, tiny_set, cut.root, resume=True)
    assert equal_weights(whole, cut)


def test_workers_do_not_change_the_result(tmp_path, tiny_recipe, tiny_set):
    recipe = dataclasses.replace(tiny_recipe, epochs=1)
    runs = [fit(recipe, tiny_set, tmp_path / str(workers), workers=workers) for workers in (0, 2)]
    assert equal_weights(*runs)


def test_a_loss_that_is_not_finite_names_batch_and_module(tmp_path, tiny_recipe, tiny_set):
    run = RunFolder(tmp_path / "run")

    class Poison(NoCallback):
        def step(self, epoch, step, steps, loss, rate):
            if (epoch, step) == (1, 0):
                for weight in poisoned:
                    weight.data.fill_(float("nan"))

    poisoned = []
    original = torch.optim.Adam.__init__

    def remember(self, groups, **options):
        poisoned.extend(weight for group in groups for weight in group["params"])
        original(self, groups, **options)

    says = r"nan at epoch 2, step 2, first in \S+ .*failed-batch-0\.txt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.Adam, "__init__", remember)
        with pytest.raises(TrainingError, match=says):
            fit(tiny_recipe, tiny_set, run.root, Poison())
    assert len((run.root / "failed-batch-0.txt").read_text().splitlines()) == 4
    assert load_checkpoint(run.root).facts["epoch"] == 1  # the last good epoch is intact


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, tiny_recipe, tiny_set, monkeypatch):
    run = RunFolder(tmp_path / "run")
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
        fit(tiny_recipe, tiny_set, run.root)
    monkeypatch.undo()
    assert not list(run.root.glob(".*.part"))
    fit(tiny_recipe, tiny_set, run.root, resume=True)
    assert len(run.read_history()) == 4


def test_a_used_folder_is_refused(tmp_path, tiny_recipe, tiny_set):
    fit(tiny_recipe, tiny_set, tmp_path / "run")
    with pytest.raises(ConfigError, match="continue it with --resume"):
        fit(tiny_recipe, tiny_set, tmp_path / "run")


@pytest.mark.skipif(os.name != "posix", reason="folders are not locked")
def test_two_at_a_time(tmp_path, tiny_recipe, tiny_set):
    run = RunFolder(tmp_path / "run")
    with pytest.raises(Interrupted):
        fit(tiny_recipe, tiny_set, run.root, StopAt(1, 0))
    with file_lock(run.root), pytest.raises(DataError, match="another process"):
        fit(tiny_recipe, tiny_set, run.root, resume=True)
    fit(tiny_recipe, tiny_set, run.root, resume=True)


def test_resume_refuses_what_is_no_run(tmp_path, tiny_recipe, tiny_set):
    with pytest.raises(CheckpointError, match="no run folder"):
        resume_run(tmp_path)
    run = fit(tiny_recipe, tiny_set, tmp_path / "run")
    record = run.record.read_text()
    run.record.write_text("{")
    for resume in (
        lambda: resume_run(run.root),
        lambda: fit(tiny_recipe, tiny_set, run.root, resume=True),
    ):
        with pytest.raises(CheckpointError, match="damaged"):
            resume()
    run.record.write_text(record)
    run.state.write_bytes(run.last.read_bytes())
    with pytest.raises(CheckpointError, match="no training state"):
        fit(tiny_recipe, tiny_set, run.root, resume=True)


def test_a_set_without_training_images(tmp_path, tiny_recipe, tiny_set):
    empty = dataclasses.replace(tiny_set, train=())
    with pytest.raises(DataError, match="no training images"):
        fit(tiny_recipe, empty, tmp_path / "run")
    assert not (tmp_path / "run").exists()  # nothing half-written: the same call can be repeated


def test_tensorboard_scalars(tmp_path, tiny_recipe, tiny_set):
    pytest.importorskip("tensorboard")
    from apnet.training import TensorBoard

    fit(tiny_recipe, tiny_set, tmp_path / "run", TensorBoard(tmp_path / "tb"))
    assert list((tmp_path / "tb").glob("events.out.tfevents.*"))


def test_too_little_space_is_told_before_the_first_step(
    tmp_path, tiny_recipe, tiny_set, monkeypatch
):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(DataError, match=r"state\.safetensors: needs .* MiB.*free some space"):
        fit(tiny_recipe, tiny_set, tmp_path / "run")
    assert not (tmp_path / "run").exists()
