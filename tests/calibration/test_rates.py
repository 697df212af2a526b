"""Every rate of a calibration equals the one that its definition gives, counted one by one."""

import literal_rates as literal
import numpy as np
import pytest
from drawn_people import people
from hypothesis import given, settings
from hypothesis import strategies as st

from apnet.calibration import calibration_from
from apnet.calibration.counting import count_pairs
from apnet.calibration.grid import COUNT, IMAGES, SIZES, Grid, grid_of
from apnet.calibration.monotone import log_likelihood_ratios
from apnet.calibration.open_set import _probabilities
from apnet.calibration.people import as_people

SHOWN = range(0, COUNT, 9)
ALL = len(IMAGES) - 1
"""The row of galleries with up to eight images per identity: here, all of them."""


def calibrated(embeddings):
    return calibration_from(
        embeddings, fingerprint="0123", image_size=(8, 4), flip=True, data="drawn"
    ).content


@pytest.fixture(scope="module", params=[0, 1, 2])
def drawn(request):
    embeddings = people(11, 4, request.param, noise=0.8, alike=0.2)
    return embeddings, calibrated(embeddings)


def close(value, expected):
    assert value == pytest.approx(expected, rel=6e-4, abs=1e-9)  # four digits are kept


def test_false_matches_and_misses(drawn):
    embeddings, content = drawn
    for threshold in SHOWN:
        close(
            content.fmr.rate[threshold],
            literal.fmr(embeddings, content.lowest, threshold),
        )
        close(
            content.fnmr.rate[threshold],
            literal.fnmr(embeddings, content.lowest, threshold),
        )


def test_searches_of_galleries(drawn):
    embeddings, content = drawn
    for row, size in enumerate(SIZES[:2]):
        for threshold in range(20, COUNT, 25):
            close(
                content.fpir.rate[ALL][row][threshold],
                literal.fpir(embeddings, content.lowest, size, threshold),
            )
            close(
                content.fnir.rate[ALL][row][threshold],
                literal.fnir(embeddings, content.lowest, size, threshold),
            )


def test_a_gallery_of_one_image_per_identity():
    embeddings = people(11, 2, 5, cameras=2)
    content = calibrated(embeddings)
    for threshold in range(10, COUNT, 20):  # one image of each is in the other camera
        close(
            content.fpir.rate[0][0][threshold],
            literal.fmr(embeddings, content.lowest, threshold),
        )
        close(
            content.fnir.rate[0][0][threshold],
            literal.fnmr(embeddings, content.lowest, threshold),
        )
        for images in range(1, len(IMAGES)):
            assert content.fpir.rate[images] == content.fpir.rate[0]


def test_more_images_find_more(drawn):
    _, content = drawn
    fpir = np.array(content.fpir.rate)
    assert (np.diff(fpir, axis=0) >= 0).all()  # of a person's images the best counts
    assert (np.diff(fpir, axis=1) >= 0).all()  # and so it does of more people's
    assert (np.diff(fpir, axis=2) <= 0).all()
    fnir = np.array(content.fnir.rate)
    assert (np.diff(fnir, axis=1) >= 0).all()


def test_draws_of_people_are_weighted_pairs():
    embeddings = people(10, 3, 3)
    drawn = as_people(embeddings)
    lowest, counts = drawn.grid.lowest, count_pairs(drawn, draws=3)
    for draw in range(3):
        weights = dict(zip(np.unique(embeddings.pids), counts.weights[:, draw], strict=True))
        assert sum(weights.values()) == 10
        for threshold in range(5, COUNT, 30):
            close(
                counts.other_drawn[draw, threshold] / counts.other_pairs_drawn[draw],
                literal.fmr(embeddings, lowest, threshold, weights),
            )


def test_unknown_cameras_compare_all_images():
    embeddings = people(10, 3, 4)
    embeddings.camids[:] = -1
    with pytest.warns(UserWarning, match="cameras are unknown"):
        content = calibrated(embeddings)
    for threshold in range(5, COUNT, 30):
        close(
            content.fmr.rate[threshold],
            literal.fmr(embeddings, content.lowest, threshold),
        )
        close(
            content.fnmr.rate[threshold],
            literal.fnmr(embeddings, content.lowest, threshold),
        )
        close(
            content.fpir.rate[ALL][1][threshold],
            literal.fpir(embeddings, content.lowest, SIZES[1], threshold),
        )


