"""Areas of maps, evenly chosen images, durations, absent networks, twins in records."""

from pathlib import Path

import numpy as np
import pytest

from apnet.errors import DataError
from apnet.progress import silent
from apnet.reproduction import cost_table, costs, format_cost_table
from apnet.reproduction.estimate import duration
from apnet.reproduction.pictures import effective_area, evenly
from apnet.reproduction.records import figures_of, read_record, result_path
from apnet.types import ImageRecord


def test_an_even_map_covers_everything():
    assert effective_area(np.full((6, 3), 0.2, np.float32)) == pytest.approx(1)


def test_a_point_covers_one_position():
    cam = np.zeros((4, 5), np.float32)
    cam[2, 1] = 7
    assert effective_area(cam) == pytest.approx(1 / 20)


def test_two_equal_points_cover_two_and_scale_does_not_matter():
    cam = np.zeros((4, 5), np.float32)
    cam[0, 0] = cam[3, 4] = 0.5
    assert effective_area(cam) == pytest.approx(0.1)
    assert effective_area(100 * cam) == pytest.approx(0.1)


def test_an_empty_map_covers_nothing_to_speak_of():
    assert effective_area(np.zeros((2, 2), np.float32)) is None


def test_images_are_chosen_evenly():
    records = [ImageRecord(Path(f"{i}.jpg"), i, 0) for i in range(11)]
    assert [record.pid for record in evenly(records, 3)] == [0, 5, 10]
    assert evenly(records[:2], 6) == records[:2]


def test_durations():
    assert [duration(each) for each in (3, 600, 3 * 3600, 5 * 86400)] == [
        "3 s",
        "10 min",
        "3.0 h",
        "5.0 days",
    ]


def test_a_network_that_is_not_there(monkeypatch):
    monkeypatch.setattr(costs, "PRESETS", {"apnet-c0": costs.PRESETS["apnet-c0"]})
    table = cost_table(silent)
    rows = {row["system"]: row for row in table["rows"]}
    assert rows["apnet-c0"]["parameters"] == pytest.approx(23.5, abs=0.1)
    assert rows["scsn"]["as_the_paper"] is None
    assert "| SCSN | 7.24 | not available |" in format_cost_table(table)


def test_twins_are_figures_where_there_are_any():
    test = {
        "mAP": 0.5,
        "rank1": 0.6,
        "rank5": 0.7,
        "rank10": 0.8,
        "breakdown": [
            {"by": "light", "name": "sun", "queries": 3, "mAP": 0.1, "rank1": 0.2},
            {"by": "twins", "name": "fine", "queries": 3, "accuracy": 0.9, "triples": 12},
        ],
    }
    assert figures_of(test) == {
        "mAP": 0.5,
        "rank1": 0.6,
        "rank5": 0.7,
        "rank10": 0.8,
        "fine": 0.9,
    }


def test_a_damaged_record_is_named(tmp_path):
    assert read_record(tmp_path, "run") is None
    result_path(tmp_path, "run").parent.mkdir()
    result_path(tmp_path, "run").write_text("{")
    with pytest.raises(DataError, match=r"run\.json: damaged.*remove it"):
        read_record(tmp_path, "run")
