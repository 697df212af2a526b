import dataclasses

import pytest
from report_parts import make_evaluation

from apnet.report.wording import card_rows, duration, percent, shared_protocol


@pytest.mark.parametrize(("share", "text"), [(0.9617, "96.2"), (0, "0.0"), (1, "100.0")])
def test_percent(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (725, "12 min 5 s"),
        (3599.7, "1 h 0 min"),
        (7322, "2 h 2 min"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_a_shared_protocol_is_one_sentence():
    text = shared_protocol([make_evaluation(), make_evaluation(mAP=0.2, model="other")])
    assert text.count(".") == 1
    for phrase in ("cosine", "camera", "mean of the precisions", "not re-ranked", "all 12 queries"):
        assert phrase in text


def test_what_differs_is_named_and_not_claimed_to_be_shared():
    euclidean = make_evaluation(distance="euclidean", image_size=(256, 128))
    text = shared_protocol([make_evaluation(), euclidean])
    assert "cosine" not in text
    assert "differ in: distance, image size" in text


def test_unequal_queries_are_named():
    fewer = dataclasses.replace(make_evaluation(), queries=11, valid_queries=10)
    assert "the 10 of 11 queries with a match" in shared_protocol([fewer])
    text = shared_protocol([make_evaluation(), fewer])
    assert "12" not in text
    assert "differ in: queries" in text


def test_each_protocol_has_its_words():
    card = {"junk_rule": "none", "ap_kind": "trapezoidal", "reranking": "k-reciprocal (20, 6, 0.3)"}
    text = shared_protocol([make_evaluation(**card)])
    for phrase in (
        "cameras are unknown",
        "trapezoidal",
        "re-ranked with k-reciprocal (20, 6, 0.3)",
    ):
        assert phrase in text


def test_a_card_shows_every_field_and_flattens_its_data():
    evaluation = make_evaluation(
        flip=True,
        image_size=(384, 192),
        data={"query": {"images": 1, "notes": ["one", "two"]}, "left out": []},
        seeds={"training": 0},
    )
    rows = dict(card_rows(evaluation))
    assert rows["queries"] == "12, 12 with a match"
    assert rows["flip"] == "yes"
    assert rows["image size"] == "384 × 192 (height × width)"
    assert rows["data: query: images"] == "1"
    assert rows["data: query: notes"] == "one; two"
    assert rows["data: left out"] == "none"
    assert rows["seeds: training"] == "0"
    assert rows["reranking"] == "none"
    assert rows["model"] == "not stated"
    plain = {item.name for item in dataclasses.fields(evaluation.card)} - {"data", "seeds"}
    assert len(rows) == 1 + len(plain) + 4
