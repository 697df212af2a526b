"""Galleries whose network has a calibration: which threshold a search takes."""

import shutil

import numpy as np
import pytest

import apnet
from apnet.calibration import calibration_from, calibration_path, save_calibration
from apnet.errors import CalibrationError, ConfigError
from apnet.gallery.searching import track_thresholds
from apnet.types import Embeddings
from gallery.pictures import pixels


def calibrated(network, folder, people):
    """Returns the network in a folder of its own, with a calibration on people drawn at random."""
    path = shutil.copy(network, folder / "tiny.safetensors")
    random = np.random.default_rng(0)
    pids = np.repeat(np.arange(people), 3)
    features = random.standard_normal((people, 16))[pids] + random.standard_normal((3 * people, 16))
    drawn = Embeddings(features.astype(np.float32), pids, np.tile(np.arange(3), people))
    model = apnet.load_model(path, device="cpu")
    table = calibration_from(
        drawn, fingerprint=model.fingerprint, image_size=model.image_size, flip=True, data="drawn"
    )
    save_calibration(table, calibration_path(folder / "tiny.safetensors"))
    return model, table


def filled(place, model, identities):
    gallery = apnet.Gallery.create(place, model=model)
    for number in range(identities):
        gallery.add(pixels(number), f"person{number}")
    return gallery


@pytest.mark.parametrize(
    ("people", "identities", "fpir"), [(320, 2, 1e-2), (100, 2, 3 / 100), (10, 1, 3 / 10)]
)
def test_the_threshold_is_for_the_size_and_what_the_people_support(
    tmp_path, network, people, identities, fpir
):
    model, table = calibrated(network, tmp_path, people)
    expected = table.threshold(fpir=fpir * (1 + 1e-8), people=identities)
    with filled(tmp_path / "g", model, identities) as gallery:
        answer = gallery.search(pixels(0))
        assert answer.threshold == pytest.approx(expected.value, abs=1e-6)
        assert f"FPIR {expected.fpir}" in answer.protocol or identities == 1
        assert gallery.search(pixels(0), fmr=0.1).threshold == table.threshold(0.1).value


def test_too_few_people_for_any_rate_is_told(tmp_path, network):
    model, _ = calibrated(network, tmp_path, 10)
    with filled(tmp_path / "g", model, 20) as gallery:
        with pytest.raises(CalibrationError, match="300 people"):
            gallery.search(pixels(0))
        assert gallery.search(pixels(0), threshold=0.5).threshold == 0.5


def test_thresholds_of_tracklets_rise_while_the_gallery_grows(tmp_path, network):
    model, table = calibrated(network, tmp_path, 320)
    with filled(tmp_path / "g", model, 1) as gallery:
        thresholds = track_thresholds(gallery, gallery._engine, None, -1, None)
        first = thresholds()
        for number in range(1, 30):
            gallery.add(pixels(number), f"person{number}")
        assert thresholds().known > first.known
        assert thresholds().known == table.threshold(fpir=1e-2, people=30).value
        assert (first.new, thresholds().new) == (-1, -1)
        with pytest.raises(ConfigError, match="not above known"):
            track_thresholds(gallery, gallery._engine, 0.5, 0.6, None)
