import json
import math
from pathlib import Path

import numpy as np

from apnet.data.metadata import read_metadata
from apnet.data.metadata_columns import LIGHTS, metadata_columns, twin_pairs
from apnet.types import ImageRecord


def image(name, **facts):
    return {"image": name, "pid": 1, "camera": 1, **facts}


def columns(root, lines, names):
    (root / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    records = [ImageRecord(root / name, 1, 1) for name in names]
    return metadata_columns(read_metadata(root), root, records)


def test_columns_follow_the_records(tmp_path):
    full = {"occlusion": 0.25, "pixels": 80, "place": "street", "weather": "clear", "light": "sun"}
    lines = [
        image("query/a.jpg", yaw=0.1, changes=[], **full),
        image("query/b.jpg", yaw=math.pi, changes=["hood", "bag"]),
        image("query/c.jpg", yaw=-math.pi / 2, occlusion=0.0, changes=["bag", "hood"]),
    ]
    found = columns(tmp_path, lines, ["query/c.jpg", "query/a.jpg", "query/b.jpg"])
    assert found["views"] == ("side", "front", "back")
    np.testing.assert_array_equal(found["occlusion"], [0.0, 0.25, np.nan])
    np.testing.assert_array_equal(found["pixels"], [np.nan, 80, np.nan])
    assert found["lights"] == ("", "sun", "")
    assert found["clothes"] == ("bag, hood", "", "bag, hood")


def test_an_image_the_metadata_do_not_name_is_unknown(tmp_path):
    found = columns(tmp_path, [image("query/a.jpg", yaw=0.0, changes=[])], ["query/other.jpg"])
    assert found["views"] == ("",)
    assert np.isnan(found["occlusion"]).all()
    assert np.isnan(found["pixels"]).all()
    assert found["lights"] == ("",)
    assert found["clothes"] == (None,)


def test_light_is_found_where_it_is_also_the_weather(tmp_path):
    scenes = [("street", "overcast", "overcast"), ("hall", "indoor", "indoor")]
    scenes += [("street", "overcast", "night"), ("park", "rain", "shade")]
    lines = [
        image(f"{number}.jpg", place=place, weather=weather, light=light)
        for number, (place, weather, light) in enumerate(scenes)
    ]
    found = columns(tmp_path, lines, [f"{number}.jpg" for number in range(len(scenes))])
    assert found["lights"] == ("overcast", "indoor", "night", "shade")
    assert set(found["lights"]) <= LIGHTS


def test_pairs_by_kind_coarse_first(tmp_path):
    lines = [
        {"a": 5, "b": 6, "twin": "fine", "differs": ["logo"]},
        {"a": 1, "b": 2, "twin": "coarse", "differs": ["top colour"]},
        {"a": 6, "b": 7, "twin": "fine", "differs": ["bag"]},
    ]
    columns(tmp_path, lines, [])
    pairs = twin_pairs(read_metadata(Path(tmp_path)))
    assert list(pairs.items()) == [("coarse", [(1, 2)]), ("fine", [(5, 6), (6, 7)])]
