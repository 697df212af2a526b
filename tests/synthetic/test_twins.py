import dataclasses

import numpy as np
import pytest

from apnet.synthetic.people.draw_look import draw_look
from apnet.synthetic.people.figure import build_figure
from apnet.synthetic.people.paint import paint
from apnet.synthetic.people.palette import color_distance
from apnet.synthetic.people.population import draw_population
from apnet.synthetic.people.twins import (
    COARSE_CUES,
    CUE_FIELDS,
    FINE_CUES,
    differ_in,
    draw_group,
    visibly_differ,
)
from apnet.synthetic.render.metadata import pair_lines
from apnet.synthetic.world.plan import Counts
from apnet.synthetic.world.settings import WORLD

CHANGES = {
    "pattern": {"pattern"},
    "logo": {"logo"},
    "bag": {"bag", "bag_color"},
    "shoes": {"shoes"},
    "sleeves": {"sleeve", "open_front"},
    "hair": {"hair_style", "headwear"},
    "legs": {"bottom", "bottom_length"},
    "cut": {"block"},
    "top colour": {"top_color"},
    "leg colour": {"bottom_color"},
    "bottom": {"bottom", "bottom_length"},
}
"""Fields of a look that each cue may change."""

FINE = dataclasses.replace(WORLD, coarse_twins=0.0)
COARSE = dataclasses.replace(WORLD, coarse_twins=1.0)


def changed(first, second):
    names = (field.name for field in dataclasses.fields(first))
    return {name for name in names if getattr(first, name) != getattr(second, name)}


def painted(look):
    """Returns the kinds, attributes and colours at the centres of all faces."""
    figure = build_figure(look)
    at = figure.attributes[figure.faces].mean(1)  # (F, 3, 7) -> (F, 7)
    return figure.kinds, at, paint(look, figure.kinds, at)


class TestTwins:
    @pytest.mark.parametrize(("world", "all_cues"), [(FINE, FINE_CUES), (COARSE, COARSE_CUES)])
    def test_differ_in_their_named_cues_and_no_others(self, world, all_cues):
        seen = set()
        for seed in range(80):
            (first, none), *twins = draw_group(np.random.default_rng(seed), 0, world)
            assert none == ()
            for look, cues in twins:
                assert 1 <= len(cues) <= 2
                fields = changed(first, look)
                assert fields <= set().union(*(CHANGES[cue] for cue in cues))
                assert all(fields & CHANGES[cue] for cue in cues)
                seen.update(cues)
        assert seen == set(all_cues)

    @pytest.mark.parametrize("cue", [*FINE_CUES, *COARSE_CUES])
    def test_every_cue_changes_every_look(self, cue):
        change = {**FINE_CUES, **COARSE_CUES}[cue]
        for seed in range(150):
            rng = np.random.default_rng(seed)
            look = draw_look(rng, 0, WORLD)
            other = dataclasses.replace(look, **change(rng, look, WORLD))
            assert changed(look, other) & CHANGES[cue]
            assert changed(look, other) <= CHANGES[cue]

    def test_a_cue_can_be_seen(self):
        for seed in range(60):
            (first, _), *twins = draw_group(np.random.default_rng(seed), 0, WORLD)
            for look, _ in twins:
                ours, theirs = painted(first)[2], painted(look)[2]
                painted_alike = ours.shape == theirs.shape and (ours == theirs).all()
                assert (
                    not painted_alike
                    or (build_figure(first).points != build_figure(look).points).any()
                )

    def test_coarse_twins_wear_nearby_shades(self):
        for seed in range(60):
            (first, _), *twins = draw_group(np.random.default_rng(seed), 0, COARSE)
            for look, _ in twins:
                for name in ("top_color", "bottom_color"):
                    assert color_distance(getattr(first, name), getattr(look, name)) < 260

    def test_group_sizes_follow_the_world(self):
        def sizes(world):
            return {len(draw_group(np.random.default_rng(s), 0, world)) for s in range(40)}

        assert sizes(WORLD) == {1, 2, 3}
        assert sizes(dataclasses.replace(WORLD, group_sizes=(0.0, 0.0, 0.0, 1.0))) == {4}

    def test_all_people_of_a_town_differ(self):
        assert (
            len(
                {
                    person.look
                    for person in draw_population(Counts((100, 0), (100, 0)), seed=0, world=WORLD)
                }
            )
            == 200
        )

    @pytest.mark.parametrize("ids", [4, 5, 31])
    def test_half_of_the_people_train(self, ids):
        people = draw_population(Counts((ids // 2, 0), (ids - ids // 2, 0)), seed=0, world=WORLD)
        assert [person.pid for person in people] == list(range(1, ids + 1))
        assert sum(person.split == "train" for person in people) == ids // 2

    def test_the_leg_colour_under_a_dress_tells_nobody_apart(self):
        drawn = draw_look(np.random.default_rng(0), 0, WORLD)
        dress = dataclasses.replace(drawn, top="dress", bottom="skirt", bottom_color=(10, 10, 10))
        other = dataclasses.replace(dress, bottom_color=(200, 10, 10))
        assert not visibly_differ(dress, other)
        shirt = dataclasses.replace(dress, top="shirt")
        assert visibly_differ(shirt, dataclasses.replace(other, top="shirt"))


def test_pairs_name_what_tells_them_apart():
    people = draw_population(Counts((300, 0), (0, 0)), seed=2, world=WORLD)
    looks = {person.pid: person.look for person in people}
    pairs = list(pair_lines(people))
    assert {pair["twin"] for pair in pairs} == {"coarse", "fine"}
    for pair in pairs:
        first, second = looks[pair["a"]], looks[pair["b"]]
        assert first.group == second.group
        assert pair["differs"]
        assert all(differ_in(cue, first, second) for cue in pair["differs"])
        told = {name for cue in pair["differs"] for name in CUE_FIELDS[cue]}
        named = {fields[0] for fields in CUE_FIELDS.values()}
        others = {n for n in named - told if getattr(first, n) != getattr(second, n)}
        assert not others
