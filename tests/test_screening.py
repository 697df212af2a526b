"""Screening in bf16 and 8-bit integers: error bounds hold, and the ranks stay as they are."""

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
from apnet.retrieval.ranking import blocks, candidates, screen_choice, top
from apnet.retrieval.ranking.comparison import Comparison
from apnet.retrieval.ranking.int8 import int8_works
from apnet.retrieval.ranking.lines import Line
from apnet.retrieval.ranking.ranks import rank_matches
from apnet.retrieval.ranking.relevance import Relevance
from apnet.types import Embeddings

DISTANCES = ("cosine", "euclidean")
DEVICES = ("cpu", "int8") if int8_works() else ("cpu",)
KINDS = {
    "normal": lambda rng, n, d: rng.standard_normal((n, d)),
    "rectified": lambda rng, n, d: np.maximum(rng.standard_normal((n, d)), 0),
    "collinear": lambda rng, n, d: np.sin(np.arange(d)) + 0.05 * rng.standard_normal((n, d)),
    "heavy": lambda rng, n, d: rng.standard_normal((n, d)) * 10 ** rng.uniform(-4, 4, (n, d)),
    "constant": lambda rng, n, d: np.full((n, d), 0.1) * rng.uniform(0.5, 2, (n, 1)),
    "worst": lambda rng, n, d: np.full((n, d), 1 + 2.0**-8 - 2.0**-20) * (-1) ** np.arange(d),
    "bf16": lambda rng, n, d: rng.integers(-128, 129, (n, d)) / 128,
    "low rank": lambda rng, n, d: rng.standard_normal((n, 2)) @ rng.standard_normal((2, d)),
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
@pytest.mark.parametrize("device", DEVICES)
def test_no_screened_or_refined_score_lies_beyond_its_bound(kind, dim, distance, scale, device):
    rng = np.random.default_rng(dim)
    make = KINDS[kind]
    query, gallery = ((scale * make(rng, n, dim)).astype(np.float32) for n in (10, 200))
    query[0], gallery[::50] = 0, 0
    for part in (query, gallery):
        length = np.linalg.norm(part.astype(float), axis=1)
        part[(length < 1e-12) | (length > 1e12)] = 0
    comparison = Comparison(query, gallery, distance, device)
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
    line = Line(np.array(values, np.float32), absolute, relative)
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
    for device in DEVICES:
        assert ranks(*search, distance, device, rows)[0] == expected
        with pytest.MonkeyPatch.context() as patch:  # decide every query, however much is open
            patch.setattr(candidates, "_HARD", 0)
            patch.setattr(candidates, "_REACHING", 0)
            assert ranks(*search, distance, device, rows)[0] == expected


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.composite(searches)(), st.sampled_from(DISTANCES), st.integers(1, 70))
def test_the_nearest_are_those_without_it(search, distance, k):
    with pytest.MonkeyPatch.context() as patch:
        expected = top_matches(*search, k, distance=distance, junk_rule="none", device="numpy")
        for share in (8, 0):
            patch.setattr(top, "_MOST_OPEN", share)
            for device in DEVICES:
                found = top_matches(*search, k, distance=distance, junk_rule="none", device=device)
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
@pytest.mark.parametrize("device", DEVICES)
def test_it_is_used_where_it_decides_and_given_up_where_not(distance, noise, useful, device):
    search = crowd(noise)
    expected, _ = ranks(*search, distance, "numpy")
    found, screener = ranks(*search, distance, device, 32)
    assert found == expected
    assert screener.useful is useful


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("rows", [1, 32, 256])
@pytest.mark.parametrize("device", DEVICES)
def test_blocks_and_threads_do_not_matter(monkeypatch, threads, rows, device):
    search, card = crowd(2.0), ProtocolCard(distance="cosine", junk_rule="same-camera")
    expected = evaluate(*search, card=card, device="numpy")
    monkeypatch.setattr(blocks, "_MOST_ROWS", rows)
    found = evaluate(*search, card=card, device=device, threads=threads)
    assert found.to_dict() == expected.to_dict()
    np.testing.assert_array_equal(found.average_precision, expected.average_precision)


@pytest.mark.parametrize(("device", "name"), [("cpu", "mm"), ("int8", "_int_mm")])
def test_a_library_that_breaks_the_bound_is_noticed(monkeypatch, device, name):
    if device not in DEVICES:
        pytest.skip("torch multiplies no integers here")
    search = crowd(1.0)
    expected, _ = ranks(*search, "cosine", "numpy")
    product = getattr(torch, name)
    monkeypatch.setattr(torch, name, lambda a, b: (1.05 * product(a, b)).to(product(a, b).dtype))
    found, screener = ranks(*search, "cosine", device)
    assert found == expected
    assert not screener.useful


