"""One line in the table of metrics is enough to see a metric in every output."""

import json

import naive
import numpy as np
import pytest

from apnet.report import ReportPage, SystemResult, write_metrics, write_report
from apnet.results import ProtocolCard
from apnet.retrieval import (
    ImageAttributes,
    Reranking,
    breakdown,
    evaluate,
    evaluate_reranked,
    format_breakdown,
    format_evaluation,
    format_evaluations,
)
from apnet.retrieval.metrics import METRICS, Metric, per_query

CARD = ProtocolCard(distance="cosine", junk_rule="same-camera")
KEY, LABEL = "r_precision", "R-precision"


def r_precision(ranks):
    """Share of a query's m matches among its first m images."""
    return float(np.mean(ranks <= len(ranks)))


@pytest.fixture
def added(monkeypatch):
    monkeypatch.setitem(METRICS, KEY, Metric(per_query(r_precision), LABEL))


@pytest.fixture
def sets(people):
    return people(3, 40, 200, 6)


def naive_value(query, gallery):
    ranks = naive.ranks(query, gallery, CARD.distance, CARD.junk_rule)
    return np.mean([r_precision(np.array(each)) for each in ranks if each])


def unknown(count):
    empty = np.full(count, np.nan)
    return ImageAttributes(("front",) * count, empty, empty, ("",) * count, (None,) * count)


def test_an_added_metric_is_computed(added, sets):
    result = evaluate(*sets, card=CARD)
    assert 0 < result.values[KEY] < 1
    assert result.values[KEY] == pytest.approx(naive_value(*sets), abs=1e-12)
    assert KEY in evaluate_reranked(*sets, card=CARD, settings=Reranking(5, 2)).values


def test_an_added_metric_is_in_every_text(added, sets):
    result = evaluate(*sets, card=CARD)
    percent = f"{100 * result.values[KEY]:.2f}"
    assert result.to_dict()[KEY] == result.values[KEY]
    lines = [line.split() for line in format_evaluation(result).splitlines()]
    assert [LABEL, percent, "%"] in lines
    heads, cells = (line.split() for line in format_evaluations({"a": result}).splitlines()[:2])
    assert cells[1 + heads.index(LABEL)] == percent


def test_an_added_metric_is_in_the_breakdown_and_the_records(added, sets):
    pytest.importorskip("torch")
    from apnet.reproduction.records import figures_of, record_of

    result = evaluate(*sets, card=CARD)
    slices = breakdown(*sets, tuple(unknown(len(part)) for part in sets), {}, CARD)
    assert slices[0].figures[KEY] == result.values[KEY]  # one view: all matches are in this slice
    heads, cells = (line.split() for line in format_breakdown(slices).splitlines()[1:3])
    assert cells[heads.index(LABEL) - len(heads)] == f"{100 * result.values[KEY]:.2f}"
    record = json.loads(json.dumps(record_of(result, slices)))
    assert record[KEY] == record["breakdown"][0][KEY] == result.values[KEY]
    assert figures_of(record)[KEY] == result.values[KEY]


def test_an_added_metric_is_in_the_report(added, sets, tmp_path):
    pytest.importorskip("matplotlib")
    result = evaluate(*sets, card=CARD)
    system = SystemResult("key", "name", "", result)
    write_metrics(tmp_path / "metrics.json", [system], [])
    read = json.loads((tmp_path / "metrics.json").read_text())
    assert read["systems"]["key"][KEY] == result.values[KEY]
    write_report(tmp_path / "report.html", ReportPage("title", "summary", [system]))
    page = (tmp_path / "report.html").read_text()
    assert f'<th scope="col">{LABEL}</th>' in page
    assert f"<td>{100 * result.values[KEY]:.1f}</td>" in page


def test_a_function_of_one_query_equals_the_formula_of_many(sets):
    def inverse_penalty(ranks):
        return len(ranks) / ranks[-1]

    ranks, counts = np.array([1, 3, 4, 2, 5, 9]), np.array([3, 1, 2])
    expected = METRICS["mINP"].formula(ranks, counts)
    np.testing.assert_array_equal(per_query(inverse_penalty)(ranks, counts), expected)


def test_the_ranks_of_the_table_are_those_of_the_curve(sets):
    result = evaluate(*sets, card=CARD)
    assert [result.values[f"rank{k}"] for k in (1, 5, 10)] == [result.rank(k) for k in (1, 5, 10)]


def test_the_keys_of_the_json_form_stay(sets):
    assert list(evaluate(*sets, card=CARD).to_dict()) == [
        *("mAP", "mINP", "rank1", "rank5", "rank10", "mAP_hits", "mAP_trapezoidal"),
        *("queries", "valid_queries", "cmc", "protocol"),
    ]
