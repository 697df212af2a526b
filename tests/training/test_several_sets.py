"""Several data sets at once: training, evaluation of each, exact resume, several processes."""

import dataclasses
import json
import subprocess
import sys
import textwrap

import pytest
from tiny import StopAt, people, same, tiny, weights_in

from apnet.checkpoints import load_checkpoint
from apnet.config import to_dict
from apnet.data.mixing import mix
from apnet.errors import ConfigError, DataError, Interrupted, TrainingError
from apnet.training import NoCallback, RunFolder, resume_run, train
from apnet.training import loop as training_loop
from apnet.training import session as training_session

CIRCLE = (
    "loss=cross-entropy, circle",
    "loss.circle.scale=16",
    "optimiser.name=adamw",
    "optimiser.ema=0.9",
    "schedule.name=cosine",
    "sampling.identities_per_batch=4",
)


class Evaluations(NoCallback):
    """Notes the evaluations and the entries of the history."""

    def __init__(self) -> None:
        self.found = []
        self.entries = []

    def evaluation(self, name, evaluation):
        self.found.append((name, evaluation))

    def epoch(self, entry):
        self.entries.append(entry)


@pytest.fixture
def pair(tmp_path):
    """Returns two sets whose identities have the same numbers."""
    return [people(tmp_path / "a"), people(tmp_path / "b", seed=1)]


def test_each_set_is_evaluated_by_itself(tmp_path, pair):
    seen = Evaluations()
    checkpoint = train(tiny("epochs=2"), pair, tmp_path / "run", device="cpu", callbacks=[seen])
    assert checkpoint.config.num_classes == 8
    (first, one), (second, two) = seen.found
    assert (first, second) == ("market1501", "market1501-2")
    entry = seen.entries[-1]
    assert (entry["mAP market1501"], entry["mAP market1501-2"]) == (one.mAP, two.mAP)
    assert (entry["rank1 market1501"], entry["rank1 market1501-2"]) == (one.rank(1), two.rank(1))
    assert entry["mAP"] == pytest.approx((one.mAP + two.mAP) / 2)
    assert one.queries == two.queries == 16
    assert RunFolder(tmp_path / "run").read_history()[-1] == entry


def test_the_folder_names_both(tmp_path, pair):
    train(tiny("epochs=1"), pair, tmp_path / "run", device="cpu", evaluate=False)
    noted = RunFolder(tmp_path / "run").data()
    assert [each["name"] for each in noted] == ["market1501"] * 2
    assert [each["root"] for each in noted] == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert all(each["train"]["identities"] == 4 for each in noted)
    assert load_checkpoint(tmp_path / "run").facts["data"] == "market1501, market1501"


def test_sets_by_name(tmp_path, pair):
    names = [f"market1501={tmp_path / 'a'}", pair[1]]
    train(tiny("epochs=1"), names, tmp_path / "run", device="cpu", evaluate=False)
    train(tiny("epochs=1"), pair, tmp_path / "same", device="cpu", evaluate=False)
    assert same(weights_in(tmp_path / "run"), weights_in(tmp_path / "same"))


@pytest.mark.parametrize("balance", ["identity", "set"])
def test_balance_by_set(tmp_path, pair, monkeypatch, balance):
    recipe = tiny("epochs=1", f"sampling.balance={balance}")
    sources = mix(pair).sources
    drawn = []
    real = training_session.PKBatches.share

    def spy(self, epoch, rank, world):
        batches = real(self, epoch, rank, world)
        drawn.extend({sources[draw.record] for draw in batch} for batch in batches)
        return batches

    monkeypatch.setattr(training_session.PKBatches, "share", spy)
    train(recipe, pair, tmp_path / "run", device="cpu", evaluate=False)
    assert drawn
    assert all(found == {0, 1} for found in drawn) == (balance == "set")


