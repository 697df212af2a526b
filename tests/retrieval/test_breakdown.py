import json

import naive
import numpy as np
import pytest

from apnet.errors import DataError
from apnet.results import ProtocolCard
from apnet.retrieval import ImageAttributes, breakdown, evaluate, format_breakdown

CARD = ProtocolCard(distance="cosine", junk_rule="same-camera")
PAIRS = {"coarse": [(1, 2), (2, 3)], "fine": [(4, 5), (6, 7), (4, 6)]}
UNKNOWN = (("", np.nan, np.nan, "", None),)


def attributes_of(rows):
    views, occlusion, pixels, lights, clothes = zip(*rows, strict=True)
    return ImageAttributes(
        views, np.array(occlusion, float), np.array(pixels, float), lights, clothes
    )


def drawn(rng, count):
    """Attributes of every kind, also at the limits of the slices, some unknown."""
    choices = (
        ("front", "side", "back", ""),
        (0.0, 0.05, 0.1, 0.2, 0.3, 0.31, 0.9, np.nan),
        (20, 59, 60, 100, 120, 121, 300, np.nan),
        ("sun", "shade", "night", ""),
        ("", "hood", "bag, hood", None),
    )
    return attributes_of(
        [tuple(one[rng.integers(len(one))] for one in choices) for _ in range(count)]
    )


def nearer_first(query, gallery, q, card, matches):
    """Ranks by the definition: the gallery without junk and without the other matches, sorted."""
    kept = [
        g
        for g in range(len(gallery))
        if naive.counts(query, q, gallery, g, card.junk_rule)
        and (gallery.pids[g] != query.pids[q] or g in matches)
    ]
    far = naive.distances(query.features[q], gallery.features[kept], card.distance) if kept else []
    order = sorted(range(len(kept)), key=lambda place: far[place])
    return [rank for rank, place in enumerate(order, 1) if kept[place] in matches]


def precision(ranks, kind):
    total = 0.0
    for i, rank in enumerate(ranks):
        before = i / (rank - 1) if rank > 1 else 1.0
        total += (i + 1) / rank if kind == "hits" else ((i + 1) / rank + before) / 2
    return total / len(ranks)


def naive_slices(query, gallery, attributes, card):
    """Every slice but the twins: {(by, name): (queries, mAP, rank-1)}."""
    ours, theirs = attributes
    right = [
        [
            g
            for g in range(len(gallery))
            if gallery.pids[g] == query.pids[q]
            and naive.counts(query, q, gallery, g, card.junk_rule)
        ]
        for q in range(len(query))
    ]
    chosen = {}

    def put(by, name, q, matches):
        if matches:
            chosen.setdefault((by, name), []).append((q, matches))

    for q, matches in enumerate(right):
        for by, names, mine, others, unknown in (
            ("view", ("other view", "same view"), ours.views, theirs.views, ""),
            ("clothes", ("changed", "same"), ours.clothes, theirs.clothes, None),
        ):
            seen = [g for g in matches if others[g] != unknown and mine[q] != unknown]
            put(by, names[0], q, [g for g in seen if others[g] != mine[q]])
            put(by, names[1], q, [g for g in seen if others[g] == mine[q]])
        hidden, tall = ours.occlusion[q], ours.pixels[q]
        if not np.isnan(hidden):
            name = "< 10 %" if hidden < 0.1 else "> 30 %" if hidden > 0.3 else "10-30 %"
            put("occlusion", name, q, matches)
        if not np.isnan(tall):
            name = "< 60" if tall < 60 else "> 120" if tall > 120 else "60-120"
            put("pixels", name, q, matches)
        if ours.lights[q]:
            put("light", ours.lights[q], q, matches)
    result = {}
    for key, parts in chosen.items():
        ranked = [nearer_first(query, gallery, q, card, matches) for q, matches in parts]
        mean = np.mean([precision(ranks, card.ap_kind) for ranks in ranked])
        result[key] = (len(parts), mean, np.mean([ranks[0] == 1 for ranks in ranked]))
    return result


def naive_twins(query, gallery, pairs, card):
    """{kind: (queries, share won, triples)} by three loops."""
    result = {}
    for kind, some in pairs.items():
        won = triples = queries = 0
        for q in range(len(query)):
            far = naive.distances(query.features[q], gallery.features, card.distance)
            person, before = query.pids[q], triples
            for right in range(len(gallery)):
                if gallery.pids[right] != person:
                    continue
                if not naive.counts(query, q, gallery, right, card.junk_rule):
                    continue
                for wrong in range(len(gallery)):
                    pair = (person, gallery.pids[wrong])
                    if pair in some or pair[::-1] in some:
                        triples += 1
                        won += 1 if far[right] < far[wrong] else 0.5 * (far[right] == far[wrong])
            queries += triples > before
        if triples:
            result[kind] = (queries, won / triples, triples)
    return result


