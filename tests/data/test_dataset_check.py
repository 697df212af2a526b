import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from apnet.data import check_dataset, format_check


@pytest.fixture
def market(tmp_path):
    """A set without faults: three training identities and two test identities."""
    random = np.random.default_rng(0)
    for folder, pids, cameras in (
        ("bounding_box_train", (2, 3, 4), (1, 2)),
        ("query", (5, 6), (1,)),
        ("bounding_box_test", (5, 6), (2, 3)),
    ):
        (tmp_path / folder).mkdir()
        for pid in pids:
            for camera in cameras:
                pixels = random.integers(0, 256, (16, 8, 3), np.uint8)
                name = f"{pid:04d}_c{camera}s1_000001_00.jpg"
                Image.fromarray(pixels).save(tmp_path / folder / name)
    return tmp_path


def copy(market, source, target):
    shutil.copy(market / source, market / target)


def test_a_faultless_set(market):
    seen = []
    check = check_dataset("market1501", market, progress=lambda *step: seen.append(step))
    assert check.problems() == []
    assert [check.counts[split].images for split in ("train", "query", "gallery")] == [6, 2, 4]
    assert [check.counts[split].ids for split in ("train", "query", "gallery")] == [3, 2, 2]
    assert [check.counts[split].cameras for split in ("train", "query", "gallery")] == [2, 1, 2]
    assert len(check.remarks()) == 3  # the counts are not the published ones
    assert check.published["query"].images == 3368
    assert seen == [(done, 12) for done in range(1, 13)]
    assert "no problems found" in format_check(check)


def test_unreadable_images(market):
    path = market / "query" / "0005_c1s1_000001_00.jpg"
    path.write_bytes(path.read_bytes()[:-20])
    (market / "query" / "0006_c1s1_000001_00.jpg").write_bytes(b"")
    check = check_dataset("market1501", market)
    assert len(check.unreadable) == 2
    assert str(path) in check.unreadable[0]
    assert any("2 images cannot be decoded" in problem for problem in check.problems())
    assert check_dataset("market1501", market, decode=False).problems() == []


@pytest.mark.parametrize("content", [b"%!PS-Adobe-3.0 EPSF-3.0", b"GIF89a", b"\x00" * 50])
def test_files_that_are_no_images(market, content):
    (market / "query" / "0006_c1s1_000001_00.jpg").write_bytes(content)
    check = check_dataset("market1501", market)
    assert len(check.unreadable) == 1
    assert len(check.problems()) == 1


@pytest.mark.skipif(os.name != "posix", reason="names that are no UTF-8")
@pytest.mark.parametrize("name", [b"0006_c1s1_000009_00\xff.jpg", b"\xe9.jpg", b"a\nb.jpg"])
def test_names_that_are_no_utf8(market, name):
    try:
        (market / "query" / os.fsdecode(name)).touch()
    except OSError:
        pytest.skip("a file system of UTF-8 names")
    check = check_dataset("market1501", market)
    assert len(check.off_grammar) == 1
    json.dumps(check.to_dict()).encode("ascii")


def test_names_off_the_grammar(market):
    (market / "query" / "beach.jpg").touch()
    check = check_dataset("market1501", market)
    assert [path.name for path in check.off_grammar] == ["beach.jpg"]
    assert "PROBLEM: 1 image names" in format_check(check)


def test_leaked_people(market):
    copy(market, "query/0005_c1s1_000001_00.jpg", "bounding_box_train/0005_c1s1_000009_00.jpg")
    check = check_dataset("market1501", market)
    assert check.leaked_pids == (5,)
    assert [[path.parent.name for path in group] for group in check.copies_leaked] == [
        ["bounding_box_train", "query"]
    ]
    assert len(check.problems()) == 2
    assert check_dataset("market1501", market, decode=False).copies_leaked == ()


def test_copies_in_a_split_and_between_query_and_gallery(market):
    first = "query/0005_c1s1_000001_00.jpg"
    copy(market, first, "query/0005_c1s1_000002_00.jpg")
    copy(market, first, "bounding_box_test/0005_c1s1_000001_00.jpg")
    check = check_dataset("market1501", market)
    assert [len(group) for group in check.copies_within] == [2]
    assert [len(group) for group in check.copies_in_test] == [3]
    assert check.problems() == []


def test_people_in_one_camera(market):
    (market / "bounding_box_train" / "0004_c2s1_000001_00.jpg").unlink()
    for camera in (2, 3):
        (market / "bounding_box_test" / f"0006_c{camera}s1_000001_00.jpg").unlink()
    copy(market, "query/0006_c1s1_000001_00.jpg", "bounding_box_test/0006_c1s1_000009_00.jpg")
    check = check_dataset("market1501", market, decode=False)
    assert check.one_camera_train == (4,)
    assert check.unanswerable_queries == (6,)
    assert "neither decoded" in format_check(check)


def test_an_empty_split_is_a_problem(market):
    shutil.rmtree(market / "query")
    (market / "query").mkdir()
    assert "the query split is empty" in check_dataset("market1501", market).problems()


def test_without_cameras(tmp_path, touch):
    touch(
        tmp_path,
        ["train/a/1.jpg", "train/d/1.jpg", "query/b/1.jpg", "gallery/b/2.jpg", "gallery/c/3.jpg"],
    )
    check = check_dataset("folder", tmp_path, decode=False)
    assert check.counts["gallery"].cameras == 0
    assert check.remarks() == check.problems() == []


def test_json_form(market):
    (market / "query" / "beach.jpg").touch()
    plain = json.loads(json.dumps(check_dataset("market1501", market).to_dict()))
    assert plain["counts"]["train"] == {"ids": 3, "images": 6, "cameras": 2}
    assert plain["off_grammar"] == [str(market / "query" / "beach.jpg")]
    assert len(plain["problems"]) == 1
