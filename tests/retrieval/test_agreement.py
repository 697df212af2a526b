"""``evaluate`` against an independent float64 evaluation with full sorts."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apnet.errors import DataError
from apnet.results import ProtocolCard
from apnet.retrieval import evaluate
from apnet.types import Embeddings

sys.path.insert(0, str(Path(__file__).parent))
import naive

DISTANCES = ("cosine", "euclidean")
RULES = ("same-camera", "none")


def agrees(query, gallery, distance, rule):
    expected = naive.figures(query, gallery, distance, rule)
    card = ProtocolCard(distance=distance, junk_rule=rule)
    if not expected["valid"]:
        with pytest.raises(DataError, match="none of the"):
            evaluate(query, gallery, card=card)
        return
    result = evaluate(query, gallery, card=card)
    assert result.valid_queries == expected["valid"]
    assert result.mAP == result.mAP_hits
    for name in ("mAP_hits", "mAP_trapezoidal", "mINP"):
        assert getattr(result, name) == pytest.approx(expected[name], abs=1e-9)
    np.testing.assert_allclose(result.cmc, expected["cmc"], atol=1e-9)


@st.composite
def searches(draw):
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    whole = draw(st.booleans())
    dim = draw(st.integers(1 if whole else 2, 6))  # in one dimension all cosines are 1 or -1
    named = draw(st.booleans())
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    sets = []
    for count in (draw(st.integers(1, 8)), draw(st.integers(1, 40))):
        values = rng.integers(-2, 3, (count, dim)) if whole else rng.standard_normal((count, dim))
        features = values.astype(dtype)
        if count > 3:
            features[rng.integers(0, count, count // 3)] = features[0]  # exact ties
        pids, camids = rng.integers(-1, 4, count), rng.integers(-1, 3, count)
        paths = tuple(f"{name}.jpg" for name in rng.integers(0, 20, count)) if named else ()
        sets.append(Embeddings(features, pids, camids, paths))
    return tuple(sets)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(searches(), st.sampled_from(DISTANCES), st.sampled_from(RULES))
def test_small_searches_with_ties_junk_and_missing_matches(search, distance, rule):
    agrees(*search, distance, rule)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("dim", "noise"), [(16, 0.5), (64, 3.0), (300, 8.0)])
def test_larger_searches(people, distance, rule, dim, noise):
    agrees(*people(dim, 60, 700, dim, noise=noise), distance, rule)


@pytest.mark.parametrize("distance", DISTANCES)
def test_float64_features(people, distance):
    agrees(*people(5, 40, 300, 40, dtype=np.float64), distance, "same-camera")


@pytest.mark.parametrize("distance", DISTANCES)
def test_float32_rounding_does_not_decide(make, distance):
    """Vectors that differ by less than the error of a float32 product are ranked correctly."""
    rng = np.random.default_rng(3)
    centre = rng.standard_normal(512)
    near = centre + 3e-4 * rng.standard_normal((400, 512))
    query = make((centre + 3e-4 * rng.standard_normal((20, 512))).astype(np.float32), np.arange(20))
    gallery = make(near.astype(np.float32), np.arange(400) % 25)
    plain = query.features @ gallery.features.T
    wide = query.features.astype(np.float64) @ gallery.features.T.astype(np.float64)
    assert not np.array_equal(np.argsort(-plain, 1), np.argsort(-wide, 1))  # the case is a hard one
    agrees(query, gallery, distance, "none")


@pytest.mark.parametrize("distance", DISTANCES)
def test_roundings_that_all_lean_one_way(make, distance):
    """Constant vectors violate the random-walk bound; the sampled errors must detect it."""
    rng = np.random.default_rng(4)
    sizes = rng.uniform(0.5, 2, (300, 1))
    flat = np.full((1, 512), 0.1) * sizes + 1e-6 * rng.standard_normal((300, 512))
    query = make(flat[:20].astype(np.float32), np.arange(20))
    gallery = make(flat[20:].astype(np.float32), np.arange(280) % 20)
    agrees(query, gallery, distance, "none")


@pytest.mark.parametrize(
    ("distance", "least", "span"),
    [("euclidean", 100_000, 2), ("cosine", 200, 3), ("cosine", -1, 3)],
)
def test_whole_numbers_tie_exactly(make, distance, least, span):
    """Products of 10^10 are not exact in float32; distances of 0 to 12 must be."""
    rng = np.random.default_rng(6)
    values = least + rng.integers(0, span, (140, 12))
    query = make(values[:20].astype(np.float32), rng.integers(0, 5, 20))
    gallery = make(values[20:].astype(np.float32), rng.integers(0, 5, 120))
    agrees(query, gallery, distance, "none")


@pytest.mark.parametrize("scale", [1e-30, 1e25])
@pytest.mark.parametrize("distance", DISTANCES)
def test_extreme_scales(people, make, distance, scale):
    """Squares of these float32 values underflow or overflow float32."""
    query, gallery = people(8, 20, 200, 16)
    scaled = [
        make((part.features * np.float32(scale)), part.pids, part.camids)
        for part in (query, gallery)
    ]
    agrees(*scaled, distance, "same-camera")
