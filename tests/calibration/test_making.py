"""Which people a calibration can be made of, and how much memory it takes."""

import tracemalloc

import numpy as np
import pytest
from drawn_people import people

from apnet.calibration import calibration_from, counting
from apnet.calibration import people as people_room
from apnet.errors import CalibrationError, DataError
from apnet.types import Embeddings


def calibrated(embeddings, **how):
    return calibration_from(
        embeddings, fingerprint="0123", image_size=(8, 4), flip=True, data="drawn", **how
    )


def with_values(embeddings, **changes):
    fields = {"features": embeddings.features, "pids": embeddings.pids, "camids": embeddings.camids}
    return Embeddings(**{**fields, **changes})


@pytest.mark.parametrize("count", [1, 2, 9])
def test_too_few_people(count):
    with pytest.raises(CalibrationError, match=f"{count} people; a calibration needs 10 at least"):
        calibrated(people(count, 4, 0))


def test_one_camera():
    drawn = people(20, 4, 0)
    with pytest.raises(CalibrationError, match=r"all images are of one camera.*another camera"):
        calibrated(with_values(drawn, camids=np.ones_like(drawn.camids)))


def test_people_of_one_camera_each():
    drawn = people(20, 4, 0)
    with pytest.raises(CalibrationError, match="only 0 people have images of two cameras"):
        calibrated(with_values(drawn, camids=drawn.pids % 3))


def test_images_of_nobody_do_not_count():
    drawn = people(20, 4, 0)
    more = people(5, 4, 9)
    strangers = with_values(more, pids=np.full_like(more.pids, -1))
    assert calibrated(drawn + strangers).content == calibrated(drawn).content


def test_features_that_are_no_direction():
    drawn = people(20, 4, 0)
    features = drawn.features.copy()
    features[7] = 0
    with pytest.raises(CalibrationError, match="a feature is zero; leave its image out"):
        calibrated(with_values(drawn, features=features))
    features[7, 1] = np.nan
    with pytest.raises(DataError, match="row 7 contains NaN"):
        with_values(drawn, features=features)


def test_the_order_of_rows_and_the_numbers_of_people_do_not_matter():
    drawn = people(24, 3, 2, cameras=3)
    shuffled = drawn[np.random.default_rng(0).permutation(len(drawn))]
    one, two = calibrated(drawn).content, calibrated(shuffled).content
    assert one.fmr == two.fmr
    assert one.fnmr == two.fnmr
    assert one.log_likelihood_ratio == two.log_likelihood_ratio
    renamed = calibrated(with_values(drawn, pids=drawn.pids * 3 + 1000)).content
    assert renamed == one


def test_the_length_of_features_does_not_matter():
    drawn = people(24, 3, 2)
    longer = with_values(drawn, features=drawn.features * 37)
    assert calibrated(longer).content.fmr == pytest.approx(calibrated(drawn).content.fmr)


def test_more_images_than_are_compared_are_told(monkeypatch):
    monkeypatch.setattr(people_room, "MOST_IMAGES", 60)
    with pytest.warns(UserWarning, match="40 images were left out"):
        found = calibrated(people(20, 5, 0)).content
    assert (found.images, found.people) == (60, 20)


def test_blocks_do_not_change_what_is_counted(monkeypatch):
    drawn = people(30, 4, 3)
    whole = calibrated(drawn).content
    monkeypatch.setattr(counting, "_MOST_PAIRS", 500)
    monkeypatch.setattr(counting, "_MOST_COUNTS", 8_000)
    assert calibrated(drawn).content == whole


def test_progress_ends_at_all_people():
    seen = []
    calibrated(people(30, 4, 3), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (30, 30)


@pytest.mark.slow
def test_memory_is_as_the_counting_states():
    drawn = people(600, 6, 0, dim=32)
    tracemalloc.start()
    calibrated(drawn)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * drawn.features.nbytes + 128 * 2**20 + len(drawn) // 6 * 40 * 2**10
