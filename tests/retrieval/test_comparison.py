"""The error bound of screened scores, and exact keys."""

import numpy as np
import pytest

from apnet.retrieval.ranking.comparison import Comparison

KINDS = {
    "normal": lambda rng, n, d: rng.standard_normal((n, d)),
    "rectified": lambda rng, n, d: np.maximum(rng.standard_normal((n, d)), 0),
    "collinear": lambda rng, n, d: np.sin(np.arange(d)) + 0.05 * rng.standard_normal((n, d)),
    "sorted": lambda rng, n, d: np.sort(rng.exponential(size=(n, d)) ** 2, axis=1),
    "constant": lambda rng, n, d: np.full((n, d), 0.1) * rng.uniform(0.5, 2, (n, 1)),
    "opposed": lambda rng, n, d: (
        np.where(np.arange(d) < d // 2, 1, -1) * rng.uniform(0.9, 1.1, (n, d))
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dim", [3, 16, 128, 512, 2048])
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_screened_score_lies_beyond_the_slack(kind, dim, distance, dtype):
    rng = np.random.default_rng(dim)
    query, gallery = (KINDS[kind](rng, count, dim).astype(dtype) for count in (24, 300))
    comparison = Comparison(query, gallery, distance)
    rows = np.arange(24)
    scores = comparison.screen(rows)
    slack = comparison.slack(rows, scores.argmax(axis=1), scores)
    wide = query.astype(np.longdouble) @ gallery.T.astype(np.longdouble)
    squares = (gallery.astype(np.longdouble) ** 2).sum(axis=1)
    lengths = np.sqrt(np.where(squares > 0, squares, 1))
    true = wide / lengths if distance == "cosine" else wide - squares / 2
    assert (np.abs(scores - true).max(axis=1) <= slack).all()


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_a_key_belongs_to_its_pair_alone(distance):
    rng = np.random.default_rng(0)
    query, gallery = (rng.standard_normal((n, 2048)).astype(np.float32) for n in (5, 200))
    comparison = Comparison(query, gallery, distance)
    rows, columns = np.repeat(np.arange(5), 200), np.tile(np.arange(200), 5)
    together = comparison.keys(rows, columns)
    for pair in range(0, 1000, 37):
        part = slice(pair, pair + 1)
        assert comparison.keys(rows[part], columns[part])[0] == together[pair]


def test_keys_of_whole_numbers_are_exact():
    comparison = Comparison(
        np.array([[3.0, 1.0]], np.float32),
        np.array([[1.0, 2.0], [-5.0, 0.0]], np.float32),
        "cosine",
    )
    keys = comparison.keys(np.array([0, 0]), np.array([0, 1]))
    assert keys.tolist() == [25 / 5, -225 / 25]


def test_features_are_not_copied():
    features = np.ones((4, 3), np.float32)
    comparison = Comparison(features, features, "cosine")
    assert comparison.query is features
    assert comparison.gallery is features