def test_balance_that_does_not_divide(tmp_path, pair):
    recipe = tiny("sampling.balance=set", "sampling.identities_per_batch=3")
    with pytest.raises(ConfigError, match="a multiple of 2"):
        train(recipe, pair, tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("place", [(0, 1), (2, 0)])
def test_a_run_on_two_sets_resumes_exactly(tmp_path, pair, place):
    pytest.importorskip("pytorch_metric_learning")
    recipe = tiny(*CIRCLE, "sampling.balance=set")
    train(recipe, pair, tmp_path / "whole", device="cpu", evaluate=False)
    with pytest.raises(Interrupted, match="nothing lost"):
        train(
            recipe,
            pair,
            tmp_path / "cut",
            device="cpu",
            evaluate=False,
            callbacks=[StopAt(*place)],
        )
    resume_run(tmp_path / "cut", device="cpu", evaluate=False)
    assert same(weights_in(tmp_path / "whole"), weights_in(tmp_path / "cut"))
    keys = ("epoch", "rate", "loss", "cross-entropy", "circle")
    whole, cut = (RunFolder(tmp_path / name).read_history() for name in ("whole", "cut"))
    assert [[each[key] for key in keys] for each in whole] == [
        [each[key] for key in keys] for each in cut
    ]


def test_a_loss_with_weights_resumes_exactly(tmp_path, pair):
    recipe = tiny("loss=cross-entropy, center", "loss.center.weight=0.01")
    train(recipe, pair, tmp_path / "whole", device="cpu", evaluate=False)
    cut = tmp_path / "cut"
    with pytest.raises(Interrupted):
        train(recipe, pair, cut, device="cpu", evaluate=False, callbacks=[StopAt(1, 0)])
    resume_run(cut, device="cpu", evaluate=False)
    assert same(weights_in(tmp_path / "whole"), weights_in(cut))


SCRIPT = textwrap.dedent("""
    import json, os, signal, sys
    import torch
    from pathlib import Path
    from apnet.config import Recipe, parse
    from apnet.errors import Interrupted
    from apnet.training import train
    from apnet.training.processes import joined

    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    sets = [f"market1501={folder / name}" for name in ("a", "b")]
    with joined(torch.device("cpu")) as (processes, _):
        assert processes.world == 2
        for name, values in json.loads((folder / "recipes.json").read_text()).items():
            recipe, options = parse(Recipe, values, name), {"device": "cpu"}
            train(recipe, sets, folder / f"{name}-two", **options)

        def stopping(epoch):  # is asked for in every process when an epoch begins
            if epoch == 1 and processes.rank == 1:
                os.kill(os.getpid(), signal.SIGINT)
            return 1.0

        options["schedule"] = lambda epoch: 1.0
        train(recipe, sets, folder / "whole-two", **options)
        try:
            train(recipe, sets, folder / "cut-two", **options | {"schedule": stopping})
        except Interrupted:
            train(recipe, sets, folder / "cut-two", resume=True, **options)
        else:
            raise SystemExit("it did not stop")
""")


def test_two_processes_follow_one_on_two_sets(tmp_path, pair):
    pytest.importorskip("pytorch_metric_learning")
    recipes = {
        "circle": tiny(*CIRCLE, "sampling.balance=set"),
        "frozen": tiny(
            "loss=cross-entropy, center",
            "loss.center.weight=0.01",
            'optimiser.freeze=["backbone"]',
            "optimiser.freeze_epochs=1",
            "optimiser.accumulate=2",
            "optimiser.clip_norm=0.5",
            "optimiser.ema=0.9",
            "sampling.identities_per_batch=4",
        ),
    }
    for name, recipe in recipes.items():
        train(recipe, pair, tmp_path / name, device="cpu")
    values = {name: to_dict(recipe) for name, recipe in recipes.items()}
    (tmp_path / "recipes.json").write_text(json.dumps(values))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    launched = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"),
            *("--master-addr=127.0.0.1", "--master-port=0", "--rdzv-backend=c10d"),
            *("--rdzv-endpoint=127.0.0.1:0", str(script), str(tmp_path)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert launched.returncode == 0, launched.stderr[-3000:]
    for name, other in (("circle", "circle"), ("frozen", "center")):
        one, two = (RunFolder(tmp_path / run).read_history() for run in (name, f"{name}-two"))
        for a, b in zip(one, two, strict=True):
            assert b["rate"] == a["rate"]
            assert b["loss"] == pytest.approx(a["loss"], rel=2e-3)
            assert b[other] == pytest.approx(a[other], rel=2e-2, abs=2e-3)
        assert two[-1].keys() == one[-1].keys()
        assert "mAP market1501-2" in two[-1]
    # A signal to the second process alone stops both, and they go on exactly.
    assert same(weights_in(tmp_path / "whole-two"), weights_in(tmp_path / "cut-two"))


def test_a_set_without_a_test_split_trains(tmp_path, pair):
    plain = dataclasses.replace(pair[1], query=(), gallery=())
    seen = Evaluations()
    train(tiny("epochs=1"), [pair[0], plain], tmp_path / "run", device="cpu", callbacks=[seen])
    assert [name for name, _ in seen.found] == ["market1501"]
    assert "mAP market1501" not in seen.entries[-1]  # one set: its figures are the run's
    train(tiny("epochs=1"), plain, tmp_path / "plain", device="cpu")
    assert "mAP" not in RunFolder(tmp_path / "plain").read_history()[-1]
    assert not RunFolder(tmp_path / "plain").best.exists()


def test_a_set_without_training_images_is_refused(tmp_path, pair):
    empty = dataclasses.replace(pair[1], train=())
    with pytest.raises(DataError, match="has no training images"):
        train(tiny(), [pair[0], empty], tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


def test_queries_without_a_match_are_found_before_the_first_step(tmp_path, pair):
    """A gallery of the query's own camera has no match for it."""
    same_camera = tuple(each for each in pair[1].gallery if each.camid == 1)
    query = tuple(each for each in pair[1].query if each.camid == 1)
    assert len(query) == len(same_camera) == 8
    broken = dataclasses.replace(pair[1], query=query, gallery=same_camera)
    steps = []

    class Count(NoCallback):
        def step(self, epoch, step, steps_, loss, rate):
            steps.append(step)

    with pytest.raises(DataError, match="none of the 8 queries has a gallery image of the same"):
        train(tiny(), [pair[0], broken], tmp_path / "run", device="cpu", callbacks=[Count()])
    assert not steps
    assert not (tmp_path / "run").exists()
    train(
        tiny("epochs=1"), [pair[0], broken], tmp_path / "run", device="cpu", evaluate=False
    )  # without an evaluation it trains


def test_an_evaluation_that_fails_keeps_the_weights(tmp_path, pair):
    class Remove(NoCallback):
        def step(self, epoch, step, steps, loss, rate):
            pair[1].query[0].path.unlink(missing_ok=True)

    run = RunFolder(tmp_path / "run")
    message = r"the evaluation after epoch 1 failed, its weights are in .*last\.safetensors: "
    with pytest.raises(TrainingError, match=message):
        train(tiny("epochs=1"), pair, run.root, device="cpu", callbacks=[Remove()])
    assert load_checkpoint(run.root).facts["epoch"] == 1
    assert [entry["epoch"] for entry in run.read_history()] == [1]
    # The run can go on once the evaluation is left out.
    resume_run(run.root, device="cpu", settings={"epochs": 2}, evaluate=False)
    assert [entry["epoch"] for entry in run.read_history()] == [1, 2]


def test_the_sets_must_be_those_of_the_run(tmp_path, pair):
    recipe = tiny("epochs=1")
    train(recipe, pair, tmp_path / "run", device="cpu", evaluate=False)
    for others in (pair[0], [pair[0], pair[0], pair[1]]):
        with pytest.raises(DataError, match="begun on market1501, market1501, not on market1501"):
            train(recipe, others, tmp_path / "run", device="cpu", resume=True, evaluate=False)
    with pytest.raises(DataError, match="training images have changed"):
        train(recipe, pair[::-1], tmp_path / "run", device="cpu", resume=True, evaluate=False)


def test_best_weights_are_those_of_the_highest_mean(tmp_path, pair, monkeypatch):
    """The mean of both sets' mAP decides, not the first set's."""
    figures = iter([(0.5, 0.5), (0.9, 0.0), (0.4, 0.7)])  # means 0.5, 0.45, 0.55
    real, pending = training_loop.evaluate_network, []

    def scripted(*arguments, **options):
        evaluation, query, gallery = real(*arguments, **options)
        if not pending:
            pending.extend(next(figures))
        values = {**evaluation.values, evaluation.card.ap_metric: pending.pop(0)}
        return dataclasses.replace(evaluation, values=values), query, gallery

    monkeypatch.setattr(training_loop, "evaluate_network", scripted)
    train(tiny("evaluate_every=1"), pair, tmp_path / "run", device="cpu")
    assert load_checkpoint(RunFolder(tmp_path / "run").best).facts["epoch"] == 3
    figures = iter([(0.5, 0.5), (0.9, 0.0), (0.4, 0.5)])
    train(tiny("evaluate_every=1"), pair, tmp_path / "other", device="cpu")
    assert load_checkpoint(RunFolder(tmp_path / "other").best).facts["epoch"] == 1
