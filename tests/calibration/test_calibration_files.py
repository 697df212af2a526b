"""Calibrations as files: whole, damaged, edited, newer, and where they are looked for."""

import json

import pytest
from drawn_people import people

import apnet
from apnet.calibration import (
    calibration_from,
    calibration_path,
    load_calibration,
    save_calibration,
)
from apnet.calibration.files import _digest
from apnet.errors import CalibrationError, DataError


@pytest.fixture(scope="module")
def calibration():
    return calibration_from(
        people(40, 4, 1), fingerprint="0123", image_size=(8, 4), flip=True, data="drawn"
    )


@pytest.fixture
def file(calibration, tmp_path):
    path = tmp_path / "net.calibration.json"
    save_calibration(calibration, path)
    return path


def changed(file, change, *, sign=True):
    whole = json.loads(file.read_text())
    change(whole)
    if sign:
        whole["sha256"] = _digest(whole["calibration"])
    file.write_text(json.dumps(whole))


def test_it_comes_back_as_it_was(calibration, file):
    assert load_calibration(str(file)).content == calibration.content
    assert apnet.load_calibration(file).threshold(1e-1) == calibration.threshold(1e-1)


def test_the_same_people_give_the_same_file(calibration, file, tmp_path):
    again = calibration_from(
        people(40, 4, 1), fingerprint="0123", image_size=(8, 4), flip=True, data="drawn"
    )
    save_calibration(again, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '"x"', "null", '{"format": 1}', '{"a":' * 5000, '{"a": NaN}']
)
def test_damaged_text_is_told(file, text):
    file.write_text(text)
    with pytest.raises(CalibrationError, match=r"net\.calibration\.json: .*calibrate again"):
        load_calibration(file)


def test_a_cut_file_is_told(file):
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(CalibrationError, match="damaged"):
        load_calibration(file)


def test_a_changed_number_is_noticed(file):
    changed(file, lambda whole: whole["calibration"].update(people=50_000), sign=False)
    with pytest.raises(CalibrationError, match="edited by hand: its digest differs"):
        load_calibration(file)


def test_a_newer_one_says_so(file):
    changed(file, lambda whole: whole.update(format=2))
    with pytest.raises(CalibrationError, match=r"of format 2, made by a newer version.*update"):
        load_calibration(file)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["fmr"]["rate"].pop(),
        lambda content: content["fmr"]["rate"].__setitem__(3, "x"),
        lambda content: content["fmr"]["rate"].__setitem__(3, -0.5),
        lambda content: content["fpir"]["rate"][0].pop(),
        lambda content: content["fnir"].pop("error"),
        lambda content: content["log_likelihood_ratio"].pop(),
        lambda content: content["gallery_images"].pop(),
        lambda content: content["gallery_images"].__setitem__(0, 0),
        lambda content: content.update(people=1),
        lambda content: content.update(lowest=1.0),
        lambda content: content.update(image_size=[8]),
        lambda content: content.pop("fingerprint"),
    ],
)
def test_signed_nonsense_is_refused_too(file, change):
    changed(file, lambda whole: change(whole["calibration"]))
    with pytest.raises(CalibrationError, match="damaged"):
        load_calibration(file)


def test_no_file(tmp_path):
    with pytest.raises(CalibrationError, match=r"none\.json: no such calibration; make one with"):
        load_calibration(tmp_path / "none.json")
    with pytest.raises(CalibrationError, match="no such calibration"):
        load_calibration(tmp_path)


def test_a_place_that_cannot_be_written(calibration, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot be written"):
        save_calibration(calibration, tmp_path / "file" / "net.json")


def test_where_a_network_s_calibration_is(tmp_path):
    assert calibration_path(tmp_path / "net.safetensors").name == "net.calibration.json"
    assert calibration_path(tmp_path) == tmp_path / "calibration.json"
