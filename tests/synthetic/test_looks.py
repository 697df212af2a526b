import dataclasses

import numpy as np
import pytest

from apnet.synthetic.people.anatomy import body_attributes
from apnet.synthetic.people.body import body_model
from apnet.synthetic.people.draw_look import draw_look
from apnet.synthetic.people.figure import build_figure
from apnet.synthetic.people.paint import is_cloth, paint
from apnet.synthetic.people.palette import color_distance
from apnet.synthetic.people.parts import BAG, BODY, HAIR, HAT, PROP, SKIRT
from apnet.synthetic.people.parts import TOP as HOOD
from apnet.synthetic.people.pose import draw_pose
from apnet.synthetic.people.wardrobe import BLOCKS, LOGOS, PATTERNS, PROPS, TOPS
from apnet.synthetic.world.settings import WORLD

SKIN, TOP, SECOND, LOGO, LEGS = (1, 2, 3), (10, 20, 200), (200, 20, 10), (20, 200, 10), (90, 90, 10)
BACK = (7, 99, 88)


def plain(**changes):
    base = {
        "headwear": "none", "hair_style": "bald", "top": "shirt", "pattern": "plain",
        "logo": "none", "back_logo": "none", "block": "none", "bag": "none", "prop": "none",
        "tucked": False, "tie": False, "texture": 0.0, "face": 0.0, "glasses": "none",
        "beard": "none", "fade": 0.0, "leg_detail": "none", "logo_side": 0.0, "logo_size": 0.1,
        "flare": 0.2, "bottom": "trousers", "bottom_length": 2.05,
        "sleeve": 2.0, "open_front": False, "skin": SKIN, "top_color": TOP,
        "top_second": SECOND, "logo_color": LOGO, "back_color": BACK, "bottom_color": LEGS,
    }  # fmt: skip
    return dataclasses.replace(draw_look(np.random.default_rng(1), 0, WORLD), **{**base, **changes})


def painted(look):
    """Returns the kinds, attributes and colours at the centres of all faces."""
    figure = build_figure(look)
    at = figure.attributes[figure.faces].mean(1)  # (F, 3, 7) -> (F, 7)
    return figure.kinds, at, paint(look, figure.kinds, at)


def points_of(figure, kind, points):
    return points[np.unique(figure.faces[figure.kinds == kind])]


class TestParts:
    @pytest.mark.parametrize(
        ("changes", "wanted"),
        [
            ({}, set()),
            ({"bottom": "skirt", "bottom_length": 0.9}, {SKIRT}),
            ({"top": "coat"}, {SKIRT}),
            ({"hair_style": "long"}, {HAIR}),
            ({"hair_style": "bun"}, {HAIR}),
            ({"hair_style": "ponytail"}, {HAIR}),
            ({"hair_style": "long", "headwear": "hood"}, set()),
            ({"hair_style": "long", "headwear": "beanie"}, {HAIR}),
            ({"headwear": "cap"}, {HAT}),
            ({"bag": "backpack"}, {BAG}),
            ({"bag": "shoulder"}, {BAG}),
            ({"bag": "handbag"}, {BAG}),
            ({"hair_style": "braids"}, {HAIR}),
            ({"headwear": "hat"}, {HAT}),
            ({"top": "dress", "bottom": "skirt"}, {SKIRT}),
            ({"top": "hoodie"}, {HOOD}),
            ({"top": "hoodie", "headwear": "hood"}, set()),
            *(({"prop": prop}, {PROP}) for prop in PROPS if prop != "none"),
        ],
    )
    def test_a_look_has_its_parts(self, changes, wanted):
        assert set(build_figure(plain(**changes)).kinds) == {BODY, *wanted}

    def test_arrays_agree_and_weights_add_up(self):
        for seed in range(25):
            figure = build_figure(draw_look(np.random.default_rng(seed), 0, WORLD))
            count = len(figure.points)
            assert figure.weights.shape[0] == len(figure.attributes) == count
            assert len(figure.kinds) == len(figure.faces)
            assert figure.faces.min() >= 0
            assert figure.faces.max() < count
            assert np.isfinite(figure.points).all()
            assert figure.weights.min() >= 0
            np.testing.assert_allclose(figure.weights.sum(1), 1, atol=1e-4)


