"""Metrics of re-ranked distances: from arrays, a network and the command line."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from apnet.cli.application import main
from apnet.errors import DataError
from apnet.results import ProtocolCard
from apnet.retrieval import Reranking, evaluate, evaluate_reranked, load_features
from apnet.retrieval.ranking import blocks
from apnet.retrieval.reranking import encoding
from apnet.types import Embeddings, ImageRecord, ReidDataset
from dense_reranking import DEFAULT, clustered, reference, whole_numbers


def embeddings(features, seed, ids=8):
    rng = np.random.default_rng(seed)
    pids = rng.integers(-1, ids, len(features))
    return Embeddings(features, pids, rng.integers(0, 3, len(features)))


def naive_figures(query, gallery, settings, distance):
    """Metrics by a full stable sort of the reference: mAP by hits, mINP, first matches."""
    far = reference(query.features, gallery.features, settings, distance)
    precisions, penalties, first = [], [], []
    for row, line in enumerate(far):
        order = np.argsort(line.round(9), kind="stable")
        same = gallery.pids == query.pids[row]
        out = (gallery.pids == -1) | (same & (gallery.camids == query.camids[row]))
        ranks = np.flatnonzero(same[order][~out[order]]) + 1
        first.append(ranks[0] if len(ranks) else 0)
        if len(ranks):
            precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
            penalties.append(len(ranks) / ranks[-1])
    return np.mean(precisions), np.mean(penalties), first


CARDS = [ProtocolCard("cosine", "same-camera"), ProtocolCard("euclidean", "same-camera")]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.distance)
@pytest.mark.parametrize("seed", range(4))
def test_figures_equal_those_of_a_full_sort(seed, card):
    make = clustered if card.distance == "cosine" else whole_numbers
    query, gallery = (embeddings(part, seed + i) for i, part in enumerate(make(seed)))
    query = Embeddings(query.features, np.maximum(query.pids, 0), query.camids)
    settings = Reranking(6, 3, 0.3)
    found = evaluate_reranked(query, gallery, card=card, settings=settings)
    average, penalty, first = naive_figures(query, gallery, settings, card.distance)
    assert found.mAP == pytest.approx(average, abs=1e-12)
    assert found.mINP == pytest.approx(penalty, abs=1e-12)
    assert found.first_match.tolist() == first


def test_the_original_distance_alone_is_the_plain_ranking():
    query, gallery = (embeddings(part, i) for i, part in enumerate(clustered(9, 20, 200)))
    plain = evaluate(query, gallery, card=CARDS[0])
    found = evaluate_reranked(query, gallery, card=CARDS[0], settings=Reranking(weight=1.0))
    np.testing.assert_array_equal(found.average_precision, plain.average_precision)


def test_reranking_helps_where_neighbours_agree():
    pids = np.repeat(np.arange(20), 12)
    rng = np.random.default_rng(0)
    features = rng.standard_normal((20, 32))[pids] + 1.6 * rng.standard_normal((240, 32))
    gallery = Embeddings(features.astype(np.float32), pids, np.full(240, -1))
    query = Embeddings(gallery.features[::12] + 0.5, pids[::12], np.full(20, -1))
    card = ProtocolCard("cosine", "none")
    plain = evaluate(query, gallery, card=card).mAP
    assert evaluate_reranked(query, gallery, card=card, settings=DEFAULT).mAP > plain + 0.02


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.distance)
def test_block_size_and_threads_change_nothing(monkeypatch, card):
    make = clustered if card.distance == "cosine" else whole_numbers
    query, gallery = (embeddings(part, i) for i, part in enumerate(make(10, 40, 300)))
    once = evaluate_reranked(query, gallery, card=card, settings=DEFAULT, threads=1)
    monkeypatch.setattr(blocks, "_MOST_ROWS", 3)
    monkeypatch.setattr(encoding, "_AT_ONCE", 700)
    for threads in (1, 3):
        again = evaluate_reranked(query, gallery, card=card, settings=DEFAULT, threads=threads)
        np.testing.assert_array_equal(again.average_precision, once.average_precision)
        np.testing.assert_array_equal(again.first_match, once.first_match)


def test_close_distances_are_decided_exactly():
    """Images that float32 products cannot separate are in float64 order."""
    rng = np.random.default_rng(11)
    query = rng.standard_normal((1, 256)).astype(np.float32)
    gallery = np.repeat(rng.standard_normal((1, 256)).astype(np.float32), 40, axis=0)
    gallery[np.arange(40), rng.permutation(256)[:40]] *= np.float32(1 + 2**-22)
    gallery[::7] = gallery[0]
    searched = Embeddings(query, np.array([1]), np.array([-1]))
    pids = np.where(np.arange(40) % 3 == 0, 1, 2)
    items = Embeddings(gallery, pids, np.full(40, -1))
    settings = Reranking(50, 1, 1.0)
    card = ProtocolCard("euclidean", "none")
    found = evaluate_reranked(searched, items, card=card, settings=settings)
    exact = ((query.astype(np.float64) - gallery) ** 2).sum(axis=1)
    ranks = np.flatnonzero(pids[np.argsort(exact, kind="stable")] == 1) + 1
    assert found.mAP == np.mean(np.arange(1, len(ranks) + 1) / ranks)


def test_the_card_names_it():
    query, gallery = (embeddings(part, i) for i, part in enumerate(clustered(12, 20, 80)))
    card = evaluate_reranked(query, gallery, card=CARDS[0], settings=Reranking(8, 4, 0.25)).card
    assert card.reranking == "k-reciprocal, k1 8, k2 4, lambda 0.25"
    assert evaluate(query, gallery, card=CARDS[0]).card.reranking is None


def test_progress_goes_over_all_images_and_then_all_queries():
    query, gallery = (embeddings(part, i) for i, part in enumerate(clustered(13, 20, 80)))
    told = []
    evaluate_reranked(
        query, gallery, card=CARDS[0], settings=DEFAULT, progress=lambda *at: told.append(at)
    )
    assert {total for _, total in told} == {120}
    assert told[-1] == (120, 120)
    assert (100, 120) in told
    assert told == sorted(told)


def test_it_stops_when_interrupted():
    query, gallery = (embeddings(part, i) for i, part in enumerate(clustered(14, 300, 300)))

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_reranked(query, gallery, card=CARDS[0], settings=DEFAULT, progress=interrupt)


def test_no_match_is_an_error():
    query, gallery = clustered(16)
    searched = Embeddings(query, np.full(len(query), 1), np.full(len(query), -1))
    items = Embeddings(gallery, np.full(len(gallery), 2), np.full(len(gallery), -1))
    card = ProtocolCard("cosine", "none")
    for others in (items, Embeddings(gallery[:0], items.pids[:0], items.camids[:0])):
        with pytest.raises(DataError, match="gallery image"):
            evaluate_reranked(searched, others, card=card, settings=DEFAULT)


@pytest.fixture
def feature_files(tmp_path):
    files = []
    for name, part in zip(("query", "gallery"), clustered(19, 20, 80), strict=True):
        files.append(tmp_path / f"{name}.npz")
        np.savez(files[-1], features=part, pids=np.arange(len(part)) % 8)
    return files


def score(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["apnet", "score", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def test_the_command_line_reranks_on_demand(monkeypatch, capsys, feature_files):
    assert score(monkeypatch, *feature_files, "--json") == 0
    plain = json.loads(capsys.readouterr().out)
    assert score(monkeypatch, *feature_files, "--rerank", "9,3,0.2", "--json") == 0
    reranked = json.loads(capsys.readouterr().out)
    assert plain["protocol"]["reranking"] is None
    assert reranked["protocol"]["reranking"] == "k-reciprocal, k1 9, k2 3, lambda 0.2"
    query, gallery = (load_features(file) for file in feature_files)
    card = ProtocolCard("cosine", "none")
    expected = evaluate_reranked(query, gallery, card=card, settings=Reranking(9, 3, 0.2))
    assert reranked["mAP"] == expected.mAP != plain["mAP"]
    assert score(monkeypatch, *feature_files, "--rerank", "9,3,0.2") == 0
    assert "k-reciprocal, k1 9, k2 3, lambda 0.2" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["20", "20,6", "20,6,much", "2.5,6,0.3", "20,6,0.3,1", "0,6,0.3"])
def test_the_command_line_says_how_settings_are_written(monkeypatch, capsys, feature_files, text):
    assert score(monkeypatch, *feature_files, "--rerank", text) == 2
    said = capsys.readouterr().err
    assert "re-ranking with" in said if text == "0,6,0.3" else "K1,K2,LAMBDA" in said


def test_a_network_is_evaluated_with_reranking(tmp_path):
    pytest.importorskip("torch")
    from apnet.config import NetworkConfig
    from apnet.evaluation import Protocol, evaluate_network
    from apnet.model import build_network

    rng = np.random.default_rng(20)
    records = []
    for number in range(24):
        path = tmp_path / f"{number}.png"
        Image.fromarray(rng.integers(0, 256, (32, 16, 3), dtype=np.uint8)).save(path)
        records.append(ImageRecord(path, number % 4, number % 3))
    dataset = ReidDataset("tiny", tmp_path, (), tuple(records[:8]), tuple(records[8:]))
    config = NetworkConfig(
        backbone="resnet10t",
        backbone_options={"channels": [8, 8, 16, 16], "stem_width": 8},
        parts=(1, 2),
        reduction=4,
        image_size=(32, 16),
    )
    settings = Reranking(5, 2, 0.3)
    network = build_network(config).eval()
    found, query, gallery = evaluate_network(
        network, config, dataset, protocol=Protocol(reranking=settings)
    )
    assert found.card.reranking == str(settings)
    again = evaluate_reranked(query, gallery, card=found.card, settings=settings)
    np.testing.assert_array_equal(found.average_precision, again.average_precision)
