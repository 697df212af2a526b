import sys
from pathlib import Path

import numpy as np
import pytest

from apnet.errors import ConfigError
from apnet.results import ProtocolCard
from apnet.retrieval import evaluate, top_matches

sys.path.insert(0, str(Path(__file__).parent))
import naive


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("rule", ["same-camera", "none"])
@pytest.mark.parametrize("k", [1, 10, 200])
def test_against_a_full_sort(people, distance, rule, k):
    query, gallery = people(1, 15, 120, 6)
    found = top_matches(query, gallery, k, distance=distance, junk_rule=rule)
    for row in range(15):
        far = naive.distances(query.features[row], gallery.features, distance)
        kept = [g for g in range(120) if naive.counts(query, row, gallery, g, rule)]
        order = sorted(kept, key=lambda g: far[g])[:k]
        filled = found.indices[row] >= 0
        assert found.indices[row][filled].tolist() == order
        near = [-far[g] for g in order]
        np.testing.assert_allclose(found.similarity[row][filled], near, atol=1e-9)
        np.testing.assert_array_equal(
            found.correct[row][filled], gallery.pids[order] == query.pids[row]
        )
        assert filled.sum() == min(k, len(kept))
        assert not found.correct[row][~filled].any()
        assert np.isnan(found.similarity[row][~filled]).all()


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_float32_rounding_does_not_decide(make, distance):
    rng = np.random.default_rng(3)
    near = rng.standard_normal(512) + 3e-4 * rng.standard_normal((320, 512))
    query = make(near[:20].astype(np.float32), np.arange(20))
    gallery = make(near[20:].astype(np.float32), np.arange(300))
    found = top_matches(query, gallery, 5, distance=distance, junk_rule="none")
    for row in range(20):
        far = naive.distances(query.features[row], gallery.features, distance)
        assert found.indices[row].tolist() == np.argsort(far, kind="stable")[:5].tolist()


def test_cosines_are_cosines(make):
    found = top_matches(
        make([[3.0, 0.0], [0.0, 0.0]], [1, 1]), make([[2.0, 0.0], [1.0, 1.0]], [1, 2]), 2,
        junk_rule="none",
    )  # fmt: skip
    np.testing.assert_allclose(found.similarity, [[1, np.sqrt(0.5)], [0, 0]])
    assert found.correct.tolist() == [[True, False], [True, False]]


def test_ties_stay_in_gallery_order(make):
    rng = np.random.default_rng(0)
    gallery = make(rng.integers(0, 2, (300, 3)), np.zeros(300))
    query = make([[1, 1, 0], [0, 1, 1]], [0, 0])
    found = top_matches(query, gallery, 50, distance="euclidean", junk_rule="none")
    for row in range(2):
        far = ((gallery.features - query.features[row]) ** 2).sum(axis=1)
        assert found.indices[row].tolist() == np.argsort(far, kind="stable")[:50].tolist()


def test_the_first_right_one_is_the_rank(people):
    query, gallery = people(6, 40, 300, 32, noise=5.0)
    found = top_matches(query, gallery, 300, junk_rule="same-camera")
    card = ProtocolCard(distance="cosine", junk_rule="same-camera")
    ranks = evaluate(query, gallery, card=card).first_match
    has = found.correct.any(axis=1)
    np.testing.assert_array_equal(np.where(has, found.correct.argmax(axis=1) + 1, 0), ranks)


def test_nothing_left(make):
    query = make([[1.0, 0.0]], [1], [0])
    for gallery in (
        make([[1.0, 0.0]], [1], [0]),
        make([[1.0, 0.0]], [-1]),
        make(np.empty((0, 2)), []),
    ):
        found = top_matches(query, gallery, 3, junk_rule="same-camera")
        assert found.indices.tolist() == [[-1, -1, -1]]
        assert np.isnan(found.similarity).all()
        assert not found.correct.any()


def test_at_least_one(make):
    one = make([[1.0]], [1])
    with pytest.raises(ConfigError, match="at least 1, got 0"):
        top_matches(one, one, 0, junk_rule="none")