def test_pairs_of_cameras():
    embeddings = people(40, 4, 6, cameras=3)
    content = calibrated(embeddings)
    assert {each.cameras for each in content.camera_pairs} == {(1, 2), (1, 3), (2, 3)}
    found = list(literal.pairs(embeddings, content.lowest))
    for each in content.camera_pairs:
        here = [pair for pair in found if set(pair[2:4]) == set(each.cameras)]
        for threshold in range(5, COUNT, 30):
            other = [place >= threshold for one, two, _, _, place in here if one != two]
            same = [place < threshold for one, two, _, _, place in here if one == two]
            close(each.fmr[threshold], np.mean(other))
            close(each.fnmr[threshold], np.mean(same))


@pytest.mark.parametrize(("everyone", "size"), [(7, 1), (7, 3), (7, 7), (12, 5)])
def test_the_probability_that_a_gallery_has_one_of_k(everyone, size):
    import math

    for reach in range(everyone + 1):
        expected = 1 - math.comb(everyone - reach, size) / math.comb(everyone, size)
        assert _probabilities(everyone, size)[reach] == pytest.approx(expected, abs=1e-12)


def test_larger_galleries_than_the_people_miss_the_same_share_again(drawn):
    _, content = drawn
    rates = np.array(content.fpir.rate[ALL])
    everyone, thrice = SIZES.index(10), SIZES.index(30)  # 11 people: 10 others
    expected = 1 - (1 - rates[everyone]) ** 3
    assert rates[thrice] == pytest.approx(expected, rel=6e-3, abs=1e-9)


def test_drawn_populations_return_no_more_than_the_extrapolation():
    small, large = (
        np.array(calibrated(people(count, 3, 8, cameras=3, alike=0.3)).fpir.rate[0])
        for count in (30, 120)
    )
    size = SIZES.index(100)  # beyond the 30, within the 120
    shown = (large[size] > 0.02) & (large[size] < 0.98)
    assert shown.sum() > 5
    assert (small[size] > large[size] - 0.1)[shown].all()
    assert np.abs(small[size] - large[size])[shown].mean() < 0.15


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=12))
def test_the_likelihood_ratio_is_the_isotonic_fit(counts):
    same, other = np.array(counts, np.float64).T
    found = log_likelihood_ratios(same, other)
    assert (np.diff(found) >= 0).all()
    assert np.isfinite(found).all()
    totals = max(same.sum(), 1), max(other.sum(), 1)
    used = (same + other) > 0
    shares, weights = same / totals[0], (same / totals[0] + other / totals[1])
    if not used.any():
        return
    fit = literal.isotonic((shares / np.where(used, weights, 1))[used], weights[used])
    for one, two, low, high in zip(fit, fit[1:], found[used], found[used][1:], strict=False):
        if one == pytest.approx(two, abs=1e-12):
            continue
        assert low <= high  # parts of the fit stay in order; half a pair may make them equal


def test_a_likelihood_ratio_of_many_pairs_is_the_densities_ratio():
    random = np.random.default_rng(0)
    edges = np.linspace(-4, 5, 31)
    same, other = (
        np.histogram(random.normal(mean, 1, 400_000), edges)[0].astype(float) for mean in (1, 0)
    )
    middle = (edges[1:] + edges[:-1]) / 2
    found = log_likelihood_ratios(same, other)
    inside = (middle > -1.5) & (middle < 2.5)
    assert np.abs(found - (middle - 0.5))[inside].max() < 0.1  # log N(x; 1) / N(x; 0) = x - 1/2


@pytest.mark.parametrize("lowest", [-1.0, -0.2, 0.98])
def test_bins_are_the_numbers_of_thresholds_reached(lowest):
    grid = Grid(lowest)
    thresholds = grid.thresholds
    assert (thresholds[0], thresholds[-1]) == (lowest, 1)
    values = [
        *(-np.inf, -1.2, lowest - grid.step / 2),
        *np.concatenate([thresholds, thresholds[:-1] + grid.step * 0.4]),
    ]
    expected = [int((value >= thresholds - 1e-12).sum()) for value in values]
    assert grid.bins(np.array(values, np.float32)).tolist() == expected


@pytest.mark.parametrize("alike", [0, 3, 30])
def test_the_grid_spans_the_similarities_of_any_network(alike):
    drawn = as_people(people(60, 4, 0, alike=alike))
    similarity = drawn.features @ drawn.features.T
    assert (similarity < drawn.grid.lowest).mean() < 0.003
    assert drawn.grid.lowest == grid_of(drawn.features).lowest
    assert 1 - drawn.grid.lowest < 1.5 * (1 - np.quantile(similarity, 0.01))
