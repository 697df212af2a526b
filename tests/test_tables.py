"""Tables of results as CSV and LaTeX."""

import csv
import dataclasses
import io
import json

import numpy as np
import pytest

from apnet.results import ProtocolCard
from apnet.retrieval import Slice, default_card, evaluate, evaluation_table
from apnet.retrieval.metrics.registry import METRICS
from apnet.tables import Column, Table, fixed, percent
from apnet.types import Embeddings
from latex_tables import compile_latex, read_latex

HARD = r"""50 % of a_b & #1 {x} ~ ^2 $5 \n <a> | [b] * `c` 'd' "e" ± \\ ->"""


def read_csv(text):
    assert "\r" not in text
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_keeps_every_digit_and_text():
    columns = ["name", Column("value"), Column("", "shown only"), Column("flag")]
    rows = [[HARD, 0.1 + 0.2, "x", True], ['a "b", c\nd', None, "y", False]]
    found = read_csv(Table(columns, rows).csv())
    assert found == [
        {"name": HARD, "value": "0.30000000000000004", "flag": "true"},
        {"name": 'a "b", c\nd', "value": "", "flag": "false"},
    ]


def test_latex_escapes_everything():
    columns = ["name", Column("share", "share, %", percent(1)), Column("hidden"), Column("n", "#")]
    rows = [[HARD, 0.12345, 1, 3], ["[second]", None, 2, 4], ["*", 1.0, 3, 5]]
    table = Table(columns, rows, f"Caption {HARD}", [HARD])
    found, caption = read_latex(table.latex())
    assert found == [
        ["name", "share, %", "#"],
        [HARD, "12.3", "3"],
        ["[second]", "", "4"],
        ["*", "100.0", "5"],
    ]
    assert caption == f"Caption {HARD}"


def test_latex_compiles(tmp_path):
    table = Table(["name", Column("x", "x", fixed(2))], [[HARD, 1.0], ["[", 2]], HARD, [HARD])
    if not compile_latex(table.latex(), tmp_path):
        pytest.skip("no pdflatex and no tectonic")


def test_line_ends_and_control_characters_in_latex():
    found, _ = read_latex(Table(["a"], [["x\ny\tz\0"]]).latex())
    assert found[1] == ["x y z"]


@pytest.mark.parametrize("rows", [[["a"]], [["a", "b"], ["a", "b", "c"]]])
def test_rows_of_another_length_are_refused(rows):
    with pytest.raises(ValueError, match="below 2 columns"):
        Table(["one", "two"], rows)
    with pytest.raises(ValueError, match="'one' twice"):
        Table(["one", Column("one")], [])


@pytest.fixture
def result():
    query = Embeddings(np.eye(2), np.array([1, 5]), np.array([0, 0]))
    items = np.array([[1.0, 0.1], [1.0, 0.2], [0.0, 1.0], [1.0, 0.9]])
    gallery = Embeddings(items, np.array([2, 1, 3, 1]), np.array([1, 1, 1, 2]))
    card = dataclasses.replace(
        default_card(query, gallery), flip=True, image_size=(384, 192), seeds={"training": 3}
    )
    return evaluate(query, gallery, card=card)


def test_an_evaluation_with_its_protocol(result):
    table = evaluation_table({"a_b": result})
    (row,) = read_csv(table.csv())
    known = result.to_dict()
    for key in ("mAP", *METRICS, "queries", "valid_queries"):
        assert float(row[key]) == known[key], key
    assert row["name"] == "a_b"
    for field in dataclasses.fields(ProtocolCard):
        assert field.name in row
    assert (row["distance"], row["junk_rule"], row["ap_kind"]) == ("cosine", "same-camera", "hits")
    assert (row["flip"], row["image_size"], row["reranking"]) == ("true", "384x192", "")
    assert json.loads(row["data"]) == known["protocol"]["data"]
    assert json.loads(row["seeds"]) == {"training": 3}
    (head, cells), caption = read_latex(table.latex())
    assert head == ["system", "mAP", "mINP", "rank-1", "rank-5", "rank-10", "queries"]
    assert cells == ["a_b", "58.33", "66.67", "0.00", "100.00", "100.00", "1"]
    assert "cosine distance, average precision over hits, junk rule same-camera" in caption
    assert "mirror image added: yes, images of 384x192" in caption


def test_several_protocols_are_in_notes(result):
    other = dataclasses.replace(result.card, distance="euclidean", reranking="k1 20")
    table = evaluation_table({"a": result, "b": dataclasses.replace(result, card=other)})
    _, caption = read_latex(table.latex())
    assert "distance" not in caption
    assert "junk rule same-camera" in caption
    assert list(table.notes) == ["a: cosine distance.", "b: euclidean distance, re-ranking k1 20."]
    assert [row["distance"] for row in read_csv(table.csv())] == ["cosine", "euclidean"]


def test_slices_are_rows(result):
    slices = [
        Slice("view", "other view", 7, {"mAP": 0.25, "rank1": 0.5}),
        Slice("twins", "fine", 3, {"accuracy": 0.75, "triples": 1234}),
    ]
    table = evaluation_table({"set": result}, {"set": slices})
    whole, view, twins = read_csv(table.csv())
    assert (whole["by"], whole["slice"], whole["accuracy"]) == ("", "", "")
    assert (view["by"], view["slice"], view["mAP"], view["rank1"]) == (
        *("view", "other view"),
        *("0.25", "0.5"),
    )
    assert (view["queries"], view["mINP"], view["distance"]) == ("7", "", "cosine")
    assert (twins["accuracy"], twins["triples"], twins["mAP"]) == ("0.75", "1234", "")
    rows, _ = read_latex(table.latex())
    assert rows[3][-3:] == ["75.00", "1234", "3"]
    assert "by" not in read_csv(evaluation_table({"set": result}, {"set": []}).csv())[0]
