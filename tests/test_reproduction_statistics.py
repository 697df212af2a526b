"""Student's paired test against printed quantiles and a worked example."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apnet.reproduction.statistics import paired_p, spread


def three_differences(t):
    """Of mean t / sqrt(3) and deviation 1, so that their t is the one given."""
    mean = t / math.sqrt(3)
    return [mean - 1, mean, mean + 1]


def test_printed_quantiles():
    assert paired_p(three_differences(4.303)) == pytest.approx(0.05, abs=1e-4)
    assert paired_p(three_differences(9.925)) == pytest.approx(0.01, abs=1e-4)
    assert paired_p([0.0, 1.0]) == pytest.approx(0.5)  # t = 1, one degree of freedom


def test_a_worked_example():
    # mean 2, sample deviation 1, three pairs: t = 2 * sqrt(3), two degrees of freedom
    t = 2 * math.sqrt(3)
    assert paired_p([1.0, 2.0, 3.0]) == pytest.approx(1 - t / math.sqrt(2 + t * t))


def test_too_few_or_all_equal_differences_have_no_p():
    assert paired_p([0.5]) is None
    assert paired_p([]) is None
    assert paired_p([0.25, 0.25, 0.25]) is None


def test_spread_is_the_sample_deviation():
    assert spread([1.0]) is None
    assert spread([1.0, 3.0]) == pytest.approx(math.sqrt(2))


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12))
def test_p_is_a_probability_and_forgets_the_sign(differences):
    p = paired_p(differences)
    if p is not None:
        assert -1e-12 <= p <= 1
        assert p == pytest.approx(paired_p([-each for each in differences]))