class TestWornParts:
    def test_a_handbag_stays_upright_below_the_hand(self):
        figure = build_figure(plain(bag="handbag"))
        rest = points_of(figure, BAG, figure.points)
        hand = body_attributes()[:, 3] > 2.1
        for seed in range(8):
            posed = figure.posed(draw_pose(np.random.default_rng(seed), figure.look))
            bag = points_of(figure, BAG, posed)
            np.testing.assert_allclose(bag - bag[0], rest - rest[0], atol=1e-5)
            fingers = posed[: len(hand)][hand & (figure.points[: len(hand), 0] > 0)]
            top = bag[bag[:, 2].argmax()]
            assert np.sqrt(((fingers - top) ** 2).sum(1)).min() < 0.12
            assert bag[:, 2].mean() < fingers[:, 2].mean()

    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize(
        "changes", [{"bottom": "skirt", "bottom_length": 0.9}, {"top": "coat"}]
    )
    def test_skirts_cover_the_thighs_in_stride(self, changes, seed):
        """Halfway between hip and hem, each posed thigh lies within the skirt's outline."""
        figure = build_figure(plain(body=60 * seed, **changes))
        pose = draw_pose(np.random.default_rng(0), figure.look)
        posed = figure.posed(dataclasses.replace(pose, stride=0.55, phase=np.pi / 2))
        leg, x = body_attributes()[:, 4], figure.points[: len(body_attributes()), 0]
        skirt = points_of(figure, SKIRT, posed)
        for side in (1, -1):
            thigh = posed[: len(leg)][(leg > 0.3) & (leg < 0.55) & (x * side > 0)]
            low, high = thigh[:, 2].min(), thigh[:, 2].max()
            around = skirt[(skirt[:, 2] > low - 0.05) & (skirt[:, 2] < high + 0.05)]
            assert len(thigh) > 10
            assert around[:, 1].min() < thigh[:, 1].min()
            assert around[:, 1].max() > thigh[:, 1].max()

    def test_skirts_follow_the_thighs_and_not_the_knees(self):
        figure = build_figure(plain(bottom="skirt", bottom_length=1.15))
        weights, points = (
            points_of(figure, SKIRT, array) for array in (figure.weights, figure.points)
        )
        names = body_model().joints
        for index, name in enumerate(names):
            if name.startswith(("lowerleg", "foot")):
                assert (weights[:, index] == 0).all()
        hem = points[:, 2] < points[:, 2].min() + 0.05
        thighs = weights[:, [names.index("upperleg.L"), names.index("upperleg.R")]].sum(1)
        assert thighs[hem].min() > 0.95
        assert thighs[~hem].min() < 0.5


