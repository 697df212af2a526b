"""Pictures from Python: what is embedded is what the files hold; what cannot be is refused."""

import numpy as np
import pytest
import torch
from PIL import Image

import apnet
from apnet.errors import DataError, ImageError


def crop(frame, x1, y1, x2, y2):
    return np.ascontiguousarray(frame[y1:y2, x1:x2])


@pytest.fixture(scope="module")
def frame():
    return np.random.default_rng(2).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def test_opencv_arrays_are_told_by_bgr(model, pixels):
    expected = model.embed(pixels).features
    assert np.array_equal(model.embed(pixels[..., ::-1], bgr=True).features, expected)
    assert not np.allclose(model.embed(pixels[..., ::-1]).features, expected)


def test_boxes_are_crops_of_the_frame(model, frame):
    boxes = [[10, 5, 30, 55], [50, 0, 80, 60]]
    crops = [crop(frame, *box) for box in boxes]
    embedded = model.embed(frame, boxes=boxes)
    assert np.array_equal(embedded.features, model.embed(crops).features)
    assert embedded.paths == ()


def test_boxes_are_clipped_to_the_frame_and_widened_to_whole_pixels(model, frame):
    inside = model.embed(frame, boxes=[[0, 0, 21, 60]]).features
    assert np.array_equal(model.embed(frame, boxes=[[-40, -3.5, 20.2, 99]]).features, inside)


@pytest.mark.parametrize("boxes", [[], np.empty((0, 4)), torch.empty(0, 4)])
def test_a_frame_without_people_gives_no_rows(model, frame, boxes):
    assert model.embed(frame, boxes=boxes).features.shape == (0, model.network.feature_dim)


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ([[10, 5, 10, 55]], "area"),
        ([[30, 5, 10, 55]], "area"),
        ([[90, 5, 99, 55]], "outside"),
        ([[-9, -9, -1, -1]], "outside"),
        ([[0, 0, np.nan, 9]], "finite"),
        ([[0, 0, 9]], r"\(N, 4\)"),
        ([0, 0, 9, 9], r"\(N, 4\)"),
        ("all", "boxes must be numbers"),
        ([["a", "b", "c", "d"]], "boxes must be numbers"),
    ],
)
def test_boxes_that_hold_nobody_are_refused(model, frame, boxes, words):
    with pytest.raises(DataError, match=words):
        model.embed(frame, boxes=boxes)


def test_the_refused_box_is_named(model, frame):
    with pytest.raises(DataError, match="box 1"):
        model.embed(frame, boxes=[[0, 0, 9, 9], [5, 5, 5, 9]])


def test_boxes_belong_to_one_frame(model, pixels):
    with pytest.raises(DataError, match="4 images"):
        model.embed(pixels, boxes=[[0, 0, 9, 9]])


WRONG = {
    "channels first": lambda: np.zeros((3, 40, 20), np.uint8),
    "batch, channels first": lambda: np.zeros((2, 3, 40, 20), np.uint8),
    "grey": lambda: np.zeros((40, 20), np.uint8),
    "alpha": lambda: np.zeros((40, 20, 4), np.uint8),
    "floats": lambda: np.zeros((40, 20, 3), np.float32),
    "16 bits": lambda: np.zeros((40, 20, 3), np.uint16),
    "objects": lambda: np.array([object()]),
    "no pixels": lambda: np.zeros((0, 20, 3), np.uint8),
    "no images": lambda: np.zeros((0, 40, 20, 3), np.uint8),
    "tensor, channels last": lambda: torch.zeros(40, 20, 3),
    "tensor, above one": lambda: torch.full((3, 40, 20), 255.0),
    "tensor, normalised": lambda: torch.randn(3, 40, 20),
    "tensor, not a number": lambda: torch.full((3, 40, 20), torch.nan),
    "tensor of int64": lambda: torch.zeros(3, 40, 20, dtype=torch.int64),
    "empty list": list,
}

HINTS = {
    "channels first": ".transpose(1, 2, 0)",
    "batch, channels first": ".transpose(0, 2, 3, 1)",
    "alpha": "[..., :3]",
    "floats": "(array * 255).round().astype(numpy.uint8)",
    "tensor, channels last": ".movedim(-1, -3)",
    "tensor, normalised": "apnet.embed_images",
}


@pytest.mark.parametrize("case", WRONG)
def test_arrays_that_are_no_images_are_refused(model, case):
    with pytest.raises(apnet.ApnetError) as caught:
        model.embed(WRONG[case]())
    assert any(word in str(caught.value) for word in ("taken", "empty", "at least one"))
    assert HINTS.get(case, "") in str(caught.value)


@pytest.mark.parametrize("thing", [5, 1.5, {"image": 1}, object(), b"bytes", None])
def test_another_type_says_what_is_taken(model, thing):
    with pytest.raises(TypeError, match="taken are a path"):
        model.embed([thing])


def test_the_place_in_the_list_is_named(model, pixels):
    with pytest.raises(TypeError, match="image 2"):
        model.embed([*pixels[:2], 5])


def test_bgr_is_for_arrays(model, crops):
    with pytest.raises(DataError, match="bgr"):
        model.embed(crops, bgr=True)


def test_files_that_cannot_be_read(model, tmp_path):
    with pytest.raises(DataError, match=r"none\.jpg"):
        model.embed(tmp_path / "none.jpg")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty"):
        model.embed(tmp_path / "empty")
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"bad\.jpg"):
        model.embed(tmp_path / "bad.jpg")


def test_pillow_images_of_any_mode(model, pixels):
    expected = model.embed(Image.fromarray(pixels[0]).convert("L").convert("RGB")).features
    assert np.array_equal(model.embed(Image.fromarray(pixels[0]).convert("L")).features, expected)
    assert len(model.embed(Image.fromarray(pixels[0]).convert("RGBA"))) == 1


def test_paths_and_identities_of_files_are_kept(model, people_folder):
    embedded = model.embed(people_folder / "query")
    assert len(embedded) == 16
    assert set(embedded.pids.tolist()) == {5, 6, 7, 8}
    assert embedded.fingerprint == model.fingerprint
    assert all(path.endswith(".png") for path in embedded.paths)
    assert model.embed([*embedded.paths[:1], np.zeros((9, 9, 3), np.uint8)]).paths == ()
