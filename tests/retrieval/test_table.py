import dataclasses

import pytest

from apnet.retrieval import default_card, evaluate, format_evaluation, format_evaluations


@pytest.fixture
def result(make):
    query = make([[1.0, 0.0], [0.0, 1.0]], [1, 5], [0, 0])
    gallery = make([[1.0, 0.1], [1.0, 0.2], [0.0, 1.0], [1.0, 0.9]], [2, 1, 3, 1], [1, 1, 1, 2])
    card = dataclasses.replace(default_card(query, gallery), flip=True, image_size=(384, 192))
    return evaluate(query, gallery, card=card)


def lines(text):
    return [line.rstrip() for line in text.splitlines()]


def test_one_evaluation(result):
    found = lines(format_evaluation(result))
    assert "mAP                58.33 %  (mean of the precisions at the hits)" in found
    assert "mAP, trapezoidal   41.67 %  (trapezoidal rule)" in found
    assert "mINP               66.67 %" in found
    assert "rank-1              0.00 %" in found
    assert "rank-5            100.00 %" in found
    assert "queries           2, 1 without a match left out of the means" in found
    rest = found[found.index("Protocol") :]
    assert "distance    cosine" in rest
    assert "flip        yes" in rest
    assert "image size  384 x 192" in rest
    assert any(line.startswith("data        query: 2 images, 2 ids, 1 cameras") for line in rest)
    assert not any(line.startswith(("reranking", "model", "seeds")) for line in rest)


def test_the_other_average_precision_is_named(result):
    card = dataclasses.replace(result.card, ap_kind="trapezoidal")
    swapped = dataclasses.replace(result, card=card)
    found = lines(format_evaluation(swapped))
    assert "mAP         41.67 %  (trapezoidal rule)" in found
    assert "mAP, hits   58.33 %  (mean of the precisions at the hits)" in found


def test_several_evaluations(result):
    other = dataclasses.replace(result, card=dataclasses.replace(result.card, feature="histogram"))
    found = lines(format_evaluations({"APNet-C2": result, "colours": other}))
    assert found[0].split() == ["mAP", "mINP", "rank-1", "rank-5", "rank-10", "queries"]
    assert found[1].split()[:6] == ["APNet-C2", "58.33", "66.67", "0.00", "100.00", "100.00"]
    assert found[2].split()[0] == "colours"
    shared = found[found.index("Protocol") : found.index("Protocol, APNet-C2")]
    assert any(line.split() == ["distance", "cosine"] for line in shared)
    assert not any(line.startswith("feature") for line in shared)
    assert found[found.index("Protocol, colours") + 1] == "feature  histogram"


def test_no_evaluation():
    assert format_evaluations({}) == "no evaluation\n"
