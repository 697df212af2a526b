import subprocess
import sys
from pathlib import Path

import pytest

import apnet.data
from apnet.data import (
    DATASETS,
    PUBLISHED,
    check_dataset,
    load_dataset,
    load_source,
    load_sources,
    parse_source,
)
from apnet.errors import ConfigError, DataError

PLACES = [(1, 1), (1, 2), (2, 1)]
"""Person and camera of the training images."""


def test_source():
    assert parse_source("market1501=a/b=c") == ("market1501", Path("a/b=c"))
    assert parse_source("folder=~/people")[1] == Path.home() / "people"


@pytest.mark.parametrize("text", ["market1501", "market1501=", "=dir", ""])
def test_a_source_of_another_form(text):
    with pytest.raises(ConfigError, match="NAME=DIR"):
        parse_source(text)


@pytest.mark.parametrize(
    ("name", "says"),
    [("market1502", "did you mean 'market1501'"), ("zebra", "there are: market1501")],
)
def test_unknown_names(name, says):
    with pytest.raises(ConfigError, match=says):
        parse_source(f"{name}=x")
    with pytest.raises(ConfigError, match=says):
        load_dataset(name, Path("x"))


@pytest.mark.parametrize("name", DATASETS)
def test_every_loader_refuses_what_is_not_there(tmp_path, name):
    with pytest.raises(DataError, match="nowhere"):
        load_source(f"{name}={tmp_path / 'nowhere'}")
    with pytest.raises(DataError, match="expected"):
        load_dataset(name, tmp_path)


def test_published_sets_are_known():
    assert set(PUBLISHED) < set(DATASETS)


def test_every_public_name_is_there():
    for name in apnet.data.__all__:
        assert getattr(apnet.data, name) is not None, name
    assert set(apnet.data._PLACES) == set(apnet.data.__all__) == set(dir(apnet.data))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = apnet.data.nonsense


def test_loading_a_data_set_needs_no_torch():
    code = "from apnet.data import load_dataset; import sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


MARKET_TRAIN = [f"bounding_box_train/000{pid}_c{camera}s1_000001_00.jpg" for pid, camera in PLACES]
MARKET_TEST = {
    "query": "query/0005_c1s1_000001_00.jpg",
    "gallery": "bounding_box_test/0005_c2s1_000001_00.jpg",
}
DUKE_TRAIN = [f"bounding_box_train/000{pid}_c{camera}_f0000001.jpg" for pid, camera in PLACES]
MSMT_NAMES = [f"000{pid}/000{pid}_000_0{camera}_0302morning_0001_0.jpg" for pid, camera in PLACES]
TRAIN_ONLY = {
    "market1501": MARKET_TRAIN,
    "dukemtmcreid": DUKE_TRAIN,
    "occluded-duke": DUKE_TRAIN,
    "cuhk03np-labeled": [
        f"labeled/bounding_box_train/000{pid}_c{camera}_1.png" for pid, camera in PLACES
    ],
    "msmt17": [f"bounding_box_train/000{pid}_c{camera}_0001.jpg" for pid, camera in PLACES],
    "msmt17-noval": [f"train/{name}" for name in MSMT_NAMES],
    "personx": MARKET_TRAIN,
    "veri776": [f"image_train/000{pid}_c00{camera}_00001_0.jpg" for pid, camera in PLACES],
    "folder": [f"train/{pid}/c{camera}_1.jpg" for pid, camera in PLACES],
    "csv": [f"{pid}/{camera}.jpg" for pid, camera in PLACES],
}


def write_lists(root):
    lines = [f"{name} {int(name[:4])}" for name in MSMT_NAMES]
    (root / "list_train.txt").write_text("\n".join(lines))
    rows = [f"{pid}/{camera}.jpg,{pid},{camera},train" for pid, camera in PLACES]
    (root / "people.csv").write_text("\n".join(["path,pid,camid,split", *rows]))


