"""The calibration that ships with the package."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import apnet
from apnet.calibration import calibration_of, calibration_path
from apnet.errors import CalibrationError
from apnet.retrieval import save_features
from apnet.shipped import SHIPPED
from apnet.types import Embeddings


@pytest.fixture(scope="module")
def calibration():
    return calibration_of(apnet.load_model(device="cpu"))


@pytest.fixture(scope="module")
def tool():
    path = Path(__file__).parents[2] / "tools" / "ship_calibration.py"
    spec = importlib.util.spec_from_file_location("ship_calibration", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_belongs_to_the_shipped_network(calibration):
    model = apnet.load_model(device="cpu")
    calibration.check(model.fingerprint, model.image_size, flip=True)
    assert calibration.people == 3_000
    assert calibration_path(Path(str(SHIPPED))).stat().st_size < 700_000


def test_every_answer_says_what_it_does_not_cover(calibration):
    answers = [calibration.threshold(1e-3), calibration.threshold(fpir=1e-2, people=200)]
    for each in answers:
        assert each.limits.startswith("Not calibrated on your cameras")
    crop = np.zeros((64, 32, 3), np.uint8)
    assert "Not calibrated on your cameras" in apnet.compare(crop, crop).limits


@pytest.mark.parametrize("fmr", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5])
def test_it_supports_usual_rates_of_a_pair(calibration, fmr):
    found = calibration.threshold(fmr)
    assert found.fmr.value == pytest.approx(fmr, rel=0.1)
    assert 0 < found.value < 1
    assert found.fmr.low < fmr < found.fmr.high


def test_a_smaller_rate_is_refused(calibration):
    with pytest.raises(CalibrationError, match="cannot be promised from 3,000 people"):
        calibration.threshold(1e-7)


@pytest.mark.parametrize("images", [1, 4])
def test_thresholds_rise_with_the_gallery(calibration, images):
    sizes = (1, 10, 100, 1_000, 5_000)
    found = [calibration.threshold(fpir=1e-2, people=size, images=images) for size in sizes]
    values = [each.value for each in found]
    assert values == sorted(values)
    assert [each.extrapolated for each in found] == [size > 2_999 for size in sizes]


def test_the_tool_writes_a_calibration_of_features(tool, tmp_path, monkeypatch, capsys):
    model = apnet.load_model(device="cpu")
    random = np.random.default_rng(0)
    pids = np.repeat(np.arange(12), 4)
    features = random.standard_normal((12, 1280))[pids] + random.standard_normal((48, 1280))
    drawn = Embeddings(
        features.astype(np.float32), pids, np.tile(np.arange(4), 12), (), model.fingerprint
    )
    save_features(tmp_path / "seen.npz", drawn)
    out = tmp_path / "table.json"
    monkeypatch.setattr(
        "sys.argv", ["ship_calibration", str(tmp_path / "seen.npz"), "--out", str(out)]
    )
    tool.main()
    assert str(out) in capsys.readouterr().out
    content = apnet.load_calibration(out).content
    assert (content.people, content.images, content.cameras) == (12, 48, 4)
    assert content.data == "synthetic people of the set people-calibration, version 1"
    other = Embeddings(drawn.features, drawn.pids, drawn.camids, (), "0123")
    save_features(tmp_path / "seen.npz", other)
    with pytest.raises(SystemExit, match="error: embeddings of different networks"):
        tool.main()
