import pytest

from apnet.data import load_dataset
from apnet.data.benchmarks.msmt17 import TEST_OFFSET
from apnet.errors import DataError

TRAIN = ["0000/0000_045_12_0303morning_0006_2.jpg", "0001/0001_046_01_0303noon_0006_12_ex.jpg"]
VAL = ["0000/0000_013_04_0303morning_0020_2.jpg"]
QUERY = ["0000/0000_000_01_0303morning_0015_0.jpg"]
GALLERY = ["0000/0000_008_15_0113afternoon_0019_2.jpg", "3059/3059_009_02_0303noon_0019_2_ex.jpg"]


def write_list(path, names):
    path.write_text("".join(f"{name} {int(name[:4])}\n" for name in names))


@pytest.fixture(params=[("train", "test"), ("mask_train_v2", "mask_test_v2")], ids=["V1", "V2"])
def release(request, touch, tmp_path):
    """A release of either version."""
    train, test = request.param
    touch(tmp_path / train, TRAIN + VAL)
    touch(tmp_path / test, QUERY + GALLERY)
    write_list(tmp_path / "list_train.txt", TRAIN)
    write_list(tmp_path / "list_val.txt", VAL)
    write_list(tmp_path / "list_query.txt", QUERY)
    write_list(tmp_path / "list_gallery.txt", GALLERY)
    return tmp_path


def cells(records):
    return [(record.pid, record.camid) for record in records]


def test_val_is_merged_or_left_out(release):
    merged = load_dataset("msmt17", release)
    assert cells(merged.train) == [(0, 12), (1, 1), (0, 4)]
    assert cells(load_dataset("msmt17-noval", release).train) == [(0, 12), (1, 1)]
    assert all(record.path.is_file() for record in (*merged.train, *merged.query, *merged.gallery))


def test_test_pids_are_moved_away_from_train_pids(release):
    dataset = load_dataset("msmt17", release)
    assert cells(dataset.query) == [(TEST_OFFSET, 1)]
    assert cells(dataset.gallery) == [(TEST_OFFSET, 15), (TEST_OFFSET + 3059, 2)]


def test_a_merged_train_list_counts_no_image_twice(release):
    write_list(release / "list_train.txt", TRAIN + VAL)
    assert len(load_dataset("msmt17", release).train) == 3
    assert len(load_dataset("msmt17-noval", release).train) == 2
    (release / "list_val.txt").unlink()
    dataset = load_dataset("msmt17", release)
    assert len(dataset.train) == 3
    assert any("list_val.txt is absent" in note for note in dataset.notes)


def test_the_folder_around_it_and_its_halves_will_do(release, tmp_path_factory):
    around = tmp_path_factory.mktemp("around")
    (around / "MSMT17_V1").symlink_to(release)
    assert len(load_dataset("msmt17", around).query) == 1
    test = release / ("test" if (release / "test").exists() else "mask_test_v2")
    assert len(load_dataset("msmt17", test).query) == 1


def test_a_listed_image_must_be_there(release):
    next(release.glob(f"*/{GALLERY[1]}")).unlink()
    with pytest.raises(DataError, match=r"1 listed images are not there.*3059_009"):
        load_dataset("msmt17", release)


def test_an_unlisted_image_is_noted(release, touch):
    test = "test" if (release / "test").exists() else "mask_test_v2"
    touch(release / test, ["0004/0004_000_01_0303morning_0015_0.jpg"])
    assert f"{test}: 1 images on no list left out" in load_dataset("msmt17", release).notes


@pytest.mark.parametrize(
    "line", ["0000/0000_000_01_0303morning_0015_0.jpg 7", "0000/0000_c1_00.jpg 0", "0"]
)
def test_a_bad_line_is_named(release, line):
    (release / "list_query.txt").write_text(f"{QUERY[0]} 0\n\n{line}\n")
    with pytest.raises(DataError, match=r"list_query\.txt, line 3"):
        load_dataset("msmt17", release)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("between", [" ", "\t", "   "])
def test_lists_as_editors_write_them(release, mark, ends, between):
    lines = [f"{name}{between}{name[:4]}" for name in QUERY]
    text = mark + ends.join([*lines, "", ""])
    (release / "list_query.txt").write_bytes(text.replace("/", "\\", 1).encode())
    assert cells(load_dataset("msmt17", release).query) == [(TEST_OFFSET, 1)]


@pytest.mark.parametrize("number", [str(2**31), "9" * 30, "9" * 5000])
def test_numbers_of_a_list_have_a_limit(release, number):
    for line in (
        f"0/{number}_000_01_0303morning_0015_0.jpg {number}",
        f"0/0000_000_{number}_0303morning_0015_0.jpg 0",
        f"{QUERY[0]} {number}",
    ):
        (release / "list_query.txt").write_text(line)
        with pytest.raises(DataError, match=r"list_query\.txt, line 1: .* more than 2,147,483,647"):
            load_dataset("msmt17", release)


@pytest.mark.parametrize("content", [b"\xff\xfe0\0", b"caf\xe9", b"\x80"])
def test_a_list_that_is_no_utf8(release, content):
    (release / "list_query.txt").write_bytes(content)
    with pytest.raises(DataError, match=r"list_query\.txt: byte .* save the file as UTF-8"):
        load_dataset("msmt17", release)


@pytest.mark.parametrize("name", ["list_query.txt", "list_train.txt", "list_val.txt"])
def test_a_list_that_is_a_folder(release, name):
    (release / name).unlink()
    (release / name).mkdir()
    with pytest.raises(DataError, match=rf"{name}: cannot be read: it is a folder"):
        load_dataset("msmt17", release)


def test_the_repacked_form_has_cameras_of_two_digits(touch, tmp_path):
    base = touch(
        tmp_path / "MSMT17_V1",
        [
            "bounding_box_train/0000_c1_0000.jpg",
            "bounding_box_train/0000_c11_0031.jpg",
            "query/0000_c15_0001.jpg",
            "bounding_box_test/0000_c9_0002.jpg",
        ],
    )
    dataset = load_dataset("msmt17", tmp_path)
    assert sorted(cells(dataset.train)) == [(0, 1), (0, 11)]
    assert cells(dataset.query) == [(TEST_OFFSET, 15)]
    with pytest.raises(DataError, match="does not tell validation images"):
        load_dataset("msmt17-noval", base)


def test_without_train(release):
    (release / "list_train.txt").unlink()
    assert "no training split: for testing only" in load_dataset("msmt17", release).notes