@pytest.mark.parametrize("name", TRAIN_ONLY)
@pytest.mark.filterwarnings("ignore::apnet.data.WithdrawnDataWarning")
def test_a_set_with_training_images_only(touch, tmp_path, name):
    write_lists(touch(tmp_path, TRAIN_ONLY[name]))
    dataset = load_dataset(name, tmp_path)
    assert [(record.pid, record.camid) for record in dataset.train] == PLACES
    assert dataset.query == dataset.gallery == ()
    assert "no test split: for training only" in dataset.notes
    inside = tmp_path / TRAIN_ONLY[name][0].split("/")[0]
    if name not in ("folder", "csv"):
        assert load_dataset(name, inside) == dataset
    check = check_dataset(name, tmp_path, decode=False)
    assert check.problems() == []
    assert "no test split: for training only" in check.notes


@pytest.mark.parametrize("present", ["query", "gallery"])
def test_half_a_test_split_is_an_error(touch, tmp_path, present):
    touch(tmp_path, [*MARKET_TRAIN, MARKET_TEST[present]])
    with pytest.raises(DataError, match="bounding_box_train, query and bounding_box_test"):
        load_dataset("market1501", tmp_path)
    for folder in ("query", "bounding_box_test"):
        (tmp_path / folder).mkdir(exist_ok=True)
    absent = {"query": "gallery", "gallery": "query"}[present]
    with pytest.raises(DataError, match=f"no {absent} images"):
        load_dataset("market1501", tmp_path)


@pytest.mark.parametrize("present", ["query", "gallery"])
def test_half_a_test_split_of_person_folders_and_tables(touch, tmp_path, present):
    touch(tmp_path, ["train/ann/1.jpg", f"{present}/bob/1.jpg"])
    with pytest.raises(DataError, match="train, query and gallery"):
        load_dataset("folder", tmp_path)
    table = tmp_path / "people.csv"
    table.write_text(f"path,pid,split\ntrain/ann/1.jpg,1,train\n{present}/bob/1.jpg,2,{present}\n")
    with pytest.raises(DataError, match="images there; unpack"):
        load_dataset("csv", table)


def test_msmt17_half_a_test_split(touch, tmp_path):
    write_lists(touch(tmp_path, [*TRAIN_ONLY["msmt17-noval"], "test/0000/1.jpg"]))
    with pytest.raises(DataError, match=r"list_\*\.txt"):
        load_dataset("msmt17", tmp_path)


def test_a_person_called_train_is_no_split(touch, tmp_path):
    names = [f"{who}/{image}.jpg" for who in ("ann", "bob", "cy") for image in range(3)]
    dataset = load_dataset("folder", touch(tmp_path / "train", names))
    assert dataset.train
    assert dataset.query


def test_nothing_at_all(touch, tmp_path):
    for folder in ("bounding_box_train", "query", "bounding_box_test"):
        (tmp_path / folder).mkdir()
    with pytest.raises(DataError, match="no query images"):
        load_dataset("market1501", tmp_path)
    assert len(check_dataset("market1501", tmp_path).problems()) == 2


def test_the_root_may_be_text(touch, tmp_path, monkeypatch):
    touch(tmp_path / "market", [*MARKET_TRAIN, *MARKET_TEST.values()])
    monkeypatch.setenv("HOME", str(tmp_path))
    dataset = load_dataset("market1501", str(tmp_path / "market"))
    assert dataset == load_dataset("market1501", "~/market")
    assert dataset.root == tmp_path / "market"


def test_several_sources(touch, tmp_path):
    one = touch(tmp_path / "one", [*MARKET_TRAIN, *MARKET_TEST.values()])
    two = touch(tmp_path / "two", MARKET_TRAIN)
    texts = [f"market1501={one}", f"market1501={two}", f"personx={one}"]
    datasets = load_sources(texts)
    assert [dataset.root for dataset in datasets] == [one, two, one]
    assert [dataset.name for dataset in datasets] == ["market1501", "market1501", "personx"]
    (tmp_path / "link").symlink_to(one)
    for again in (one, one / "query", tmp_path / "link"):
        with pytest.raises(ConfigError, match="was given before"):
            load_sources([*texts, f"market1501={again}"])
