"""Results in a notebook: rows that behave as an array's, short texts, tables, data frames."""

import dataclasses
from html.parser import HTMLParser

import numpy as np
import pytest

import apnet
from apnet.errors import DataError
from apnet.evaluation import measure


@pytest.fixture(scope="module")
def embeddings(model, people_folder):
    return model.embed(people_folder / "query")


def test_rows_can_be_taken_as_from_an_array(embeddings):
    features = np.asarray(embeddings)
    assert len(embeddings) == len(features) == 16
    for rows in (slice(2, 9, 3), [3, 1, -1], embeddings.pids == 6, np.arange(4)):
        part = embeddings[rows]
        assert np.array_equal(part.features, features[rows])
        assert part.pids.tolist() == embeddings.pids[rows].tolist()
        assert part.paths == tuple(np.array(embeddings.paths)[rows])
        assert part.fingerprint == embeddings.fingerprint
    assert len(embeddings[3]) == 1
    with pytest.raises(IndexError):
        embeddings[16]


def test_embeddings_are_joined(embeddings, model):
    both = embeddings[:3] + embeddings[3:]
    assert np.array_equal(both.features, embeddings.features)
    assert both.paths == embeddings.paths
    assert apnet.Embeddings.joined([embeddings[:1]] * 3).pids.tolist() == [5, 5, 5]
    with pytest.raises(DataError, match="network"):
        embeddings + dataclasses.replace(embeddings, fingerprint="other")


def test_a_data_frame_has_a_row_per_image(embeddings):
    pandas = pytest.importorskip("pandas")
    frame = embeddings.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["pid"].tolist() == embeddings.pids.tolist()
    assert len(frame) == 16


@pytest.fixture(scope="module")
def results(model, weights, people_folder, embeddings, pixels):
    data = apnet.load_dataset("market1501", people_folder)
    evaluation = apnet.evaluate(model, data)
    why = apnet.explain(model, pixels[:2])
    return {
        "ReidDataset": data,
        "DatasetCheck": apnet.check_dataset("market1501", people_folder),
        "Model": model,
        "Checkpoint": apnet.load_checkpoint(weights),
        "Recipe": apnet.load_recipe("paper-c"),
        "RunFolder": apnet.RunFolder(weights.parent),
        "Cost": apnet.network_cost(model.network, model.image_size),
        "Embeddings": embeddings,
        "Embeddings without rows": embeddings[:0],
        "Evaluation": evaluation,
        "ProtocolCard": evaluation.card,
        "Measured": measure(model, data),
        "Matches": apnet.top_matches(embeddings, embeddings, 3, junk_rule="none"),
        "SearchResult": apnet.search(model, pixels[0], people_folder / "query", k=16),
        "SearchResult of 300": apnet.search(model, list(pixels) * 75, pixels, k=2),
        "Explanation": why,
        "Match": why.match,
    }


NAMES = [
    *("ReidDataset", "DatasetCheck", "Model", "Checkpoint", "Recipe", "RunFolder", "Cost"),
    *("Embeddings", "Embeddings without rows", "Evaluation", "ProtocolCard", "Measured"),
    *("Matches", "SearchResult", "SearchResult of 300", "Explanation", "Match"),
]


class Balance(HTMLParser):
    """Checks that elements are closed in the order in which they were opened."""

    def __init__(self):
        super().__init__()
        self.open, self.pictures = [], 0

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.pictures += 1
            assert dict(attrs)["alt"]
        else:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_short_and_pages_are_whole(results, name):
    result = results[name]
    lines = repr(result).splitlines()
    assert 2 <= len(lines) <= 10
    assert all(len(line) < 250 for line in lines)
    page = Balance()
    page.feed(result._repr_html_())
    assert not page.open
    assert len(result._repr_html_()) < 2_000_000


def test_every_result_is_shown(results):
    assert set(NAMES) == set(results)


def test_names_from_outside_are_escaped_in_pages(people_folder):
    data = apnet.load_dataset("market1501", people_folder)
    hostile = dataclasses.replace(data, notes=("<script>alert(1)</script>",))
    assert "<script>" not in hostile._repr_html_()
