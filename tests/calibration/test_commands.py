"""``apnet calibrate`` and ``apnet compare``: files, pages, exit codes, errors of one line."""

import json
import shutil

import numpy as np
import pytest
from drawn_people import people

import apnet
from apnet.calibration import calibration_from, load_calibration, save_calibration
from apnet.errors import CalibrationError
from calibration.conftest import write_network


@pytest.fixture
def network(network_file, tmp_path):
    return shutil.copy(network_file, tmp_path / "net.safetensors")


@pytest.fixture
def calibrated(network, crops, run):
    code, out, err = run("calibrate", network, "--data", f"market1501={crops}", "--device", "cpu")
    assert code == 0, err
    return network, out, err


def picture(crops, person, camera, number=1):
    return crops / "bounding_box_test" / f"{person:04d}_c{camera}s1_{number:06d}_00.png"


def test_the_table_lies_beside_the_network(calibrated, crops):
    network, out, err = calibrated
    file = network.with_name("net.calibration.json")
    found = load_calibration(file)
    assert (found.people, found.content.images, found.content.cameras) == (24, 144, 2)
    assert found.fingerprint == apnet.load_model(network).fingerprint
    assert "24 people, 144 images, 2 cameras" in out
    assert "FMR 1e-01: threshold" in out
    assert "FMR 1e-03: FMR 0.001 cannot be promised from 24 people" in out
    assert f"calibration: {file}" in err
    assert out.splitlines()[-1] == found.limits


def test_calibrating_embeddings_gives_the_same_as_images(calibrated, crops):
    network, *_ = calibrated
    dataset = apnet.load_dataset("market1501", crops)
    model = apnet.load_model(network, device="cpu")
    embedded = model.embed([*dataset.query, *dataset.gallery])
    by_features = apnet.calibrate(model, embedded, device="cpu").content
    by_images = load_calibration(network.with_name("net.calibration.json")).content
    assert by_features.fmr == by_images.fmr
    assert by_features.fnir == by_images.fnir


