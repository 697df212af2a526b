"""Special cases of the benchmarks' file names, in folders of a few empty files."""

import pytest

from apnet.data import WithdrawnDataWarning, load_dataset
from apnet.data.registry import read_listing
from apnet.errors import DataError
from apnet.types import NO_CAMERA

MARKET = [
    "bounding_box_train/0002_c1s1_000451_03.jpg",
    "bounding_box_train/0007_c3s3_077419_03.jpg",
    "query/1488_c1s6_023021_00.jpg.jpg",
    "query/0001_c2s1_000301_00.jpg",
    "bounding_box_test/-1_c1s1_000401_03.jpg",
    "bounding_box_test/0000_c4s6_027546_02.jpg",
    "bounding_box_test/0001_c1s1_001051_00.jpg",
    "bounding_box_test/1488_c3s3_071344_01.jpg.jpg",
]


def cells(records):
    return [(record.path.name, record.pid, record.camid) for record in records]


def test_market1501(touch, tmp_path):
    dataset = load_dataset("market1501", touch(tmp_path, MARKET))
    assert cells(dataset.train) == [
        ("0002_c1s1_000451_03.jpg", 2, 1),
        ("0007_c3s3_077419_03.jpg", 7, 3),
    ]
    assert cells(dataset.query) == [
        ("0001_c2s1_000301_00.jpg", 1, 2),
        ("1488_c1s6_023021_00.jpg.jpg", 1488, 1),
    ]
    assert cells(dataset.gallery) == [
        ("0000_c4s6_027546_02.jpg", 0, 4),
        ("0001_c1s1_001051_00.jpg", 1, 1),
        ("1488_c3s3_071344_01.jpg.jpg", 1488, 3),
    ]
    assert "bounding_box_test: 1 junk images (pid -1) left out" in dataset.notes
    assert any("published are 751, 12,936, 6" in note for note in dataset.notes)
    assert not dataset.camera_less


@pytest.mark.parametrize("inside", ["", "Market-1501-v15.09.15"])
@pytest.mark.parametrize("given", ["", "query", "bounding_box_test"])
def test_neighbouring_folders_will_do(touch, tmp_path, inside, given):
    base = touch(tmp_path / inside, MARKET)
    root = base / given if given else tmp_path
    dataset = load_dataset("market1501", root)
    assert dataset.root == base
    assert len(dataset.query) == 2
    assert load_dataset("market1501", dataset.root) == dataset


def test_uppercase_and_png_names(touch, tmp_path):
    names = [name.replace(".jpg", ".PNG") for name in MARKET]
    assert len(load_dataset("market1501", touch(tmp_path, names)).gallery) == 3


def test_litter_is_ignored_and_other_files_are_noted(touch, tmp_path):
    touch(tmp_path, MARKET)
    touch(tmp_path, ["query/Thumbs.db", "query/.DS_Store", "query/._0001_c2s1_000301_00.jpg"])
    dataset = load_dataset("market1501", tmp_path)
    assert len(dataset.query) == 2
    assert not any("query" in note and "no images" in note for note in dataset.notes)
    touch(tmp_path, ["query/readme.txt", "query/more/0001_c2s1_000301_00.jpg"])
    dataset = load_dataset("market1501", tmp_path)
    assert len(dataset.query) == 2
    assert "query: 2 entries left out that are not images (more, readme.txt)" in dataset.notes


def test_a_name_off_the_grammar_is_an_error(touch, tmp_path):
    touch(tmp_path, [*MARKET, "query/IMG_1.jpg"])
    with pytest.raises(DataError, match=r"1 image names do not follow.*IMG_1\.jpg"):
        load_dataset("market1501", tmp_path)
    assert [path.name for path in read_listing("market1501", tmp_path).off_grammar] == ["IMG_1.jpg"]


@pytest.mark.parametrize(
    "name", ["0001_c2s1_000301_00_1.jpg", "x0001_c2s1_000301_00.jpg", "-2_c1s1_000001_00.jpg"]
)
def test_the_whole_name_is_matched(touch, tmp_path, name):
    touch(tmp_path, [*MARKET, f"query/{name}"])
    assert len(read_listing("market1501", tmp_path).off_grammar) == 1


