import dataclasses
import json

import numpy as np
import pytest

from apnet.synthetic.people.changes import CHANGES, look_in_camera
from apnet.synthetic.people.describe import describe_look
from apnet.synthetic.people.draw_look import draw_look
from apnet.synthetic.people.figure import build_figure
from apnet.synthetic.people.palette import (
    CLOTH,
    color_distance,
    color_name,
    draw_cloth,
    draw_contrasting,
)
from apnet.synthetic.people.parts import PROP
from apnet.synthetic.people.pose import draw_pose
from apnet.synthetic.people.twins import visibly_differ
from apnet.synthetic.people.wardrobe import OPENS
from apnet.synthetic.world.settings import WORLD

ALWAYS = dataclasses.replace(WORLD, worn_changes=1.0, umbrellas=1.0, sitting=0.0)
NEVER = dataclasses.replace(WORLD, worn_changes=0.0, umbrellas=0.0, sitting=0.0)


def look(**changes):
    worn = {"bag": "backpack", "headwear": "cap", "prop": "none", "glasses": "none",
            "top": "hoodie", "open_front": False}  # fmt: skip
    return dataclasses.replace(draw_look(np.random.default_rng(1), 0, WORLD), **{**worn, **changes})


def changes(first, second):
    return {
        field.name
        for field in dataclasses.fields(first)
        if getattr(first, field.name) != getattr(second, field.name)
    }


class TestWorn:
    def test_nothing_changes_where_nothing_may(self):
        for seed in range(30):
            drawn = draw_look(np.random.default_rng(seed), 0, WORLD)
            for rain in (False, True):
                rng = np.random.default_rng(seed)
                assert look_in_camera(drawn, rng, NEVER, rain=rain) == (drawn, ())

    def test_all_that_can_change_does_and_is_named(self):
        there, names = look_in_camera(look(), np.random.default_rng(0), ALWAYS)
        assert set(names) == set(CHANGES) - {"hood"}
        assert there.bag == "none"
        assert there.headwear == "none"
        assert there.open_front
        assert there.glasses == "sunglasses"
        assert there.prop != "none"

    def test_a_hood_goes_up_on_a_bare_head(self):
        there, names = look_in_camera(look(headwear="none"), np.random.default_rng(0), ALWAYS)
        assert there.headwear == "hood"
        assert "hood" in names
        assert "hat" not in names

    def test_what_changed_is_named_and_the_rest_stays(self):
        kept = {"top_color", "bottom_color", "pattern", "body", "hair", "skin", "shoes", "group"}
        some = dataclasses.replace(WORLD, worn_changes=0.3)
        for seed in range(60):
            rng = np.random.default_rng(seed)
            drawn = draw_look(rng, 0, WORLD)
            there, names = look_in_camera(drawn, rng, some)
            assert bool(changes(drawn, there)) == bool(names)
            assert not changes(drawn, there) & kept

    def test_umbrellas_open_only_in_the_rain(self):
        for rain in (False, True):
            there, names = look_in_camera(
                look(bag="none"), np.random.default_rng(3), ALWAYS, rain=rain
            )
            assert (there.prop == "umbrella") == rain == ("umbrella" in names)

    def test_benches_are_rare_and_dry(self):
        sitting = dataclasses.replace(NEVER, sitting=1.0)
        there, names = look_in_camera(look(), np.random.default_rng(0), sitting)
        assert (there.prop, names) == ("bench", ("bench",))
        assert look_in_camera(look(), np.random.default_rng(0), sitting, rain=True)[1] == ()

    def test_the_share_of_changes_follows_the_world(self):
        tenth = dataclasses.replace(NEVER, worn_changes=0.1)
        bags = [
            "bag" in look_in_camera(look(), np.random.default_rng(seed), tenth)[1]
            for seed in range(500)
        ]
        assert 0.05 < np.mean(bags) < 0.16

    def test_nobody_turns_into_a_twin(self):
        twin = look(bag="none")
        for seed in range(20):
            there, names = look_in_camera(look(), np.random.default_rng(seed), ALWAYS, (twin,))
            assert visibly_differ(there, twin)
            assert "bag" not in names
            assert "front" in names

    def test_the_same_generator_gives_the_same(self):
        first, second = (look_in_camera(look(), np.random.default_rng(5), WORLD) for _ in range(2))
        assert first == second

    def test_only_what_opens_is_opened(self):
        for top in ("tee", *OPENS):
            _, names = look_in_camera(look(top=top), np.random.default_rng(0), ALWAYS)
            assert ("front" in names) == (top in OPENS)


class TestStandingProps:
    @pytest.mark.parametrize("prop", ["suitcase", "pram", "bicycle", "bench"])
    def test_stand_on_the_ground_beside_the_feet(self, prop):
        figure = build_figure(look(prop=prop))
        for seed in range(6):
            points = figure.posed(draw_pose(np.random.default_rng(seed), figure.look))
            own = np.unique(figure.faces[figure.kinds == PROP])
            rest = np.setdiff1d(np.arange(len(points)), own)
            assert rest.max() + 1 == figure.person_points == own.min()
            assert points[own, 2].min() == pytest.approx(0, abs=1e-5)
            assert points[rest, 2].min() == pytest.approx(0, abs=1e-5)


