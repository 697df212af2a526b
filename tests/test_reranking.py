"""k-reciprocal re-ranking against a dense reference written from the paper's definition."""

import tracemalloc

import numpy as np
import pytest

from apnet.errors import ConfigError, DataError
from apnet.progress import silent
from apnet.retrieval import Reranking, reranked_distances
from apnet.retrieval.reranking.neighbours import JointSet, neighbours
from apnet.retrieval.reranking.sparse import SparseRows
from dense_reranking import DEFAULT, clustered, reference, whole_numbers


def distances(query, gallery, settings=DEFAULT, distance="cosine", threads=2):
    found = np.full((len(query), len(gallery)), np.nan)
    for rows, block in reranked_distances(
        query, gallery, settings=settings, distance=distance, threads=threads
    ):
        found[rows] = block
    return found


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("settings", [DEFAULT, Reranking(5, 3, 0.1), Reranking(7, 1, 0.9)], ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_definition(seed, settings, distance):
    query, gallery = clustered(seed)
    expected = reference(query, gallery, settings, distance)
    np.testing.assert_allclose(distances(query, gallery, settings, distance), expected, atol=2e-6)


@pytest.mark.parametrize(("k1", "k2"), [(3, 2), (5, 3), (6, 6), (20, 1), (2, 9)])
@pytest.mark.parametrize("seed", range(4))
def test_ties_and_copies_fall_in_joint_order(seed, k1, k2):
    query, gallery = whole_numbers(seed)
    settings = Reranking(k1, k2, 0.3)
    expected = reference(query, gallery, settings, "euclidean")
    found = distances(query, gallery, settings, "euclidean")
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize(("k1", "k2"), [(11, 3), (12, 30), (500, 6), (3, 500)])
def test_more_neighbours_than_images(k1, k2):
    query, gallery = clustered(4, queries=3, images=9)
    settings = Reranking(k1, k2, 0.3)
    found = distances(query, gallery, settings)
    np.testing.assert_allclose(found, reference(query, gallery, settings), atol=2e-6)


@pytest.mark.parametrize(("queries", "images"), [(1, 40), (1, 1), (5, 1)])
def test_small_sets(queries, images):
    query, gallery = clustered(5, queries, images)
    found = distances(query, gallery)
    np.testing.assert_allclose(found, reference(query, gallery, DEFAULT), atol=2e-6)


def test_empty_sets_have_no_distances():
    query, gallery = clustered(6)
    assert distances(query, gallery[:0]).shape == (len(query), 0)
    assert list(reranked_distances(query[:0], gallery, settings=DEFAULT)) == []
    assert list(reranked_distances(query[:0], gallery[:0], settings=DEFAULT)) == []


def test_images_that_are_all_alike():
    """With more copies than neighbours, late copies are in no list, not even in their own."""
    features = np.ones((12, 4), np.float32)
    settings = Reranking(3, 1, 0.3)
    expected = reference(features[:2], features[2:], settings, "euclidean")
    found = distances(features[:2], features[2:], settings, "euclidean")
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert found[0].tolist() == [0.0] * 2 + [1 - settings.weight] * 8


def test_a_zero_vector_is_as_far_from_itself_as_from_the_others():
    query, gallery = clustered(7)
    gallery[3] = 0
    found = distances(query, gallery, Reranking(weight=1.0))
    cosines = query @ gallery.T / np.linalg.norm(query, axis=1)[:, None]
    lowest = np.delete(cosines, 3, axis=1) / np.linalg.norm(np.delete(gallery, 3, axis=0), axis=1)
    own = query @ query.T / np.outer(*[np.linalg.norm(query, axis=1)] * 2)
    farthest = 2 - 2 * np.concatenate([lowest, own, cosines[:, 3:4]], axis=1).min(axis=1)
    np.testing.assert_allclose(found[:, 3], 2 / farthest, atol=1e-6)


def test_float64_features():
    query, gallery = (part.astype(np.float64) for part in clustered(8))
    np.testing.assert_allclose(
        distances(query, gallery), reference(query, gallery, DEFAULT), atol=1e-12
    )


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("kind", ["clustered", "alike", "copies"])
def test_screening_in_bf16_finds_the_same_neighbours(kind, distance):
    pytest.importorskip("torch")
    features = np.concatenate(clustered(18, 50, 450, dim=64, ids=20))
    if kind == "alike":  # closer together than bf16 tells: all is left to float32
        features = features[:1] + np.float32(1e-4) * features
    elif kind == "copies":
        features = np.concatenate([features, features[::3]])
    plain, screened = (JointSet(features, distance, device) for device in ("numpy", "cpu"))
    expected = neighbours(plain, 21, 1, silent)
    found = neighbours(screened, 21, 2, silent)
    np.testing.assert_array_equal(found.nearest, expected.nearest)
    np.testing.assert_array_equal(found.farthest, expected.farthest)
    assert screened.comparison.screener.useful == (kind != "alike")


def test_nothing_of_the_size_of_all_pairs_is_held():
    query, gallery = clustered(15, 100, 5900, dim=8, ids=300)
    tracemalloc.start()
    try:
        for _ in reranked_distances(query, gallery, settings=Reranking(4, 2), threads=1):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6000 * 6000 * 4 * 0.75


@pytest.mark.parametrize(
    ("k1", "k2", "weight"), [(0, 6, 0.3), (20, 0, 0.3), (20, 6, 1.1), (20, 6, -0.1)]
)
def test_settings_out_of_range_are_refused(k1, k2, weight):
    with pytest.raises(ConfigError, match="re-ranking with"):
        Reranking(k1, k2, weight)


def test_a_weight_that_is_no_number_is_refused():
    with pytest.raises(ConfigError, match="from 0 to 1"):
        Reranking(weight=float("nan"))


def test_different_dimensions_are_refused():
    with pytest.raises(DataError, match="dimensions"):
        list(reranked_distances(np.ones((2, 3)), np.ones((2, 4)), settings=DEFAULT))


def test_sparse_rows_list_entries_and_transpose():
    rng = np.random.default_rng(17)
    dense = rng.random((7, 5)) * (rng.random((7, 5)) < 0.4)
    rows, columns = dense.nonzero()
    sparse = SparseRows.of(7, [(rows, columns, dense[rows, columns])])
    wanted = np.array([3, 0, 3, 6])
    owners, places = sparse.entries_of(wanted)
    found = np.zeros((4, 5))
    found[owners, sparse.columns[places]] = sparse.values[places]
    np.testing.assert_array_equal(found, dense[wanted])
    turned = sparse.rows(slice(2, 7)).transposed(5)
    owners, places = turned.entries_of(np.arange(5))
    found = np.zeros((5, 5))
    found[owners, turned.columns[places]] = turned.values[places]
    np.testing.assert_array_equal(found, dense[2:].T)
