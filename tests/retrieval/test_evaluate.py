import dataclasses
import tracemalloc

import numpy as np
import pytest

from apnet.errors import DataError
from apnet.results import ProtocolCard
from apnet.retrieval import default_card, evaluate
from apnet.retrieval.ranking import blocks as blocks_module
from apnet.types import Embeddings

CARD = ProtocolCard(distance="cosine", junk_rule="same-camera")
OPEN = ProtocolCard(distance="cosine", junk_rule="none")


def same(first, second):
    assert first.to_dict() == second.to_dict()
    np.testing.assert_array_equal(first.average_precision, second.average_precision)
    np.testing.assert_array_equal(first.first_match, second.first_match)


def test_a_ranking_counted_by_hand(make):
    """Order: wrong, right, wrong, right. Hits 1/2 and 2/4; trapezia (1/2 + 0)/2, (2/4 + 1/3)/2."""
    query = make([[1.0, 0.0]], [7])
    angles = np.array([0.4, 0.1, 0.2, 0.3])
    gallery = make(np.stack([np.cos(angles), np.sin(angles)], 1), [7, 5, 7, 5])
    result = evaluate(query, gallery, card=OPEN)
    assert result.mAP == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert result.mAP_trapezoidal == pytest.approx(((1 / 2) / 2 + (2 / 4 + 1 / 3) / 2) / 2)
    assert result.mINP == pytest.approx(2 / 4)
    assert result.cmc.tolist() == [0, 1, 1, 1]
    assert result.first_match.tolist() == [2]


def test_the_card_chooses_the_average_precision(people):
    query, gallery = people(0, 20, 100, 8)
    card = dataclasses.replace(CARD, ap_kind="trapezoidal")
    result = evaluate(query, gallery, card=card)
    assert result.mAP == result.mAP_trapezoidal != result.mAP_hits
    assert np.nanmean(result.average_precision) == pytest.approx(result.mAP)


def test_queries_without_a_match_are_counted_but_not_averaged(make):
    query = make([[1, 0], [0, 1], [1, 1]], [1, 2, -1])
    gallery = make([[1, 0], [0, 1]], [1, 9])
    result = evaluate(query, gallery, card=OPEN)
    assert (result.queries, result.valid_queries, result.mAP) == (3, 1, 1.0)
    assert np.isnan(result.average_precision[1:]).all()
    assert result.first_match.tolist() == [1, 0, 0]


def test_equal_distances_stay_in_gallery_order(make):
    query = make([[1.0, 2.0]], [1])
    for place in range(6):
        pids = [1 if index == place else 2 for index in range(6)]
        result = evaluate(query, make([[3.0, 1.0]] * 6, pids), card=OPEN)
        assert result.first_match.tolist() == [place + 1]


def test_copies_of_a_vector_tie_wherever_they_stand(make):
    """The last bits of a float32 product depend on the column; those of a rank must not."""
    rng = np.random.default_rng(1)
    features = rng.standard_normal((1003, 512)).astype(np.float32)
    features[[0, 500, 1002]] = features[77]
    query = make(rng.standard_normal((130, 512)).astype(np.float32), np.zeros(130))
    for match, before in ((0, 0), (77, 1), (500, 2), (1002, 3)):
        pids = np.ones(1003)
        pids[match] = 0
        ranks = evaluate(query, make(features, pids), card=OPEN).first_match
        alone = np.delete(features, [0, 500, 1002], axis=0)
        wide = query.features.astype(np.float64) @ alone.T.astype(np.float64)
        wide /= np.linalg.norm(alone.astype(np.float64), axis=1)
        ahead = (wide > wide[:, 76:77]).sum(axis=1)  # row 77 stands at 76 now
        np.testing.assert_array_equal(ranks, ahead + before + 1)


def test_the_same_camera_rule(make):
    query = make([[1.0, 0.0]], [1], [3])
    features = [[1.0, 0.0], [1.0, 0.1], [1.0, 0.2], [1.0, 0.3]]
    gallery = make(features, [1, 2, 1, -1], [3, 3, 4, 4])
    assert evaluate(query, gallery, card=CARD).first_match.tolist() == [2]
    assert evaluate(query, gallery, card=OPEN).first_match.tolist() == [1]


def test_unknown_cameras_equal_none(make):
    query = make([[1.0, 0.0]], [1], [-1])
    gallery = make([[1.0, 0.0], [0.0, 1.0]], [1, 2], [-1, 0])
    assert evaluate(query, gallery, card=CARD).first_match.tolist() == [1]


@pytest.mark.parametrize("card", [CARD, OPEN])
def test_a_set_against_itself(make, card):
    """Without cameras, only its path identifies the query in the gallery."""
    features, pids = [[1.0, 0.0], [0.0, 1.0], [0.1, 1.0]], [1, 1, 2]
    named = make(features, pids, paths=["a", "b", "c"])
    result = evaluate(named, named, card=card)
    assert result.valid_queries == 2
    assert result.first_match.tolist() == [2, 2, 0]
    nameless = make(features, pids)
    assert evaluate(nameless, nameless, card=card).first_match.tolist() == [1, 1, 1]


def test_zero_vectors_are_similar_to_nothing(make):
    query = make([[1.0, 0.0], [0.0, 0.0]], [1, 1])
    gallery = make([[-1.0, 0.0], [0.0, 0.0], [1.0, 1.0]], [2, 1, 2])
    assert evaluate(query, gallery, card=OPEN).first_match.tolist() == [2, 2]


def test_multiples_of_a_whole_vector_tie_under_cosine(make):
    query = make([[1.0, 0.0, 2.0]], [1])
    multiples = np.outer([7, 3, 49, 1, 10], [1.0, 1.0, 3.0])
    result = evaluate(query, make(multiples, [2, 2, 1, 2, 2]), card=OPEN)
    assert result.first_match.tolist() == [3]


