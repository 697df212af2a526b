"""Folders that are no persons: junk, cameras; and the cameras that file names hold."""

import pytest

from apnet.data import load_dataset
from apnet.data.identity_numbers import cameras_in
from apnet.errors import DataError

IMAGES = ("c1_0.jpg", "c1_1.jpg", "c2_0.jpg", "c2_1.jpg")


def in_folders(names, images=IMAGES):
    return [f"{name}/{image}" for name in names for image in images]


def test_a_folder_of_junk_is_no_person(touch, tmp_path):
    dataset = load_dataset("folder", touch(tmp_path, in_folders(["0003", "0007", "0012", "-1"])))
    records = (*dataset.train, *dataset.query, *dataset.gallery)
    assert {record.pid for record in records} == {3, 7, 12}
    assert f"{tmp_path.name}: 4 junk images (folder -1) left out" in dataset.notes


def test_a_folder_of_junk_in_every_split(touch, tmp_path):
    touch(tmp_path / "train", in_folders(["1", "-1"]))
    touch(tmp_path / "query", in_folders(["5"], IMAGES[:1]))
    touch(tmp_path / "gallery", in_folders(["5", "-1"], IMAGES[2:]))
    dataset = load_dataset("folder", tmp_path)
    assert {record.pid for record in (*dataset.train, *dataset.gallery)} == {1, 5}
    assert "train: 4 junk images (folder -1) left out" in dataset.notes
    assert "gallery: 2 junk images (folder -1) left out" in dataset.notes


@pytest.mark.parametrize(
    ("folders", "images", "says"),
    [
        (["cam_a", "cam_b"], ["0001.png", "0002.png"], r"named as cameras \(cam_a, cam_b\)"),
        (["camera1", "camera2"], ["0001.png", "0002.png"], "camera1, camera2"),
        ([f"View {n}" for n in range(5)], ["1.png"], r"\(View 0, View 1, View 2, \.\.\.\)"),
        (["c1", "c2"], ["0001.png", "0002.png"], r"named as cameras \(c1, c2\)"),
        (["Cam.01"], ["0001.png", "0002.png"], r"named as cameras \(Cam\.01\)"),
        (["door", "hall"], ["person_0001.png", "person_0002.png"], r"persons each \(door, hall\)"),
    ],
)
@pytest.mark.parametrize("around", ["", "train"])
def test_folders_of_cameras_are_refused(touch, tmp_path, folders, images, says, around):
    touch(tmp_path / around, in_folders(folders, images))
    with pytest.raises(DataError, match=rf"expected a folder per person, .*{says}.*'csv'"):
        load_dataset("folder", tmp_path)


@pytest.mark.parametrize(
    ("folders", "images"),
    [
        (["ann", "bob", "cam1"], IMAGES),  # one name alone may be a person's
        (["cameron", "camilla"], IMAGES),
        (["c1", "c2", "c3"], IMAGES),
        (["ann", "bob"], ["person_1_a.jpg", "person_1_b.jpg"]),
    ],
)
def test_persons_whose_names_are_near_to_cameras(touch, tmp_path, folders, images):
    dataset = load_dataset("folder", touch(tmp_path, in_folders(folders, images)))
    records = (*dataset.train, *dataset.query, *dataset.gallery)
    assert {record.path.parent.name for record in records} == set(folders)


@pytest.mark.parametrize(
    "spelling",
    [
        *("c{}", "0001_c{}_1", "C{}S1_000", "cam{}", "x-CAM{}", "view{}_000", "camera{}_000"),
        *("cam_{}_000", "cam-{}_000", "cam_{}", "0001_cam-0{}", "Camera {} 000", "x_view_{}_0"),
    ],
)
def test_spellings_of_cameras(touch, tmp_path, spelling):
    images = [f"{spelling.format(camera)}.png" for camera in (1, 2)]
    dataset = load_dataset("folder", touch(tmp_path, in_folders(["a", "b", "c", "d"], images)))
    assert {record.camid for record in dataset.train} == {1, 2}
    assert "2 cameras taken from the file names" in dataset.notes


@pytest.mark.parametrize("name", ["cam_000123.jpg", "view-007.jpg", "webcam1_0.jpg", "c٣_0.jpg"])
def test_a_count_after_the_word_camera_is_no_camera(name):
    found = cameras_in([name])
    assert found.camids == (-1,)
    assert "understood are c3, c3s1, cam3, camera3, view3, cam_3" in found.note
