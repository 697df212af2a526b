"""What each tracker calls, as its source does; the real package where it is installed.

BoxMOT and Ultralytics are AGPL: doubles that call as they do stand for them.
"""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import apnet
from apnet.errors import DataError
from apnet.trackers import Embedder, reid_distance

BOXES = np.array([[4, 6, 30, 70], [40, 2, 66, 75], [70.5, 10.2, 95.9, 80]], np.float32)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    network = apnet.create_network("apnet-c2-small", image_size=(32, 16))
    return apnet.load_model(network, device="cpu")


@pytest.fixture(scope="module")
def embedder(model):
    return Embedder(model, device="cpu")


@pytest.fixture(scope="module")
def frame():
    """A BGR frame of 100 x 80 pixels."""
    return np.random.default_rng(1).integers(0, 256, (80, 100, 3), np.uint8)


@pytest.fixture(scope="module")
def wanted(model, frame):
    return np.asarray(model.embed(frame, boxes=BOXES, bgr=True))


def installed(module):
    """The module, without the warnings of its import."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(module)


def test_boxmot_trackers(embedder, frame, wanted):
    """Its trackers pass the detections' first four columns, and keep rows by a mask."""
    dets = np.hstack([BOXES, [[0.9, 0], [0.8, 0], [0.7, 0]]]).astype(np.float32)
    features = embedder.get_features(dets[:, 0:4], frame)
    np.testing.assert_array_equal(features, wanted)
    assert features.dtype == np.float32
    assert features[np.array([True, False, True])].shape == (2, embedder.embedding_dim)


def test_boxmot_pipelines(embedder, frame, wanted):
    rgb = torch.from_numpy(np.ascontiguousarray(frame[..., ::-1])).permute(2, 0, 1)

    def detections(boxes):
        return SimpleNamespace(geometry=SimpleNamespace(values=torch.tensor(boxes)))

    frames = [SimpleNamespace(image=rgb)] * 2
    found = embedder.encode(frames, [detections(BOXES), detections(np.empty((0, 4)))])
    assert [tuple(each.shape) for each in found] == [(3, embedder.embedding_dim), (0, 256)]
    np.testing.assert_array_equal(found[0].numpy(), wanted)
    assert not embedder.requirements.masks
    with pytest.raises(DataError, match="2 frames and 1 sets"):
        embedder.encode(frames, [detections(BOXES)])
    with pytest.raises(DataError, match="shape"):
        embedder.encode(frames[:1], [detections(np.ones((2, 5)))])


def test_ultralytics_trackers(embedder, frame, wanted):
    """BoT-SORT normalises each feature in place, and passes an index behind the box."""
    centres, sizes = (BOXES[:, :2] + BOXES[:, 2:]) / 2, BOXES[:, 2:] - BOXES[:, :2]
    dets = np.concatenate([centres, sizes, np.arange(3)[:, None]], axis=1).astype(np.float64)
    features = embedder(frame, dets)
    assert isinstance(features, list)
    for feature, expected in zip(features, wanted, strict=True):
        feature /= np.linalg.norm(feature)
        np.testing.assert_allclose(feature, expected, atol=1e-6)
    assert embedder(frame, dets[:0]) == []


def test_roboflow(embedder, frame, wanted):
    supervision = installed("supervision")
    detections = supervision.Detections(xyxy=BOXES)
    found = embedder.extract_embeddings(detections, frame, batch_size=2)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    np.testing.assert_array_equal(embedder.extract_features(detections, frame), wanted)
    empty = supervision.Detections.empty()
    assert embedder.extract_embeddings(empty, frame).shape == (0, embedder.embedding_dim)
    assert embedder.extract_features(detections[1:], frame).shape == (2, embedder.embedding_dim)


