"""What a table answers: thresholds, galleries between and beyond its sizes, probabilities."""

import dataclasses

import numpy as np
import pytest
from drawn_people import people

from apnet.calibration import calibration_from
from apnet.calibration.grid import COUNT, SIZES
from apnet.errors import CalibrationError, ConfigError


@pytest.fixture(scope="module")
def calibration():
    return calibration_from(
        people(320, 5, 1, dim=24, noise=0.7),
        fingerprint="0123",
        image_size=(8, 4),
        flip=True,
        data="drawn",
    )


@pytest.mark.parametrize("fmr", [0.3, 1e-1, 1e-2, 1e-3, 1e-4])
def test_a_threshold_has_the_rate_asked_for(calibration, fmr):
    found = calibration.threshold(fmr)
    assert found.fmr.value == pytest.approx(fmr, rel=1e-6)
    assert found.fmr.low < fmr < found.fmr.high
    assert found.fnmr.low <= found.fnmr.value <= found.fnmr.high
    assert not found.extrapolated
    assert f"threshold {found.value:.3f}" in found.protocol
    assert "across cameras" in found.protocol
    assert found.limits == calibration.limits


@pytest.mark.parametrize("size", [1, 3, 7, 10, 55, 100, 250, 319])
def test_a_gallery_s_threshold_has_its_rate_and_rises_with_its_size(calibration, size):
    found = calibration.threshold(fpir=0.05, people=size)
    assert found.fpir.value == pytest.approx(0.05, rel=1e-6)
    larger = calibration.threshold(fpir=0.05, people=2 * size)
    assert larger.value > found.value
    assert larger.extrapolated == (2 * size > 319)


def test_between_sizes_the_rate_is_that_of_independent_pairs(calibration):
    at = calibration.threshold(1e-3).value
    rates = [calibration.rates(at, people=size).fpir.value for size in (30, 55, 100)]
    hazards = -np.log1p(-np.array(rates))
    assert hazards[1] / hazards[0] == pytest.approx(55 / 30, rel=0.1)
    assert hazards[0] < hazards[1] < hazards[2]


def test_beyond_all_sizes_it_goes_on_rising(calibration):
    at = calibration.threshold(1e-4).value
    largest = calibration.rates(at, people=SIZES[-1]).fpir.value
    beyond = calibration.rates(0.97, people=10 * SIZES[-1]).fpir.value
    assert largest <= 1
    assert beyond >= calibration.rates(0.97, people=SIZES[-1]).fpir.value
    values = [
        calibration.threshold(fpir=0.9, people=size).value for size in (100, 10**3, 10**4, 70_000)
    ]
    assert values == sorted(values)
    assert values[0] < values[-1]


def test_more_images_than_people_gave_are_an_upper_bound(calibration):
    held = calibration.content.gallery_images
    assert held[0] == 1
    assert held[-1] < 4  # 5 images in three cameras: 3 or 4 are not of the query's
    at = calibration.threshold(1e-3).value
    rates = [calibration.rates(at, people=50, images=images) for images in (1, 3, 8, 40)]
    values = [each.fpir.value for each in rates]
    assert values == sorted(values)
    assert values[2] > values[1]
    assert [each.extrapolated for each in rates] == [False, False, True, True]
    assert rates[-1].fnir.value == rates[-2].fnir.value


def test_claims_that_the_people_cannot_support_say_how_many_would(calibration):
    with pytest.raises(CalibrationError, match=r"FMR 1e-05 .* from 320 people.*776 people"):
        calibration.threshold(1e-5)
    with pytest.raises(CalibrationError, match=r"FPIR 0.001 .* from 320 people.*3,000 people"):
        calibration.threshold(fpir=1e-3, people=5)
    with pytest.raises(
        CalibrationError, match=r"FPIR 0.01 in a gallery of 100,000 .* 5,465 people"
    ):
        calibration.threshold(fpir=1e-2, people=100_000)


@pytest.mark.parametrize("fpir", [0.02, 0.1, 0.5])
def test_a_gallery_of_any_size_has_the_rate_asked_for_or_is_refused(calibration, fpir):
    refused = False
    for size in (2, 30, 319, 1_000, 3_000, 10_000, 100_000, 10**7):
        try:
            found = calibration.threshold(fpir=fpir, people=size, images=2)
        except CalibrationError:
            refused = True
            continue
        assert not refused, "a larger gallery needs more people"
        assert found.fpir.value == pytest.approx(fpir, rel=1e-6)
    assert refused


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"fmr": 0}, "rate of 0"),
        ({"fmr": 1.0}, "rate of 1.0"),
        ({"fmr": float("nan")}, "rate of nan"),
        ({"fpir": -1}, "rate of -1"),
        ({"people": 0}, "people = 0"),
        ({"people": 2.5}, "people = 2.5"),
        ({"people": True}, "people = True"),
        ({"images": 0}, "images = 0"),
    ],
)
def test_values_out_of_range_are_refused(calibration, wrong, message):
    with pytest.raises(ConfigError, match=message):
        calibration.threshold(**wrong)


@pytest.mark.parametrize("threshold", [-1.1, 1.5, float("nan")])
def test_rates_of_no_similarity_are_refused(calibration, threshold):
    with pytest.raises(ConfigError, match="use a similarity from -1 to 1"):
        calibration.rates(threshold)


@pytest.mark.parametrize("similarity", [-1.1, 1.5, float("nan"), float("inf")])
def test_no_similarity_has_no_probability(calibration, similarity):
    for ask in (calibration.probability, calibration.likelihood_ratio):
        with pytest.raises(ConfigError, match="use a similarity from -1 to 1"):
            ask(similarity)


