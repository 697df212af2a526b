"""Folders as people have them: litter, links that lead nowhere, pipes, archives, odd names."""

import os
import socket
from pathlib import Path

import pytest

from apnet.data import load_dataset
from apnet.data.contents import contents
from apnet.data.image_paths import list_images
from apnet.errors import DataError

LITTER = ("._x.jpg", ".DS_Store", "Thumbs.db", "thumbs.DB", "desktop.ini", ".hidden.png")
MARKET = ("bounding_box_train", "query", "bounding_box_test")

posix = pytest.mark.skipif(os.name != "posix", reason="special files of POSIX")


def make_special(kind, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(os.path.relpath(path))
    else:
        path.symlink_to({"device": "/dev/zero", "circle": path, "nowhere": "gone.jpg"}[kind])


SPECIAL = {
    "pipe": "a pipe",
    "socket": "a socket",
    "device": "a device",
    "circle": "circle",
    "nowhere": "a link to an image that is not there; restore the image",
}


@pytest.fixture
def layouts(touch, tmp_path):
    """Folders of images by data set name, and where one more image of each would lie."""
    files = [f"{folder}/0001_c{n}s1_000001_00.jpg" for n, folder in enumerate(MARKET, start=1)]
    touch(tmp_path / "market1501", files)
    people = [f"{who}/c{camera}_0.jpg" for who in ("ann", "bob", "cy") for camera in (1, 2)]
    touch(tmp_path / "folder", people)
    return {
        "market1501": tmp_path / "market1501" / "query" / "0002_c1s1_000001_00.jpg",
        "folder": tmp_path / "folder" / "ann" / "c3_0.JPG",
    }


@posix
@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize("name", ["market1501", "folder"])
def test_an_image_that_is_no_file_is_named(layouts, name, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # addresses of sockets are short
    make_special(kind, layouts[name])
    with pytest.raises(DataError, match=SPECIAL[kind]) as caught:
        load_dataset(name, tmp_path / name)
    assert layouts[name].name in str(caught.value)
    with pytest.raises(DataError, match=SPECIAL[kind]):
        list_images([layouts[name].parent])


@posix
@pytest.mark.parametrize("kind", SPECIAL)
def test_other_entries_are_left_out_whatever_they_are(layouts, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_special(kind, tmp_path / "market1501" / "query" / "notes")
    make_special(kind, tmp_path / "folder" / "notes")
    assert "query: 1 entries left out that are not images (notes)" in (
        load_dataset("market1501", tmp_path / "market1501").notes
    )
    assert any("(notes)" in note for note in load_dataset("folder", tmp_path / "folder").notes)


@posix
def test_a_link_to_an_image_is_an_image(tmp_path):
    (tmp_path / "a.jpg").touch()
    (tmp_path / "b.jpg").symlink_to("a.jpg")
    assert [path.name for path in contents(tmp_path).images] == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("litter", LITTER)
def test_litter_is_no_image_and_no_note(touch, tmp_path, litter):
    found = contents(touch(tmp_path, ["a.jpg", litter]))
    assert [path.name for path in (*found.images, *found.others)] == ["a.jpg"]


@pytest.mark.parametrize("folder", ["__MACOSX", "@eaDir", ".cache"])
def test_folders_of_litter_are_no_persons(touch, tmp_path, folder):
    people = [f"{who}/c{camera}_0.jpg" for who in ("1", "2", "3") for camera in (1, 2)]
    dataset = load_dataset("folder", touch(tmp_path, [*people, f"{folder}/c1_0.jpg"]))
    assert {record.pid for record in (*dataset.train, *dataset.query)} == {1, 2, 3}


@pytest.mark.parametrize("suffix", [".JPG", ".Png", ".TIFF", ".jpg.JPG"])
def test_endings_in_any_case(touch, tmp_path, suffix):
    files = [f"{folder}/0001_c{n}s1_000001_00{suffix}" for n, folder in enumerate(MARKET, start=1)]
    assert len(load_dataset("market1501", touch(tmp_path, files)).train) == 1


@pytest.mark.parametrize("archive", ["Market.zip", "set.tar.gz", "SET.7Z", "images.rar"])
@pytest.mark.parametrize("name", ["market1501", "folder", "msmt17", "cuhk03np-labeled", "csv"])
def test_an_archive_is_to_be_unpacked(touch, tmp_path, archive, name):
    touch(tmp_path, [archive, ".DS_Store"])
    with pytest.raises(DataError, match="an archive; unpack it"):
        load_dataset(name, tmp_path / archive)
    with pytest.raises(DataError, match=rf"only the archive {archive}; unpack it"):
        load_dataset(name, tmp_path)


def test_an_archive_is_no_image(touch, tmp_path):
    with pytest.raises(DataError, match="unpack it"):
        list_images([touch(tmp_path, ["a.zip"]) / "a.zip"])


@posix
@pytest.mark.parametrize("name", [b"\xff", b"p\xe9ter", b"\xc3("])
def test_names_that_are_no_utf8(touch, tmp_path, name):
    odd = os.fsdecode(name)
    try:
        touch(tmp_path, [f"{odd}/c{camera}_0{odd}.jpg" for camera in (1, 2)])
    except OSError:
        pytest.skip("a file system of UTF-8 names")
    touch(tmp_path, [f"bob/c{camera}_0.jpg" for camera in (1, 2)])
    dataset = load_dataset("folder", tmp_path)
    records = (*dataset.train, *dataset.query, *dataset.gallery)
    assert {record.path.parent.name for record in records} == {odd, "bob"}


@pytest.mark.parametrize("depth", [3, 400])
def test_folders_within_folders(tmp_path, depth):
    inner = tmp_path
    for _ in range(depth):
        inner /= "a"
    inner.mkdir(parents=True)
    (inner / "a.jpg").touch()
    (tmp_path / "b.jpg").touch()
    assert [record.path for record in list_images([tmp_path]).gallery] == [
        tmp_path / "b.jpg",
        inner / "a.jpg",
    ]


@posix
def test_a_folder_that_links_to_itself_is_visited_once(tmp_path):
    (tmp_path / "a.jpg").touch()
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "round").symlink_to("round")
    found = list_images([tmp_path])
    assert len(found.gallery) == 1
    assert found.notes == (f"{tmp_path}: 1 entries left out that are not images (round)",)


BEYOND = [str(2**31), "9" * 30, "1" + "0" * 100]


@pytest.mark.parametrize("number", BEYOND)
@pytest.mark.parametrize("form", ["{}_c1s1_000001_00.jpg", "0001_c{}s1_000001_00.jpg"])
def test_numbers_in_file_names_have_a_limit(layouts, tmp_path, number, form):
    name = form.format(number)
    layouts["market1501"].with_name(name).touch()
    with pytest.raises(DataError, match=r"more than 2,147,483,647") as caught:
        load_dataset("market1501", tmp_path / "market1501")
    assert name in str(caught.value)


@pytest.mark.parametrize("number", ["0", str(2**31 - 1), "0" * 40 + "7"])
def test_numbers_in_file_names_within_the_limit(layouts, tmp_path, number):
    layouts["market1501"].with_name(f"{number}_c1s1_000001_00.jpg").touch()
    dataset = load_dataset("market1501", tmp_path / "market1501")
    assert {record.pid for record in dataset.query} == {1, int(number)}


@pytest.mark.parametrize("digits", ["٠٠٠٢", "０００２", "०००२"])
def test_digits_of_other_scripts_are_off_the_grammar(layouts, tmp_path, digits):
    layouts["market1501"].with_name(f"{digits}_c1s1_000001_00.jpg").touch()
    with pytest.raises(DataError, match="1 image names do not follow"):
        load_dataset("market1501", tmp_path / "market1501")


@pytest.mark.parametrize("number", BEYOND)
def test_large_numbers_of_folders_are_names(touch, tmp_path, number):
    names = ["1", "2", number]
    touch(tmp_path, [f"{name}/c{camera}_0.jpg" for name in names for camera in (1, 2)])
    dataset = load_dataset("folder", tmp_path)
    records = (*dataset.train, *dataset.query, *dataset.gallery)
    assert {record.pid for record in records} == {0, 1, 2}
    assert any("numbered in the order of their names" in note for note in dataset.notes)


def test_large_cameras_of_file_names(touch, tmp_path):
    touch(tmp_path, [f"{name}/c{camera}_0.jpg" for name in "ab" for camera in (1, 2**40)])
    with pytest.raises(DataError, match=rf"c{2**40}_0\.jpg: camera {2**40} is more than"):
        load_dataset("folder", tmp_path)


def test_paths_of_the_wrong_kind_are_told(tmp_path):
    for name in ("market1501", "folder", "msmt17", "cuhk03np-detected", "veri776", "csv"):
        with pytest.raises(DataError, match="no such"):
            load_dataset(name, tmp_path / "nowhere")
        with pytest.raises(DataError, match="too long"):
            load_dataset(name, Path("x" * 5000))
