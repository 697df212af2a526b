"""Screening in bf16: its error bound holds, and it does not change the ranks."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from apnet.errors import ConfigError
from apnet.results import ProtocolCard
from apnet.retrieval import evaluate, top_matches
from apnet.retrieval.ranking import blocks, candidates, screening, top
from apnet.retrieval.ranking.comparison import Comparison
from apnet.retrieval.ranking.ranks import rank_matches
from apnet.retrieval.ranking.relevance import Relevance
from apnet.types import Embeddings

DISTANCES = ("cosine", "euclidean")
KINDS = {
    "normal": lambda rng, n, d: rng.standard_normal((n, d)),
    "rectified": lambda rng, n, d: np.maximum(rng.standard_normal((n, d)), 0),
    "collinear": lambda rng, n, d: np.sin(np.arange(d)) + 0.05 * rng.standard_normal((n, d)),
    "heavy": lambda rng, n, d: rng.standard_normal((n, d)) * 10 ** rng.uniform(-4, 4, (n, d)),
    "constant": lambda rng, n, d: np.full((n, d), 0.1) * rng.uniform(0.5, 2, (n, 1)),
    "worst": lambda rng, n, d: np.full((n, d), 1 + 2.0**-8 - 2.0**-20) * (-1) ** np.arange(d),
    "bf16": lambda rng, n, d: rng.integers(-128, 129, (n, d)) / 128,
    "sparse": lambda rng, n, d: rng.standard_normal((n, d)) * (rng.random((n, d)) < 0.05),
}


def true_scores(query, gallery, distance):
    wide = query.astype(np.longdouble) @ gallery.T.astype(np.longdouble)
    squares = (gallery.astype(np.longdouble) ** 2).sum(axis=1)
    if distance == "euclidean":
        return wide - squares / 2
    return wide / np.sqrt(np.where(squares > 0, squares, 1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dim", [1, 17, 128, 2048])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("scale", [1e-10, 1.0, 1e8])
def test_no_screened_or_refined_score_lies_beyond_its_bound(kind, dim, distance, scale):
    rng = np.random.default_rng(dim)
    make = KINDS[kind]
    query, gallery = ((scale * make(rng, n, dim)).astype(np.float32) for n in (10, 200))
    query[0], gallery[::50] = 0, 0
    for part in (query, gallery):
        length = np.linalg.norm(part.astype(float), axis=1)
        part[(length < 1e-12) | (length > 1e12)] = 0
    comparison = Comparison(query, gallery, distance, "cpu")
    true = true_scores(query, gallery, distance)
    lines = comparison.screener.lines(np.arange(10))
    for row in range(10):
        line = lines[row]
        allowed = line.absolute + line.relative * np.abs(line.values.astype(float))
        assert (np.abs(line.values - true[row]) <= allowed).all()
        assert line.holds(np.arange(200), true[row].astype(float))
        scores, error = comparison.refined(row, np.arange(200))
        assert (np.abs(scores - true[row]) <= error).all()


def test_the_bound_is_near_what_rounding_can_do():
    """For vectors whose entries round by nearly half a unit, the error is near the bound."""
    features = KINDS["worst"](None, 4, 2048).astype(np.float32)
    comparison = Comparison(features, features, "cosine", "cpu")
    line = comparison.screener.lines(np.arange(1))[0]
    error = np.abs(line.values - true_scores(features, features, "cosine")[0]).max()
    allowed = line.absolute + line.relative * float(line.values.max())
    assert allowed / 3 < error <= allowed


@settings(deadline=None, derandomize=True)
@given(
    st.lists(st.floats(-10, 10, width=32), min_size=1, max_size=30),
    st.floats(0, 1),
    st.sampled_from([0.0, 2.0**-8, 0.3]),
    st.floats(-10, 10),
)
def test_a_line_leaves_nothing_out(values, absolute, relative, score):
    line = screening.Line(np.array(values, np.float32), absolute, relative)
    error = absolute + relative * np.abs(line.values.astype(float))
    may_reach = np.flatnonzero(line.values + error >= score + 1e-9)
    assert set(may_reach) <= set(line.reaching(score))
    limits = np.array([score])
    assert (line.values[line.values - error <= score] <= line.highest(limits) + 1e-6).all()
    for count in (1, len(values)):
        kept = line.nearest(count)
        assert len(kept) >= count
        left = np.setdiff1d(np.arange(len(values)), kept)
        assert (line.values + error)[left].max(initial=-99) <= np.sort(line.values - error)[
            -count
        ] + 1e-9


def searches(draw):
    """Ties, copies, differences in the last bits of bf16 and float32, zero, tiny, huge vectors."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dim = draw(st.sampled_from([2, 8, 33, 256]))
    step = draw(st.sampled_from([0.0, 2.0**-23, 2.0**-16, 2.0**-8, 1.0]))
    lengths = draw(st.sampled_from([(1.0,), (1e-9, 1.0, 1e9), (1e-11,), (1e10,)]))
    whole = draw(st.booleans())
    centres = (
        rng.integers(-2, 3, (4, dim)) if whole else rng.standard_normal((4, dim)).astype(np.float32)
    )
    sets = []
    for count in (draw(st.integers(1, 9)), draw(st.integers(2, 60))):
        pids = rng.integers(-1, 4, count)
        features = centres[pids] * (1 + step * rng.integers(-2, 3, (count, dim)))
        features *= rng.choice(lengths, (count, 1))
        features[rng.random(count) < 0.1] = 0
        features[rng.integers(0, count, count // 4)] = features[0]
        sets.append(Embeddings(features.astype(np.float32), pids, rng.integers(-1, 3, count)))
    return tuple(sets)


def ranks(query, gallery, distance, device, rows=256):
    comparison = Comparison(query.features, gallery.features, distance, device)
    relevance = Relevance(query, gallery, "same-camera")
    found = [
        rank_matches(comparison, relevance, np.arange(start, min(start + rows, len(query))))
        for start in range(0, len(query), rows)
    ]
    return np.concatenate([block.ranks for block in found]).tolist(), comparison.screener


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.composite(searches)(), st.sampled_from(DISTANCES), st.sampled_from([1, 3, 256]))
def test_the_ranks_are_those_without_it(search, distance, rows):
    expected, _ = ranks(*search, distance, "numpy")
    assert ranks(*search, distance, "cpu", rows)[0] == expected
    with pytest.MonkeyPatch.context() as patch:  # decide every query, however much is open
        patch.setattr(candidates, "_HARD", 0)
        patch.setattr(candidates, "_REACHING", 0)
        assert ranks(*search, distance, "cpu", rows)[0] == expected


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.composite(searches)(), st.sampled_from(DISTANCES), st.integers(1, 70))
def test_the_nearest_are_those_without_it(search, distance, k):
    with pytest.MonkeyPatch.context() as patch:
        expected = top_matches(*search, k, distance=distance, junk_rule="none", device="numpy")
        for share in (8, 0):
            patch.setattr(top, "_MOST_OPEN", share)
            found = top_matches(*search, k, distance=distance, junk_rule="none", device="cpu")
            np.testing.assert_array_equal(found.indices, expected.indices)
            np.testing.assert_array_equal(found.similarity, expected.similarity)