class TestColors:
    def test_stay_in_range(self):
        for seed in range(40):
            look = draw_look(np.random.default_rng(seed), 0, WORLD)
            for name, value in dataclasses.asdict(look).items():
                if isinstance(value, tuple):
                    assert all(0 <= channel <= 255 for channel in value), name
            colors = painted(look)[2]
            assert colors.min() >= 0
            assert colors.max() <= 255

    def test_second_and_logo_colors_stand_out(self):
        for seed in range(200):
            look = draw_look(np.random.default_rng(seed), 0, WORLD)
            others = ((look.top_second, 150), (look.logo_color, 220), (look.back_color, 220))
            for other, least in others:
                assert color_distance(look.top_color, other) > least

    @pytest.mark.parametrize("pattern", PATTERNS)
    def test_patterns_show_on_body_and_coat(self, pattern):
        kinds, _, colors = painted(plain(top="coat", pattern=pattern))
        other = ~(colors == TOP).all(1)
        assert ((kinds == SKIRT) & other).any() == (pattern != "plain")
        assert (colors == TOP).all(1).any()

    @pytest.mark.parametrize("block", BLOCKS)
    def test_blocks_sew_in_the_second_color(self, block):
        colors = painted(plain(block=block))[2]
        second = (colors == SECOND).all(1)
        assert second.any() == (block != "none")
        assert (colors == TOP).all(1).any()

    @pytest.mark.parametrize("logo", LOGOS)
    def test_logos_are_on_their_side_of_the_trunk(self, logo):
        _, at, colors = painted(plain(logo=logo, back_logo="disc"))
        shown, back = (colors == LOGO).all(1), (colors == BACK).all(1)
        assert shown.any() == (logo != "none")
        assert back.any()
        assert (np.abs(at[shown, 2] - 1.3) < 0.15).all()
        assert (at[shown, 1] < 0).all()
        assert (at[back, 1] > 0).all()
        assert (at[shown | back, 3] < 0).all()

    def test_without_texture_cloth_is_flat(self):
        for texture, least, most in ((0.0, 0, 0.01), (1.0, 3, 60)):
            _, at, colors = painted(plain(texture=texture))
            chest = (at[:, 3] < 0) & (np.abs(at[:, 2] - 1.3) < 0.1)
            assert least <= colors[chest, 2].std() <= most

    def test_without_faces_heads_are_skin_only(self):
        _, at, bare = painted(plain(face=0.0, beard="full"))
        _, _, drawn = painted(plain(face=1.0, beard="full"))
        head = at[:, 5] > 0.5
        assert (bare[head] == SKIN).all()
        assert (drawn[head] != SKIN).any(1).sum() > 100

    @pytest.mark.parametrize("sleeve", [0.6, 2.0])
    def test_sleeves_end_where_they_should(self, sleeve):
        _, at, colors = painted(plain(sleeve=sleeve))
        bare, arm = (colors == SKIN).all(1), at[:, 3]
        assert bare[arm > sleeve].all()
        assert not bare[(arm >= 0) & (arm < sleeve)].any()

    @pytest.mark.parametrize("bottom", ["shorts", "skirt"])
    def test_skin_does_not_fold(self, bottom):
        look = plain(sleeve=0.6, bottom=bottom, bottom_length=0.8)
        kinds, at, colors = painted(look)
        cloth = is_cloth(look, kinds, at)
        assert cloth[kinds == SKIRT].all()
        assert not cloth[(colors == SKIN).all(1) & (at[:, 4] > 0.9)].any()
        assert not cloth[at[:, 3] > 0.6].any()
        assert cloth[(colors == TOP).all(1)].mean() > 0.95

    @pytest.mark.parametrize("top", [top for top in TOPS if top != "dress"])
    @pytest.mark.parametrize(
        ("bottom", "length"), [("trousers", 2.05), ("shorts", 0.8), ("skirt", 0.75)]
    )
    def test_no_skin_between_the_garments(self, top, bottom, length):
        kinds, at, colors = painted(plain(top=top, bottom=bottom, bottom_length=length))
        reach = 0.25 if bottom == "skirt" else length - 0.05
        middle = (kinds == BODY) & (at[:, 3] < -0.2) & (at[:, 2] < 1.4) & (at[:, 4] < reach)
        assert middle.sum() > 200
        assert not (colors[middle] == SKIN).all(1).any()

    def test_the_face_stays_where_it_is_when_the_crown_is_out_of_sight(self):
        look = plain()
        at = body_attributes()[body_attributes()[:, 5] > 0.5]
        below = at[:, 2] < at[:, 2].max() - 0.05
        kinds = np.full(len(at), BODY)
        whole, cut = paint(look, kinds, at)[below], paint(look, kinds[below], at[below])
        np.testing.assert_array_equal(whole, cut)

    @pytest.mark.parametrize("headwear", ["hood", "scarf"])
    def test_hoods_and_scarves_cover_all_but_the_face(self, headwear):
        _, at, colors = painted(plain(headwear=headwear, headwear_color=(7, 77, 7)))
        bare = (colors == SKIN).all(1) & (at[:, 5] > 0.5)
        assert bare.sum() > 10
        assert at[bare, 1].max() < -0.05  # no skin at the back
        assert at[bare, 2].max() < 1.80 - 0.08  # and none at the top of the forehead