@pytest.mark.parametrize("asked", [0, 1, -3, True, float("nan")])
def test_intervals_for_too_few_people_are_refused(calibration, asked):
    with pytest.raises(ConfigError, match="use 2 people or more"):
        calibration.rates(0.5, asked=asked)


def test_intervals_widen_for_fewer_people(calibration):
    at = calibration.threshold(1e-2).value
    widths = [
        calibration.rates(at, asked=asked).fmr.high - calibration.rates(at, asked=asked).fmr.low
        for asked in (20, 320, 100_000)
    ]
    assert widths == sorted(widths, reverse=True)
    assert calibration.rates(at).fmr == calibration.rates(at, asked=320).fmr


def test_a_probability_follows_from_ratio_and_prior(calibration):
    for similarity in (-1.0, 0.0, 0.31, 0.62, 1.0):
        ratio = calibration.likelihood_ratio(similarity)
        assert calibration.probability(similarity) == pytest.approx(ratio / (1 + ratio))
        assert calibration.probability(similarity, prior=1e-3) == pytest.approx(
            ratio / (ratio + 999)
        )
    values = [calibration.probability(float(each)) for each in calibration.grid.thresholds]
    assert values == sorted(values)
    for prior in (0, 1, -1, float("nan")):
        with pytest.raises(ConfigError, match="use a probability between 0 and 1"):
            calibration.probability(0.5, prior=prior)


def test_probabilities_are_calibrated_on_other_people(calibration):
    other = people(200, 5, 2, dim=24, noise=0.7)
    features = other.features / np.linalg.norm(other.features, axis=1, keepdims=True)
    apart = other.camids[:, None] != other.camids
    same = (other.pids[:, None] == other.pids)[apart]
    similarity = (features @ features.T)[apart]
    base = same.mean()
    said = np.array(
        [calibration.probability(float(each), prior=base) for each in calibration.grid.thresholds]
    )
    place = np.interp(similarity, calibration.grid.thresholds, said)
    for low, high in ((0.05, 0.3), (0.3, 0.7), (0.7, 0.95)):
        here = (place > low) & (place < high)
        assert here.sum() > 50
        assert same[here].mean() == pytest.approx(place[here].mean(), abs=0.12)


def test_the_similarity_of_a_probability(calibration):
    for wanted in (0.1, 0.5, 0.9):
        found = calibration.similarity_at(wanted)
        assert calibration.probability(found) >= wanted
        assert calibration.probability(found - 1.01 * calibration.grid.step) <= wanted


@pytest.mark.parametrize("wrong", [0, 1, -1, 2, float("nan")])
def test_no_similarity_for_what_is_no_probability(calibration, wrong):
    with pytest.raises(ConfigError, match=r"probability = .*use a probability between 0 and 1"):
        calibration.similarity_at(wrong)
    with pytest.raises(ConfigError, match=r"prior = .*use a probability between 0 and 1"):
        calibration.similarity_at(0.5, prior=wrong)


def test_a_probability_that_no_similarity_reaches_is_refused(calibration):
    most = calibration.probability(1.0, prior=1e-9)
    assert most < 0.5
    with pytest.raises(CalibrationError, match=r"no similarity makes .* as probable as 0.5"):
        calibration.similarity_at(0.5, prior=1e-9)


def test_a_ratio_is_that_of_its_bin_in_the_bin_s_middle(calibration):
    step = calibration.grid.step
    for place in (0, 17, COUNT // 2, COUNT - 2):
        middle = float(calibration.grid.thresholds[place] + step / 2)
        expected = np.exp(calibration.content.log_likelihood_ratio[place])
        assert calibration.likelihood_ratio(middle) == pytest.approx(expected)


@pytest.mark.parametrize(("size", "images"), [(1, 1), (319, 2), (2_000, 1), (40_000, 3)])
def test_the_smallest_rate_of_a_gallery_is_supported_and_no_smaller_one(calibration, size, images):
    smallest = calibration.smallest_fpir(size, images)
    found = calibration.threshold(fpir=smallest, people=size, images=images)
    assert found.fpir.value == pytest.approx(smallest, rel=1e-6)
    with pytest.raises(CalibrationError, match="cannot be promised"):
        calibration.threshold(fpir=0.99 * smallest, people=size, images=images)


@pytest.mark.parametrize(
    ("network", "differs"),
    [
        (("4567", (8, 4), True), "network 0123 instead of 4567"),
        (("0123", (16, 8), True), r"image size \(8, 4\) instead of \(16, 8\)"),
        (("0123", (8, 4), False), "mirror image True instead of False"),
    ],
)
def test_another_network_s_is_refused_with_what_differs(calibration, network, differs):
    with pytest.raises(CalibrationError, match=differs):
        calibration.check(*network)
    calibration.check("0123", (8, 4), True)


def test_the_equal_error_rate_is_where_they_are_equal(calibration):
    content = calibration.content
    fmr, fnmr = np.array(content.fmr.rate), np.array(content.fnmr.rate)
    crossing = int(np.argmax(fnmr >= fmr))
    assert (
        min(fnmr[crossing - 1], fmr[crossing])
        <= content.eer
        <= max(fmr[crossing - 1], fnmr[crossing])
    )


def test_it_shows_itself_briefly(calibration):
    assert len(repr(calibration).splitlines()) <= 10
    assert "320 people" in repr(calibration)
    assert dataclasses.asdict(calibration.threshold(1e-2))["people"] == 1
