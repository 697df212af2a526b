"""Student's paired test against published quantiles and an independent integral."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apnet.reproduction.statistics import paired_p, spread, student_within

TABLE = {  # two-sided 5 % points, printed in every table of Student's distribution
    1: 12.706,
    2: 4.303,
    3: 3.182,
    4: 2.776,
    5: 2.571,
    9: 2.262,
    10: 2.228,
    30: 2.042,
}


@pytest.mark.parametrize(("freedom", "t"), TABLE.items())
def test_printed_quantiles(freedom, t):
    assert student_within(t, freedom) == pytest.approx(0.95, abs=1e-4)
    assert student_within(-t, freedom) == student_within(t, freedom)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 12, 25])
@pytest.mark.parametrize("t", [0.1, 0.9, 2.5, 6.0])
def test_the_integral_of_the_density(freedom, t):
    scale = math.gamma((freedom + 1) / 2) / (math.sqrt(freedom * math.pi) * math.gamma(freedom / 2))
    steps = 4000
    width = 2 * t / steps
    middles = (-t + (i + 0.5) * width for i in range(steps))
    area = width * sum(scale * (1 + x * x / freedom) ** (-(freedom + 1) / 2) for x in middles)
    assert student_within(t, freedom) == pytest.approx(area, abs=1e-5)


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