def test_json_and_page(network, crops, run, tmp_path):
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    page, table = tmp_path / "page.html", tmp_path / "table.json"
    code, out, _ = run(
        *("calibrate", network, "--data", f"market1501={crops}", "--device", "cpu", "--json"),
        *("--out", table, "--report", page),
    )
    assert code == 0
    found = json.loads(out)
    assert found["people"] == 24
    claims = {each["claim"]: each for each in found["thresholds"]}
    assert claims["FMR 1e-01"]["fmr"]["low"] <= 0.1 <= claims["FMR 1e-01"]["fmr"]["high"]
    assert "calibrate with 776 people" in claims["FMR 1e-05"]["refused"]
    text = page.read_text()
    assert text.count('role="img"') == 2  # 24 people do not suffice for a gallery's threshold
    assert "DET curve" in text
    assert "calibrate with 300 people" in text
    assert "http" not in text.replace("http-equiv", "")
    assert load_calibration(table).people == 24


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--report", "page.pdf"], "name a file that ends in .html"),
        (["--data", "market1501=nowhere"], "nowhere"),
        (["--data", "marekt=nowhere"], "no data set is called"),
    ],
)
def test_mistakes_are_one_line(network, crops, run, arguments, message):
    code, out, err = run("calibrate", network, "--data", f"market1501={crops}", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_the_shipped_network_needs_a_place(crops, run):
    code, _, err = run("calibrate", "--data", f"market1501={crops}")
    assert code == 2
    assert "--out" in err


def test_a_set_to_train_on_only_is_refused(network, crops, run, tmp_path):
    shutil.copytree(crops / "bounding_box_test", tmp_path / "train" / "bounding_box_train")
    code, _, err = run("calibrate", network, "--data", f"market1501={tmp_path / 'train'}")
    assert code == 2
    assert "no query or gallery images" in err


def test_two_sets_are_other_people_and_cameras(network, crops, run, tmp_path):
    other = shutil.copytree(crops, tmp_path / "other")
    out = tmp_path / "both.json"
    code, _, err = run(
        *("calibrate", network, "--out", out, "--device", "cpu"),
        *("--data", f"market1501={crops}", "--data", f"market1501={other}"),
    )
    assert code == 0, err
    content = load_calibration(out).content
    assert (content.people, content.images, content.cameras) == (48, 288, 4)


def test_features_of_another_network_are_refused(network, crops):
    dataset = apnet.load_dataset("market1501", crops)
    model = apnet.load_model(network, device="cpu")
    embedded = model.embed(list(dataset.gallery))
    other = write_network(network.with_name("other.safetensors"), seed=1)
    with pytest.raises(CalibrationError, match="features are of network"):
        apnet.calibrate(other, embedded, device="cpu")


def test_compare_says_same_different_or_error(calibrated, crops, run):
    network, *_ = calibrated
    how = ("--checkpoint", network, "--device", "cpu", "--fmr", "0.1")
    one = picture(crops, 1, 1)
    code, out, _ = run("compare", one, one, *how)
    assert code == 0
    assert out.splitlines()[0] == "the same person"
    decided = [run("compare", one, picture(crops, person, 2), *how, "--json") for person in (1, 2)]
    for code, out, _ in decided:
        found = json.loads(out)
        assert code == (0 if found["same"] else 1)
        assert found["same"] == (found["similarity"] >= found["threshold"]["value"])
        assert "FMR" in found["protocol"]
        assert found["limits"]
    code, out, err = run("compare", one, crops / "missing.png", *how)
    assert (code, out) == (2, "")
    assert "missing.png: no such file" in err


def test_strangers_are_two_people(calibrated, crops, run):
    network, *_ = calibrated
    how = ("--checkpoint", network, "--device", "cpu", "--fmr", "0.1", "--json")
    codes = [
        run("compare", picture(crops, person, 1), picture(crops, person + 1, 2), *how)[0]
        for person in range(1, 21)
    ]
    assert codes.count(1) >= 14  # FMR 0.1 of these very people and cameras
    assert set(codes) <= {0, 1}


def test_folders_of_one_person_each(calibrated, crops, tmp_path, network):
    for number in (1, 2):
        (tmp_path / "ann").mkdir(exist_ok=True)
        shutil.copy(picture(crops, 3, 1, number), tmp_path / "ann")
    found = apnet.compare(
        tmp_path / "ann", picture(crops, 3, 2), model=network, fmr=0.1, device="cpu"
    )
    assert found.images == (2, 1)
    assert "the means of 2 and 1 images" in found.protocol
    assert "single images" in found.limits
    model = apnet.load_model(network, device="cpu")
    one, two = (
        model.embed(each).features.mean(axis=0) for each in (tmp_path / "ann", picture(crops, 3, 2))
    )
    cosine = one @ two / np.linalg.norm(one) / np.linalg.norm(two)
    assert found.similarity == pytest.approx(float(cosine), abs=1e-6)
    assert found.probability == pytest.approx(found.likelihood_ratio / (1 + found.likelihood_ratio))


def test_a_prior_changes_the_probability_and_not_the_decision(calibrated, crops):
    network, *_ = calibrated
    pair = picture(crops, 3, 1), picture(crops, 3, 2)
    how = {"model": network, "fmr": 0.1, "device": "cpu"}
    even, rare = (apnet.compare(*pair, prior=prior, **how) for prior in (0.5, 1e-4))
    assert even.same == rare.same
    assert rare.probability < even.probability
    assert (even.prior, rare.prior) == (0.5, 1e-4)


def test_compare_without_a_calibration(network, crops, run):
    code, _, err = run(
        "compare", picture(crops, 1, 1), picture(crops, 1, 2), "--checkpoint", network
    )
    assert code == 2
    assert "has no calibration; make one with 'apnet calibrate'" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fmr", "0"], "rate of 0"),
        (["--fmr", "1e-4"], "cannot be promised from 24 people"),
        (["--fmr", "0.1", "--prior", "1"], "prior = 1"),
        (["--calibration", "none.json"], "none.json: no such calibration"),
    ],
)
def test_compare_refuses(calibrated, crops, run, arguments, message):
    network, *_ = calibrated
    pair = picture(crops, 1, 1), picture(crops, 1, 2)
    code, _, err = run("compare", *pair, "--checkpoint", network, "--device", "cpu", *arguments)
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_the_calibration_of_another_network_is_refused(calibrated, crops, tmp_path):
    network, *_ = calibrated
    file = tmp_path / "other.json"
    drawn = calibration_from(
        people(20, 4, 0), fingerprint="4567", image_size=(32, 16), flip=True, data="drawn"
    )
    save_calibration(drawn, file)
    pair = picture(crops, 1, 1), picture(crops, 1, 2)
    with pytest.raises(CalibrationError, match="network 4567 instead of"):
        apnet.compare(*pair, model=network, calibration=file, fmr=0.1, device="cpu")
    shutil.copy(file, network.with_name("net.calibration.json"))
    with pytest.raises(CalibrationError, match="has no calibration"):
        apnet.compare(*pair, model=network, fmr=0.1, device="cpu")


def test_help_names_the_exit_codes(run):
    code, out, _ = run("compare", "--help")
    assert code == 0
    assert "0 the same person, 1 two people, 2 an error" in " ".join(out.split())
