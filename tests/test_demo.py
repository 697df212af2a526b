"""The main job, small: every part runs, a second call goes on, other settings are refused."""

import contextlib
import json

import pytest

from apnet.demo import people, run_demo
from apnet.errors import ConfigError, DataError
from apnet.progress import silent
from apnet.training import NoCallback

SMALL = [
    "network.image_size=[64, 32]",
    "network.backbone_options={channels=[16, 16, 32, 32]}",
    "epochs=2",
    "sampling.identities_per_batch=4",
]


@contextlib.contextmanager
def stage(name):
    yield silent


@contextlib.contextmanager
def training_display(name, epochs):
    yield NoCallback()


def demo(out, source=None, assignments=(), seed=0, told=None):
    return run_demo(
        out,
        source=source,
        seed=seed,
        workers=0,
        assignments=[*SMALL, *assignments],
        stage=stage,
        training_display=training_display,
        tell=told.append if told is not None else lambda text: None,
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "IDS", 12)
        patch.setattr(people, "IMAGES_PER_ID", 6)
        yield out, demo(out)


def test_metrics_hold_a_card_for_each_system(done):
    _, result = done
    metrics = json.loads(result.metrics.read_text())
    assert set(metrics["systems"]) == {"pyramid", "baseline", "shipped", "histogram"}
    for system in metrics["systems"].values():
        assert 0 <= system["mAP"] <= 1
        assert system["protocol"]["junk_rule"] == "same-camera"
    assert metrics["systems"]["pyramid"]["protocol"]["image_size"] == [64, 32]


def test_the_two_networks_differ_in_the_pyramid_only(done):
    out, _ = done
    runs = [json.loads((out / key / "run.json").read_text()) for key in ("pyramid", "baseline")]
    recipes = [run["recipe"] for run in runs]
    networks = [recipe.pop("network") for recipe in recipes]
    assert recipes[0] == recipes[1]
    assert [network.pop("attention") for network in networks] == ["channel", "none"]
    assert [network.pop("parts") for network in networks] == [[1, 2], []]
    assert networks[0] == networks[1]


def test_the_report_shows_searches_and_attention(done):
    _, result = done
    page = result.report.read_text()
    for heading in ("Results", "Searches", "Attention"):
        assert heading in page
    assert page.count("data:image/") > 20


def test_a_second_call_trains_nothing_again(done, monkeypatch):
    out, result = done
    weights = (out / "pyramid" / "last.safetensors").read_bytes()
    monkeypatch.setattr(people, "IDS", 12)
    monkeypatch.setattr(people, "IMAGES_PER_ID", 6)
    again = demo(out)
    assert (out / "pyramid" / "last.safetensors").read_bytes() == weights
    assert again.evaluations["No pyramid"].mAP == result.evaluations["No pyramid"].mAP


def test_other_settings_are_refused(done, monkeypatch):
    out, _ = done
    monkeypatch.setattr(people, "IDS", 12)
    monkeypatch.setattr(people, "IMAGES_PER_ID", 6)
    with pytest.raises(ConfigError, match="other settings"):
        demo(out, assignments=["optimiser.learning_rate=0.5"])
    with pytest.raises(ConfigError, match="other settings"):
        demo(out, seed=1)


def test_the_users_own_set(done, tmp_path):
    out, _ = done
    result = demo(tmp_path, source=f"market1501={out / 'people'}", assignments=["seed=3"])
    assert set(result.evaluations) == {
        *("Attention pyramid", "No pyramid", "Shipped network", "Colour histogram")
    }


def test_a_set_with_one_training_person(done, tmp_path):
    out, _ = done
    root = tmp_path / "one"
    for folder in ("bounding_box_train", "query", "bounding_box_test"):
        (root / folder).mkdir(parents=True)
        for path in sorted((out / "people" / folder).iterdir()):
            if folder != "bounding_box_train" or path.name.startswith("0001"):
                (root / folder / path.name).write_bytes(path.read_bytes())
    with pytest.raises(DataError, match="1 training person"):
        demo(tmp_path / "out", source=f"market1501={root}")
