"""One verb evaluates networks, checkpoints, runs and features, alike."""

import dataclasses

import pytest

import apnet
from apnet.errors import ConfigError, DataError
from apnet.retrieval import evaluate as evaluate_features


@pytest.fixture(scope="module")
def data(people_folder):
    return apnet.load_dataset("market1501", people_folder)


@pytest.fixture(scope="module")
def halves(model, data):
    return model.embed(list(data.query)), model.embed(list(data.gallery))


def test_every_subject_gives_the_same_figures(
    model, weights, data, people_folder, halves, tmp_path
):
    for name, half in zip(("query", "gallery"), halves, strict=True):
        apnet.save_features(tmp_path / f"{name}.npz", half)
    figures = [
        apnet.evaluate(model, data).values,
        apnet.evaluate(model.checkpoint, data).values,
        apnet.evaluate(model.network, data).values,
        apnet.evaluate(weights, f"market1501={people_folder}").values,
        apnet.evaluate(*halves).values,
        apnet.evaluate(tmp_path / "query.npz", tmp_path / "gallery.npz").values,
        apnet.evaluate(halves[0], str(tmp_path / "gallery.npz")).values,
    ]
    assert all(each == pytest.approx(figures[0]) for each in figures)


def test_the_card_says_how(model, data):
    card = apnet.evaluate(model, data, distance="euclidean", flip=False, ap_kind="trapezoidal").card
    assert (card.distance, card.flip, card.ap_kind) == ("euclidean", False, "trapezoidal")
    assert model.fingerprint in card.model


def test_reranking_is_on_the_card(model, data, halves):
    settings = apnet.Reranking(4, 2, 0.3)
    by_network = apnet.evaluate(model, data, rerank=settings)
    by_features = apnet.evaluate(*halves, rerank=settings)
    assert by_network.values == pytest.approx(by_features.values)
    assert "k1 4" in by_network.card.reranking


def test_a_card_of_ones_own_for_features(halves):
    card = dataclasses.replace(apnet.default_card(*halves), junk_rule="none")
    assert apnet.evaluate(*halves, card=card).values == evaluate_features(*halves, card=card).values


@pytest.mark.parametrize(
    "ignored", [{"flip": True}, {"precision": "bf16"}, {"image_size": (32, 16)}]
)
def test_what_features_would_ignore_is_refused(halves, ignored):
    with pytest.raises(ConfigError, match=next(iter(ignored))):
        apnet.evaluate(*halves, **ignored)


def test_what_a_network_would_ignore_is_refused(model, data, halves):
    with pytest.raises(ConfigError, match="card"):
        apnet.evaluate(model, data, card=apnet.default_card(*halves))
    with pytest.raises(ConfigError, match="image_size"):
        apnet.evaluate(model, data, image_size=(64, 32))


def test_features_of_two_networks_are_refused(halves):
    with pytest.raises(DataError, match="other"):
        apnet.evaluate(halves[0], dataclasses.replace(halves[1], fingerprint="other"))


def test_a_network_needs_a_data_set(model, halves):
    with pytest.raises(TypeError, match="ReidDataset"):
        apnet.evaluate(model, halves[1])


def test_features_need_features(halves, data):
    with pytest.raises(TypeError, match="gallery must be Embeddings"):
        apnet.evaluate(halves[0], data)