def test_norfair_gives_a_returning_person_the_old_identity(embedder):
    """Two people leave and come back in each other's places: only their looks tell them apart."""
    norfair = installed("norfair")
    tracker = norfair.Tracker(
        distance_function="euclidean",
        distance_threshold=10,
        hit_counter_max=2,
        initialization_delay=1,
        reid_distance_function=reid_distance,
        reid_distance_threshold=0.02,
        reid_hit_counter_max=50,
    )
    looks = np.random.default_rng(2).integers(0, 256, (2, 60, 20, 3), np.uint8)
    places = [(5, 10), (70, 10)]

    def show(order):
        picture = np.full((80, 100, 3), 128, np.uint8)
        detections = []
        for look, (x, y) in zip(order, places, strict=True):
            picture[y : y + 60, x : x + 20] = looks[look]
            detections.append(norfair.Detection(points=np.array([[x, y], [x + 20, y + 60]])))
        embedder.embed_detections(detections, picture)
        return {each.estimate[0, 0] > 50: each.id for each in tracker.update(detections)}

    for _ in range(4):
        before = show([0, 1])
    for _ in range(6):
        tracker.update([])
    for _ in range(4):
        after = show([1, 0])
    assert len(set(before.values())) == 2
    assert after == {True: before[False], False: before[True]}


def test_detections_of_norfair_get_features(embedder, frame, wanted):
    """Its detections hold corners as ``points``, and any ``embedding``."""
    detections = [SimpleNamespace(points=box.reshape(2, 2), embedding=None) for box in BOXES]
    embedder.embed_detections(detections, frame)
    np.testing.assert_array_equal([each.embedding for each in detections], wanted)
    embedder.embed_detections([], frame)


def test_detections_of_supervision_have_boxes(embedder, frame, wanted):
    found = embedder.extract_embeddings(SimpleNamespace(xyxy=BOXES), frame, batch_size=3)
    np.testing.assert_array_equal(found, wanted)


def test_tracks_without_features_have_nothing_in_common():
    seen = SimpleNamespace(embedding=np.array([1.0, 0.0]))
    blind = SimpleNamespace(embedding=None)
    track = SimpleNamespace(past_detections=[blind], last_detection=seen)
    assert reid_distance(track, track) == 0
    assert reid_distance(track, SimpleNamespace(past_detections=[], last_detection=blind)) == 2


def test_rgb_frames(model, frame, wanted):
    found = Embedder(model, device="cpu", bgr=False).get_features(BOXES, frame[..., ::-1])
    np.testing.assert_array_equal(found, wanted)


def test_boxes_without_a_picture_are_told_by_index_and_match_nobody(model, frame, wanted):
    told = []
    embedder = Embedder(model, device="cpu", notify=told.append)
    bad = [[np.nan, 0, 5, 5], [10, 10, 10, 30], [200, 10, 220, 60]]
    boxes = np.array([BOXES[0], bad[0], BOXES[1], bad[1], BOXES[2], bad[2]])
    found = embedder.get_features(boxes, frame)
    np.testing.assert_allclose(found[[0, 2, 4]], wanted, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    again = embedder.get_features(np.array(bad), frame)
    blind = np.concatenate([found[[1, 3, 5]], again])
    similar = blind @ np.concatenate([blind, wanted]).T
    assert np.abs(similar - np.eye(6, 9)).max() < 0.3, "256 dimensions: deviation 1/16"
    assert [text.partition(" (")[0] for text in told] == [f"box {n}" for n in (1, 3, 5, 0, 1, 2)]
    assert ["not finite" in told[0], "no area" in told[1], "outside" in told[2]] == [True] * 3


def test_boxes_that_leave_the_frame_are_clipped(embedder, frame):
    boxes = [[-20, -5, 30, 70], [80, 40, 500, 500]]
    inside = [[0, 0, 30, 70], [80, 40, 100, 80]]
    np.testing.assert_array_equal(
        embedder.get_features(boxes, frame), embedder.get_features(inside, frame)
    )


def test_frames_that_cannot_be_used_are_refused(embedder):
    with pytest.raises(DataError, match="float64"):
        embedder.get_features(BOXES, np.zeros((80, 100, 3)))
    with pytest.raises(DataError, match="shape"):
        embedder.get_features(np.ones((2, 7)), np.zeros((80, 100, 3), np.uint8))