class TestWorlds:
    def test_zero_turns_every_ingredient_off(self):
        plain = dataclasses.replace(
            WORLD, patterns=0.0, blocks=0.0, logos=0.0, texture=0.0, faces=0.0, headwear=0.0,
            bags=0.0, props=0.0, gait=0.0, palette=0.0,
        )  # fmt: skip
        looks = [draw_look(np.random.default_rng(seed), 0, plain) for seed in range(60)]
        for name, off in {
            "pattern": "plain", "block": "none", "logo": "none", "back_logo": "none",
            "texture": 0.0, "face": 0.0, "beard": "none", "glasses": "none", "headwear": "none",
            "bag": "none", "prop": "none", "leg_detail": "none",
        }.items():  # fmt: skip
            assert {getattr(drawn, name) for drawn in looks} == {off}, name
        assert len({drawn.stride for drawn in looks}) == 1
        assert len({drawn.stride for drawn in map(_drawn, range(60))}) == 60

    def test_without_patterns_prints_and_texture_clothes_are_plain(self):
        flat = dataclasses.replace(WORLD, patterns=0.0, logos=0.0, texture=0.0, blocks=1.0)
        for seed in range(40):
            drawn = draw_look(np.random.default_rng(seed), 0, flat)
            assert (drawn.pattern, drawn.logo, drawn.block) == ("plain", "none", "none")

    def test_one_share_leaves_the_other_cues_alone(self):
        bare = dataclasses.replace(WORLD, headwear=0.0, faces=0.0)
        head = {"hair", "hair_style", "beard", "glasses", "face", "headwear", "headwear_color"}
        for seed in range(20):
            drawn = draw_look(np.random.default_rng(seed), 0, bare)
            assert changes(_drawn(seed), drawn) <= head

    def test_one_draws_what_it_can(self):
        full = dataclasses.replace(WORLD, bags=1.0, props=1.0, headwear=1.0)
        for seed in range(30):
            drawn = draw_look(np.random.default_rng(seed), 0, full)
            assert "none" not in (drawn.bag, drawn.prop, drawn.headwear)

    def test_looks_are_json(self):
        for seed in range(20):
            drawn = dataclasses.asdict(_drawn(seed))
            assert json.loads(json.dumps(drawn)).keys() == drawn.keys()


def _drawn(seed):
    return draw_look(np.random.default_rng(seed), 0, WORLD)


class TestPalette:
    def test_colors_are_short_lists_or_continuous(self):
        rng = np.random.default_rng(0)
        listed = [draw_cloth(rng, 0.0) for _ in range(200)]
        free = [draw_cloth(rng, 1.0) for _ in range(200)]
        assert all(min(color_distance(color, other) for other in CLOTH) < 160 for color in listed)
        assert len(set(free)) > 150
        assert {"black", "grey", "white", "navy", "red"} <= {color_name(color) for color in free}

    def test_contrasting_is_far_whatever_the_color(self):
        rng = np.random.default_rng(0)
        for _ in range(100):
            color = draw_cloth(rng, 1.0)
            assert color_distance(color, draw_contrasting(rng, color, 220, 1.0)) > 220

    @pytest.mark.parametrize(
        ("color", "name"),
        [
            ((10, 10, 12), "black"), ((240, 240, 238), "white"), ((128, 128, 128), "grey"),
            ((25, 35, 80), "navy"), ((30, 60, 200), "blue"), ((140, 180, 220), "light blue"),
            ((200, 30, 30), "red"), ((40, 140, 50), "green"), ((230, 210, 40), "yellow"),
            ((90, 60, 40), "brown"), ((220, 200, 165), "beige"), ((235, 140, 30), "orange"),
            ((110, 50, 160), "purple"), ((230, 120, 170), "pink"), ((30, 160, 160), "turquoise"),
            ((110, 108, 60), "olive"),
        ],
    )  # fmt: skip
    def test_names(self, color, name):
        assert color_name(color) == name


class TestCues:
    def test_are_words_for_what_is_seen(self):
        said = describe_look(
            look(
                top="shirt", top_color=(240, 240, 240), pattern="stripes", bottom="jeans",
                bottom_color=(25, 35, 80), bag_color=(200, 30, 30), headwear="none",
                hair_style="long", hair=(10, 10, 10), glasses="sunglasses", tie=True,
            )
        )  # fmt: skip
        assert said["coarse"] == ["white striped shirt", "navy jeans"]
        assert {"red backpack", "long black hair"} <= set(said["medium"])
        assert {"sunglasses", "tie"} <= set(said["fine"])

    def test_of_every_look_are_short_and_not_empty(self):
        full = dataclasses.replace(WORLD, bags=1.0, props=1.0, headwear=0.5, blocks=0.5)
        for seed in range(100):
            said = describe_look(draw_look(np.random.default_rng(seed), 0, full))
            assert list(said) == ["coarse", "medium", "fine"]
            for words in said.values():
                assert words
                assert all(0 < len(word) < 45 for word in words)

    def test_follow_what_changes(self):
        there, _ = look_in_camera(look(), np.random.default_rng(0), ALWAYS)
        assert not any("backpack" in word for word in describe_look(there)["medium"])
        assert any("backpack" in word for word in describe_look(look())["medium"])
