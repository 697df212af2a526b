import json
import shutil

import pytest

from apnet.data import load_dataset
from apnet.data.snapshot import changes, snapshot
from apnet.errors import DataError


def image(pid, number=0):
    return f"bounding_box_train/{pid:04d}_c1s1_{number:06d}_00.jpg"


@pytest.fixture
def market(touch, tmp_path):
    """Ten training identities with two images each."""
    names = [image(pid, number) for pid in range(1, 11) for number in range(2)]
    test = ["query/0020_c1s1_000000_00.jpg", "bounding_box_test/0020_c2s1_000000_00.jpg"]
    return touch(tmp_path / "market", [*names, *test])


def taken(market):
    return json.loads(json.dumps(snapshot(load_dataset("market1501", market))))


def test_counts_and_size(market):
    found = taken(market)
    assert (found["images"], found["identities"]) == (20, 10)
    assert found["by_identity"]["0003"][0] == 2
    assert list(found["by_identity"]) == [f"{pid:04d}" for pid in range(1, 11)]
    assert len(json.dumps(found["by_identity"])) <= 40 * 10


def test_nothing_has_changed(market, tmp_path):
    before = taken(market)
    assert changes(before, taken(market)) == []
    (market / "query" / "0020_c1s1_000000_00.jpg").write_bytes(b"other")
    assert changes(before, taken(market)) == []  # only the training split counts
    moved = tmp_path / "elsewhere"
    shutil.move(market, moved)
    assert changes(before, taken(moved)) == []


def test_an_identity_replaced_by_another(market):
    before = taken(market)
    for number in range(2):
        (market / image(5, number)).rename(market / image(11, number))
    assert changes(before, taken(market)) == [
        "1 identity removed: 0005",
        "1 identity added: 0011",
    ]


def test_identities_that_came_are_named_up_to_three(market, touch):
    before = taken(market)
    touch(market, [image(pid) for pid in range(30, 35)])
    assert changes(before, taken(market)) == ["5 identities added: 0030, 0031, 0032 and 2 more"]
    assert changes(taken(market), before) == ["5 identities removed: 0030, 0031, 0032 and 2 more"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda market: (market / image(4, 2)).touch(), "0004 (3 images, before 2)"),
        (lambda market: (market / image(4, 1)).unlink(), "0004 (1 images, before 2)"),
        (
            lambda market: (market / image(4, 1)).rename(market / image(4, 9)),
            "0004 (2 images, other files)",
        ),
        (lambda market: (market / image(4, 1)).write_bytes(b"x"), "0004 (2 images, other files)"),
        (
            lambda market: (market / image(4)).rename(market / image(4).replace("c1", "c2")),
            "0004 (2 images, other files)",
        ),
    ],
)
def test_an_identity_whose_images_changed(market, change, says):
    before = taken(market)
    change(market)
    assert changes(before, taken(market)) == [f"1 identity changed: {says}"]


def test_identities_with_folders_of_their_own_are_called_by_them(touch, tmp_path):
    names = [f"train/{name}/{number}.jpg" for name in ("ann", "bob", "cy") for number in range(2)]
    names += ["query/dan/1.jpg", "gallery/dan/2.jpg"]
    root = touch(tmp_path / "people", names)
    before = snapshot(load_dataset("folder", root))
    (root / "train" / "ann").rename(root / "train" / "zoe")  # every pid is another one now
    assert changes(before, snapshot(load_dataset("folder", root))) == [
        "1 identity removed: ann",
        "1 identity added: zoe",
    ]


def test_another_order(touch, tmp_path):
    touch(tmp_path, ["1.jpg", "2.jpg", "3.jpg", "4.jpg"])
    rows = ["1.jpg,5,train", "2.jpg,6,train", "3.jpg,7,query", "4.jpg,7,gallery"]
    (tmp_path / "a.csv").write_text("\n".join(["path,pid,split", *rows]))
    before = snapshot(load_dataset("csv", tmp_path))
    (tmp_path / "a.csv").write_text("\n".join(["path,pid,split", *reversed(rows)]))
    now = snapshot(load_dataset("csv", tmp_path))
    assert changes(before, now) == ["the same images are listed or numbered in another order"]


def test_an_image_that_has_gone(market):
    dataset = load_dataset("market1501", market)
    (market / image(4)).unlink()
    with pytest.raises(DataError, match=r"0004_c1s1_000000_00\.jpg: .*cannot be read.*restore it"):
        snapshot(dataset)


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: {},
        lambda record: [],
        lambda record: {**record, "by_identity": None},
        lambda record: {**record, "by_identity": {"0001": 3}},
        lambda record: {**record, "by_identity": {"0001": [3]}},
        lambda record: {**record, "by_identity": {"0001": ["20", "ab"]}},
        lambda record: {**record, "by_identity": {"0001": [20, 5]}},
        lambda record: {**record, "images": 19},
        lambda record: {**record, "digest": None},
    ],
)
def test_a_malformed_record(market, damage):
    now = taken(market)
    with pytest.raises(DataError, match=r"malformed.*start a new run"):
        changes(damage(now), now)
