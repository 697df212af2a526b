import numpy as np
import pytest

from apnet.retrieval.metrics import formulas as metrics

RANKS, COUNTS = np.array([1, 3, 4, 2]), np.array([3, 1])


def test_average_precision():
    expected = [(1 / 1 + 2 / 3 + 3 / 4) / 3, 1 / 2]
    np.testing.assert_allclose(metrics.average_precision(RANKS, COUNTS), expected)


def test_trapezoidal_average_precision():
    expected = [((1 + 1) / 2 + (1 / 2 + 2 / 3) / 2 + (2 / 3 + 3 / 4) / 2) / 3, (0 + 1 / 2) / 2]
    np.testing.assert_allclose(metrics.trapezoidal_average_precision(RANKS, COUNTS), expected)


def test_inverse_negative_penalty():
    np.testing.assert_allclose(metrics.inverse_negative_penalty(RANKS, COUNTS), [3 / 4, 1 / 2])


def test_cumulative_matching():
    first = metrics.first_matches(RANKS, COUNTS)
    assert first.tolist() == [1, 2]
    assert metrics.cumulative_matching(first, 4).tolist() == [0.5, 1, 1, 1]
    assert metrics.cumulative_matching(first, 1).tolist() == [0.5]


@pytest.mark.parametrize("matches", [1, 5, 40])
def test_a_perfect_ranking_is_one(matches):
    ranks, counts = np.arange(1, matches + 1), np.array([matches])
    for figure in (
        metrics.average_precision,
        metrics.trapezoidal_average_precision,
        metrics.inverse_negative_penalty,
    ):
        assert figure(ranks, counts).tolist() == pytest.approx([1.0])