@pytest.mark.parametrize("device", DEVICES)
def test_float64_features_are_not_screened(device):
    query, gallery = crowd(1.0, dim=8)
    wide = query.features.astype(float)
    assert Comparison(wide, gallery.features, "cosine", device).screener is None


@pytest.mark.skipif("int8" not in DEVICES, reason="torch multiplies no integers here")
def test_the_errors_of_integers_are_as_wide_as_their_bound_says():
    """The bound is nine standard deviations of these errors, for the widest of all steps."""
    rng = np.random.default_rng(1)
    query, gallery = (rng.uniform(-1, 1, (40, 512)).astype(np.float32) for _ in range(2))
    comparison = Comparison(query, gallery, "cosine", "int8")
    lines, true = comparison.screener.lines(np.arange(40)), true_scores(query, gallery, "cosine")
    units = [(lines[row].values - true[row]) * 9 / lines[row].absolute for row in range(40)]
    assert 0.85 < np.std(np.array(units, dtype=float)) < 1


def gains(monkeypatch, **gain):
    """Lets products be so many times as fast as float32, and every comparison large."""
    screens = {
        name: screen._replace(gain=lambda name=name: gain.get(name, 0.0))
        for name, screen in screen_choice.SCREENS.items()
    }
    monkeypatch.setattr(screen_choice, "SCREENS", screens)
    monkeypatch.setattr(screen_choice, "_WORTH_WITH_TORCH", 0)
    monkeypatch.setattr(screen_choice, "_FEWEST_QUERIES", 1)
    monkeypatch.setattr(screen_choice, "seconds", lambda work: 0.0)


def chosen(search, distance="cosine", matches=True):
    query, gallery = search
    relevance = Relevance(query, gallery, "same-camera")
    given = (lambda row: relevance.of(row)[0]) if matches else None
    found = Comparison(query.features, gallery.features, distance, "auto", given).screener
    return None if found is None else type(found.product).__name__


@pytest.mark.parametrize("distance", DISTANCES)
def test_auto_takes_the_fastest_that_decides(monkeypatch, distance):
    easy, hard = crowd(1.0), crowd(100.0)
    gains(monkeypatch, bf16=4.0, int8=2.0)
    assert chosen(easy, distance) == "Bf16Product"
    gains(monkeypatch, bf16=1.6, int8=2.0)
    assert chosen(easy, distance) == "Int8Product"
    gains(monkeypatch, int8=2.0)
    assert chosen(easy, distance) == "Int8Product"
    gains(monkeypatch, bf16=4.0, int8=8.0)
    assert chosen(hard, distance) is None
    assert chosen(hard, distance, matches=False) == "Int8Product"
    gains(monkeypatch, bf16=1.4, int8=1.4)
    assert chosen(easy, distance) is None


def test_auto_leaves_small_sets_and_sets_without_matches_to_float32(monkeypatch):
    query, gallery = crowd(1.0)
    strangers = Embeddings(query.features, query.pids + 1000, query.camids)
    gains(monkeypatch, bf16=4.0)
    assert chosen((strangers, gallery)) is None
    monkeypatch.setattr(screen_choice, "_FEWEST_QUERIES", 71)
    assert chosen((query, gallery)) is None
    monkeypatch.setattr(screen_choice, "_FEWEST_QUERIES", 1)
    monkeypatch.setattr(screen_choice, "_WORTH_A_TORCH_IMPORT", 0)
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr(screen_choice.importlib.util, "find_spec", lambda name: None)
    assert chosen((query, gallery)) is None


def test_a_device_that_is_not_there():
    query, gallery = crowd(1.0, dim=8)
    assert Comparison(query.features, gallery.features, "cosine", "numpy").screener is None
    with pytest.raises(ConfigError, match="cannot be used"):
        Comparison(query.features, gallery.features, "cosine", "cuda:99")


def test_torch_is_not_loaded_for_sets_of_usual_size():
    code = (
        "import sys, numpy as np; from apnet.retrieval import default_card, evaluate;"
        "from apnet.types import Embeddings;"
        "e = Embeddings(np.eye(4, dtype=np.float32), np.zeros(4, int), np.arange(4));"
        "evaluate(e, e, card=default_card(e, e)); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