def test_train_may_be_missing_and_test_may_not(touch, tmp_path):
    touch(tmp_path, MARKET[2:])
    dataset = load_dataset("market1501", tmp_path)
    assert dataset.train == ()
    assert "no training split: for testing only" in dataset.notes
    (tmp_path / "query" / "1488_c1s6_023021_00.jpg.jpg").unlink()
    (tmp_path / "query" / "0001_c2s1_000301_00.jpg").unlink()
    with pytest.raises(DataError, match="no query images"):
        load_dataset("market1501", tmp_path)


def test_a_wrong_folder_says_what_it_found(touch, tmp_path):
    touch(tmp_path, ["holiday/beach.jpg", "notes.txt"])
    with pytest.raises(DataError, match=r"expected Market-1501's .*found holiday/, notes\.txt"):
        load_dataset("market1501", tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        load_dataset("market1501", tmp_path / "nowhere")
    with pytest.raises(DataError, match="a file, not a folder"):
        load_dataset("market1501", tmp_path / "notes.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="an empty folder"):
        load_dataset("market1501", tmp_path / "empty")


DUKE = [
    "bounding_box_train/0001_c2_f0046182.jpg",
    "query/0005_c2_f0046985.jpg",
    "bounding_box_test/0005_c5_f0051781.jpg",
    "bounding_box_test/7140_c8_f0051781.jpg",
]


@pytest.mark.usefixtures("not_yet_warned")
@pytest.mark.parametrize(
    ("name", "inside"), [("dukemtmcreid", "DukeMTMC-reID"), ("occluded-duke", "Occluded_Duke")]
)
def test_duke_is_read_and_warned_about_once(touch, tmp_path, recwarn, name, inside):
    touch(tmp_path / inside, DUKE)
    with pytest.warns(WithdrawnDataWarning, match="withdrawn by their owners in 2019"):
        dataset = load_dataset(name, tmp_path)
    assert cells(dataset.gallery)[1] == ("7140_c8_f0051781.jpg", 7140, 8)
    recwarn.clear()
    load_dataset(name, tmp_path)
    assert not recwarn.list


@pytest.mark.filterwarnings("ignore::apnet.data.WithdrawnDataWarning")
def test_duke_and_market_names_are_not_confused(touch, tmp_path):
    touch(tmp_path, MARKET)
    with pytest.raises(DataError, match="scheme of 'dukemtmcreid'"):
        load_dataset("dukemtmcreid", tmp_path)


@pytest.mark.filterwarnings("ignore::apnet.data.WithdrawnDataWarning")
def test_occluded_duke_keeps_images_that_are_in_both_test_splits(touch, tmp_path):
    touch(tmp_path, [*DUKE, "bounding_box_test/0005_c2_f0046985.jpg"])
    dataset = load_dataset("occluded-duke", tmp_path)
    name = "0005_c2_f0046985.jpg"
    assert name in [record.path.name for record in dataset.query]
    assert name in [record.path.name for record in dataset.gallery]


def test_veri776_and_personx(touch, tmp_path):
    veri = touch(
        tmp_path / "VeRi",
        [
            "image_train/0001_c001_00016450_0.jpg",
            "image_query/0002_c002_00030600_0.jpg",
            "image_test/0002_c020_00084280_0.jpg",
        ],
    )
    assert cells(load_dataset("veri776", tmp_path).gallery) == [("0002_c020_00084280_0.jpg", 2, 20)]
    assert load_dataset("veri776", veri / "image_test").root == veri
    touch(tmp_path / "personx", ["query/1_c6s1_02.jpg", "bounding_box_test/1_c2s1_03.jpg"])
    assert cells(load_dataset("personx", tmp_path).query) == [("1_c6s1_02.jpg", 1, 6)]


def test_occluded_reid(touch, tmp_path):
    touch(
        tmp_path,
        [
            f"{kind}_body_images/{pid:03d}/{pid:03d}_{number:02d}.tif"
            for kind in ("occluded", "whole")
            for pid in (1, 200)
            for number in range(1, 6)
        ],
    )
    dataset = load_dataset("occluded-reid", tmp_path)
    assert dataset.camera_less
    assert [len(dataset.train), len(dataset.query), len(dataset.gallery)] == [0, 10, 10]
    assert {record.pid for record in dataset.gallery} == {1, 200}
    assert dataset.query[0].camid == NO_CAMERA