def test_a_gallery_of_one(make):
    result = evaluate(make([[1.0, 0.0]], [1]), make([[0.0, 1.0]], [1]), card=OPEN)
    assert result.cmc.tolist() == [1.0]
    assert result.rank(1) == result.rank(50) == 1.0


@pytest.mark.parametrize(("size", "length"), [(10, 10), (50, 50), (51, 50)])
def test_the_curve_never_falls(people, size, length):
    result = evaluate(*people(2, 30, size, 8, ids=4), card=OPEN)
    assert len(result.cmc) == length
    assert (np.diff(result.cmc) >= 0).all()
    assert result.rank(1000) == result.cmc[-1]


@pytest.mark.parametrize("rows", [1, 7, 32, 64, 256])
@pytest.mark.parametrize("threads", [1, 3])
def test_blocks_and_threads_do_not_matter(people, monkeypatch, rows, threads):
    query, gallery = people(3, 65, 400, 96, noise=4.0)
    expected = evaluate(query, gallery, card=CARD, threads=1)
    monkeypatch.setattr(blocks_module, "_MOST_ROWS", rows)
    seen = []
    result = evaluate(
        query, gallery, card=CARD, threads=threads, progress=lambda *counts: seen.append(counts)
    )
    same(result, expected)
    assert seen == [(min(done + rows, 65), 65) for done in range(0, 65, rows)]


def test_deciding_in_small_portions_does_not_matter(make, monkeypatch):
    rng = np.random.default_rng(9)
    query = make(rng.integers(0, 2, (30, 5)), rng.integers(0, 6, 30))
    gallery = make(rng.integers(0, 2, (200, 5)), rng.integers(0, 6, 200))
    expected = evaluate(query, gallery, card=OPEN)
    monkeypatch.setattr("apnet.retrieval.ranking.ranks._OPEN_AT_ONCE", 3)
    same(evaluate(query, gallery, card=OPEN), expected)


def test_gallery_order_does_not_matter_where_nothing_ties(people):
    query, gallery = people(4, 50, 500, 64)
    order = np.random.default_rng(0).permutation(500)
    shuffled = Embeddings(gallery.features[order], gallery.pids[order], gallery.camids[order])
    np.testing.assert_array_equal(
        evaluate(query, shuffled, card=CARD).first_match,
        evaluate(query, gallery, card=CARD).first_match,
    )


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda x: np.repeat(x, 2, axis=1)[:, ::2]])
def test_memory_layout_does_not_matter(people, layout):
    query, gallery = people(4, 20, 100, 16)
    moved = Embeddings(layout(gallery.features), gallery.pids, gallery.camids)
    same(evaluate(query, moved, card=CARD), evaluate(query, gallery, card=CARD))


def test_memory_stays_within_half_of_the_features(people):
    """82 MB of features; the score matrix alone would be another 50 MB, a float64 copy 164 MB."""
    query, gallery = people(5, 1250, 10_000, 1820, noise=3.0)
    features = query.features.nbytes + gallery.features.nbytes
    tracemalloc.start()
    evaluate(query, gallery, card=CARD, threads=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < features / 2


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("features", [1 << 20, 1 << 30, 1 << 34])
@pytest.mark.parametrize("row", [4, 1 << 16, 1 << 22, 1 << 28])
def test_blocks_stay_within_their_budget(row, features, threads):
    rows = blocks_module.rows_in_block(row, features, threads)
    assert 1 <= rows <= 256
    assert rows == 1 or rows * row * threads <= max(16 << 20, features // 10)


def test_errors_in_a_block_arrive():
    def work(rows):
        raise ZeroDivisionError(str(rows))

    with pytest.raises(ZeroDivisionError):
        list(blocks_module.over_blocks(work, 10, 3, 2))


def test_sets_of_two_models_are_refused(make):
    with pytest.raises(DataError, match="query features have 2 dimensions and gallery features 3"):
        evaluate(make([[1.0, 0.0]], [1]), make([[1.0, 0.0, 0.0]], [1]), card=OPEN)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_lengths_that_float64_cannot_square_are_refused(make, size):
    query = make(np.array([[size, 0.0]]), [1])
    with pytest.raises(DataError, match="scale all features"):
        evaluate(query, query, card=OPEN)


def test_nothing_to_find_is_an_error(make):
    query, gallery = make([[1.0, 0.0]], [1], [0]), make([[1.0, 0.0]], [1], [0])
    with pytest.raises(DataError, match="same-camera rule"):
        evaluate(query, gallery, card=CARD)
    with pytest.raises(DataError, match="none of the 1 queries"):
        evaluate(query, make(np.empty((0, 2)), []), card=OPEN)
    with pytest.raises(DataError, match="there is no query"):
        evaluate(make(np.empty((0, 2)), []), gallery, card=OPEN)


def test_the_default_card(make):
    query = make([[1.0], [1.0]], [1, 2], [0, -1])
    gallery = make([[1.0], [1.0], [1.0]], [1, -1, 4], [1, 1, 2])
    card = default_card(query, gallery, ap_kind="trapezoidal")
    assert (card.distance, card.junk_rule, card.ap_kind) == ("cosine", "same-camera", "trapezoidal")
    assert card.data["query"] == {
        "images": 2, "ids": 2, "cameras": 1, "images_without_camera": 1, "junk": 0,
    }  # fmt: skip
    assert card.data["gallery"] == {
        "images": 3, "ids": 2, "cameras": 2, "images_without_camera": 0, "junk": 1,
    }  # fmt: skip
    assert default_card(make([[1.0]], [1]), gallery).junk_rule == "none"
    assert default_card(query, make([[1.0]], [1])).junk_rule == "none"