def crowd(noise, dim=256, queries=70, images=3000, ids=150):
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((ids, dim))
    sets = []
    for count in (queries, images):
        pids = np.arange(count) % ids
        features = centres[pids] + noise * rng.standard_normal((count, dim))
        sets.append(Embeddings(features.astype(np.float32), pids, rng.integers(0, 5, count)))
    return tuple(sets)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize(("noise", "useful"), [(1.0, True), (100.0, False)])
def test_it_is_used_where_it_decides_and_given_up_where_not(distance, noise, useful):
    search = crowd(noise)
    expected, _ = ranks(*search, distance, "numpy")
    found, screener = ranks(*search, distance, "cpu", 32)
    assert found == expected
    assert screener.useful is useful


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("rows", [1, 32, 256])
def test_blocks_and_threads_do_not_matter(monkeypatch, threads, rows):
    search, card = crowd(2.0), ProtocolCard(distance="cosine", junk_rule="same-camera")
    expected = evaluate(*search, card=card, device="numpy")
    monkeypatch.setattr(blocks, "_MOST_ROWS", rows)
    found = evaluate(*search, card=card, device="cpu", threads=threads)
    assert found.to_dict() == expected.to_dict()
    np.testing.assert_array_equal(found.average_precision, expected.average_precision)


def test_a_library_that_breaks_the_bound_is_noticed(monkeypatch):
    search = crowd(1.0)
    expected, _ = ranks(*search, "cosine", "numpy")
    product = torch.mm
    monkeypatch.setattr(torch, "mm", lambda a, b: 1.05 * product(a, b))
    found, screener = ranks(*search, "cosine", "cpu")
    assert found == expected
    assert not screener.useful


def test_float64_features_are_not_screened_in_bf16():
    query, gallery = crowd(1.0, dim=8)
    assert (
        Comparison(query.features.astype(float), gallery.features, "cosine", "cpu").screener is None
    )


def test_where_to_screen(monkeypatch):
    assert screening.screening_device("numpy", 1 << 20, 1 << 30) is None
    assert screening.screening_device("cpu", 1, 1) == "cpu"
    assert screening.screening_device("auto", 300, 4000) is None
    with pytest.raises(ConfigError, match="cannot be used"):
        screening.screening_device("cuda:99", 1 << 20, 1 << 30)
    monkeypatch.setattr("apnet.devices._gains_from_bf16", lambda kind: True)
    assert screening.screening_device("auto", 1 << 12, 1 << 25) == "cpu"
    assert screening.screening_device("auto", 100, 1 << 30) is None
    monkeypatch.setattr("apnet.devices._gains_from_bf16", lambda kind: False)
    assert screening.screening_device("auto", 1 << 20, 1 << 30) is None
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr(screening.importlib.util, "find_spec", lambda name: None)
    assert screening.screening_device("auto", 1 << 20, 1 << 30) is None


def test_torch_is_not_loaded_for_sets_of_usual_size():
    code = (
        "import sys, numpy as np; from apnet.retrieval import default_card, evaluate;"
        "from apnet.types import Embeddings;"
        "e = Embeddings(np.eye(4, dtype=np.float32), np.zeros(4, int), np.arange(4));"
        "evaluate(e, e, card=default_card(e, e)); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
