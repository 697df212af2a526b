import dataclasses
from pathlib import Path

import numpy as np
import pytest
from report_parts import make_evaluation, make_gallery, make_page, make_panel, make_system

from apnet.errors import DataError
from apnet.report import AttentionPanel, SystemResult, TrainingCurve


@pytest.mark.parametrize(
    "figures",
    [
        {"values": {**make_evaluation().values, "mAP_hits": 75.0}},
        {"values": {**make_evaluation().values, "mINP": float("nan")}},
        {"cmc": np.array([90.0, 95.0])},
        {"cmc": np.array([0.5, np.nan])},
        {"cmc": np.array([])},
    ],
)
def test_percentages_nan_and_nothing_are_refused(figures):
    evaluation = dataclasses.replace(make_evaluation(), **figures)
    with pytest.raises(DataError, match="system 'a name'"):
        SystemResult("key", "a name", "", evaluation)


@pytest.mark.parametrize(
    ("epochs", "loss", "mAP"),
    [
        ([], [], []),
        ([1, 2], [1.0], []),
        ([1, 2], [1.0, float("nan")], []),
        ([1], [1.0], [(1, 75.0)]),
    ],
)
def test_a_bad_training_curve_is_refused(epochs, loss, mAP):
    with pytest.raises(DataError, match="training curve 'run'"):
        TrainingCurve("run", epochs, loss, mAP)


@pytest.mark.parametrize(
    "change",
    [{"correct": (True,)}, {"match_labels": ()}, {"average_precision": float("nan")}],
)
def test_a_bad_gallery_names_its_query(change):
    gallery = make_gallery(Path("q.jpg"), [Path("a.jpg"), Path("b.jpg")])
    with pytest.raises(DataError, match=r"q\.jpg"):
        dataclasses.replace(gallery, **change)


def test_a_gallery_without_matches_is_refused():
    with pytest.raises(DataError, match="at least 1"):
        make_gallery(Path("q.jpg"), [])


@pytest.mark.parametrize(
    "heat", [np.full((4, 2), -0.1), np.full((4, 2), np.nan), np.zeros(4), np.zeros((0, 2))]
)
def test_a_bad_map_is_refused(heat):
    with pytest.raises(DataError, match="'person'"):
        AttentionPanel(np.zeros((8, 4, 3), np.uint8), ((heat,),), ((None,),), "person")


@pytest.mark.parametrize("image", [np.zeros((8, 4, 3)), np.zeros((8, 4), np.uint8)])
def test_a_bad_panel_image_is_refused(image):
    with pytest.raises(DataError, match="uint8"):
        AttentionPanel(image, ((np.ones((2, 1)),),), ((None,),), "person")


def test_panels_of_unequal_layout_are_refused():
    with pytest.raises(DataError, match="same stages"):
        make_page(attention=[make_panel(levels=2), make_panel(levels=3)])
    with pytest.raises(DataError, match="at least one"):
        make_page(attention=[make_panel(stages=0)])


def test_a_page_needs_a_system():
    with pytest.raises(DataError, match="at least one system"):
        make_page(systems=[])
    assert make_page(systems=[make_system()]).systems