@pytest.mark.parametrize(
    ("seed", "distance", "rule", "kind"),
    [
        (0, "cosine", "same-camera", "hits"),
        (1, "cosine", "same-camera", "trapezoidal"),
        (2, "euclidean", "same-camera", "hits"),
        (3, "euclidean", "none", "hits"),
    ],
)
@pytest.mark.parametrize("whole", [False, True], ids=["fractions", "ties"])
def test_agrees_with_loops(people, make, seed, distance, rule, kind, whole):
    query, gallery = people(seed, 40, 90, 3)
    if whole:  # whole numbers: many equal distances, which stay in gallery order
        query, gallery = (
            make(np.rint(part.features).astype(np.float32), part.pids, part.camids)
            for part in (query, gallery)
        )
    rng = np.random.default_rng(seed)
    attributes = (drawn(rng, len(query)), drawn(rng, len(gallery)))
    card = ProtocolCard(distance=distance, junk_rule=rule, ap_kind=kind)
    found = breakdown(query, gallery, attributes, PAIRS, card)

    expected = naive_slices(query, gallery, attributes, card)
    plain = [part for part in found if part.by != "twins"]
    assert {(part.by, part.name) for part in plain} == set(expected)
    for part in plain:
        figures = (part.queries, part.figures["mAP"], part.figures["rank1"])
        assert figures == pytest.approx(expected[part.by, part.name], abs=1e-12), part

    twins = {part.name: part for part in found if part.by == "twins"}
    expected_twins = naive_twins(query, gallery, PAIRS, card)
    assert set(twins) == set(expected_twins) == set(PAIRS)
    for name, part in twins.items():
        figures = (part.queries, part.figures["accuracy"], part.figures["triples"])
        assert figures == pytest.approx(expected_twins[name], abs=1e-12)


def test_a_slice_of_all_queries_equals_the_evaluation(people):
    query, gallery = people(5, 300, 500, 8)
    attributes = tuple(
        attributes_of([("front", 0.0, 200, "sun", "")] * len(part)) for part in (query, gallery)
    )
    whole = evaluate(query, gallery, card=CARD)
    found = breakdown(query, gallery, attributes, {}, CARD)
    assert [(part.by, part.name) for part in found] == [
        ("view", "same view"),
        ("clothes", "same"),
        ("occlusion", "< 10 %"),
        ("pixels", "> 120"),
        ("light", "sun"),
    ]
    for part in found:
        assert part.queries == whole.valid_queries
        assert part.figures == pytest.approx({"mAP": whole.mAP, "rank1": whole.rank(1)})


def test_the_other_views_of_a_person_are_junk(make):
    """The nearest image shows the query's own view, and is ignored for the other views."""
    query = make([[1.0, 0.0]], [1], [1])
    gallery = make([[1.0, 0.0], [0.9, 0.1], [0.5, 0.5]], [1, 2, 1], [2, 2, 3])
    views = (("front",), ("front", "side", "back"))
    attributes = tuple(
        attributes_of([(view, 0.0, 200, "", None) for view in side]) for side in views
    )
    found = {part.name: part.figures for part in breakdown(query, gallery, attributes, {}, CARD)}
    assert found["other view"] == {"mAP": 0.5, "rank1": 0.0}
    assert found["same view"] == {"mAP": 1.0, "rank1": 1.0}


def test_equal_features_are_at_chance(make):
    query = make(np.ones((4, 3)), [1, 2, 3, 4], [1] * 4)
    gallery = make(np.ones((8, 3)), [1, 2, 3, 4] * 2, [2] * 4 + [3] * 4)
    attributes = (attributes_of(UNKNOWN * 4), attributes_of(UNKNOWN * 8))
    pairs = {"coarse": [(1, 2)], "fine": [(3, 4)], "none of these": [(8, 9)]}
    found = breakdown(query, gallery, attributes, pairs, CARD)
    assert [(part.by, part.name, part.queries) for part in found] == [
        ("twins", "coarse", 2),
        ("twins", "fine", 2),
    ]
    assert all(part.figures == {"accuracy": 0.5, "triples": 8} for part in found)


def test_nothing_known_gives_no_slice(people):
    query, gallery = people(0, 5, 20, 4)
    attributes = (attributes_of(UNKNOWN * 5), attributes_of(UNKNOWN * 20))
    assert breakdown(query, gallery, attributes, {}, CARD) == []
    assert format_breakdown([]) == ""


def test_queries_without_a_match_give_no_slice(make):
    query, gallery = make([[1.0, 0.0]], [1], [1]), make([[1.0, 0.0]], [2], [2])
    attributes = (attributes_of([("front", 0.0, 80, "sun", "")]),) * 2
    assert breakdown(query, gallery, attributes, {"fine": [(1, 2)]}, CARD) == []


def test_the_table_shows_every_slice(people):
    query, gallery = people(1, 40, 90, 3)
    rng = np.random.default_rng(1)
    attributes = (drawn(rng, len(query)), drawn(rng, len(gallery)))
    found = breakdown(query, gallery, attributes, PAIRS, CARD)
    text = format_breakdown(found)
    lines = [line.split() for line in text.splitlines()]
    for part in found:
        shares = [value for name, value in part.figures.items() if name != "triples"]
        wanted = [f"{100 * share:.2f}" for share in shares]
        assert any(
            line[: len(part.name.split())] == part.name.split()
            and line[len(part.name.split()) :][: len(wanted)] == wanted
            for line in lines
        ), part
    assert json.loads(json.dumps([part.to_dict() for part in found]))[0].keys() == {
        "by",
        "name",
        "queries",
        "mAP",
        "rank1",
    }


def test_facts_of_other_sets_are_refused(people):
    query, gallery = people(0, 5, 20, 4)
    attributes = (attributes_of(UNKNOWN * 5), attributes_of(UNKNOWN * 19))
    with pytest.raises(DataError, match="gallery: attributes of 19 images for 20 features"):
        breakdown(query, gallery, attributes, {}, CARD)
    with pytest.raises(DataError, match="one entry per image"):
        ImageAttributes(("front",), np.zeros(2), np.zeros(1), ("",), ("",))
