import dataclasses

import numpy as np
import pytest
from PIL import Image

from apnet.synthetic.render.jobs import get_camera
from apnet.synthetic.render.optics import apply_lens
from apnet.synthetic.scene.camera import LENGTH, draw_camera
from apnet.synthetic.scene.lens import draw_lens
from apnet.synthetic.scene.light import Light, draw_light
from apnet.synthetic.scene.objects import OBJECTS, draw_object
from apnet.synthetic.scene.places import MARKS, PLACES, draw_front, draw_ground
from apnet.synthetic.scene.surfaces import objects_behind, surface_colors
from apnet.synthetic.scene.textures import MATERIALS, METRE, TEXELS, sample_texture
from apnet.synthetic.world.settings import WORLD

EYE = np.array([0, -6, 3], dtype=np.float32)
STILL = np.zeros(2, dtype=np.float32)
WHITE = Light(
    kind="sun",
    sun=np.array([0, 0, 1], dtype=np.float32),
    direct=np.zeros(3, dtype=np.float32),
    sky=np.ones(3, dtype=np.float32),
    bounce=np.ones(3, dtype=np.float32),
    shade=np.zeros((128, 128), dtype=np.float32),
    shadows=1.0,
)
DIRECT = dataclasses.replace(
    WHITE, direct=np.ones(3, dtype=np.float32), sky=np.zeros(3, dtype=np.float32),
    bounce=np.zeros(3, dtype=np.float32),
)  # fmt: skip


def flat(color):
    return np.full((TEXELS, TEXELS, 3), color, dtype=np.uint8)


def camera(**changes):
    plain = {"light": WHITE, "haze": 0.0, "gloss": 0.0, "turn": 0.0, "weather": "clear"}
    drawn = draw_camera(np.random.default_rng(0), WORLD)
    return dataclasses.replace(drawn, **{**plain, **changes})


def seen(scene, rays, offset=STILL, blocked=0.0):
    kept = np.full(len(rays), blocked, dtype=np.float32)
    return surface_colors(scene, rays, EYE, offset, kept)


class TestCameras:
    def test_they_differ_and_repeat(self):
        first, second = get_camera(0, 1, WORLD), get_camera(0, 2, WORLD)
        assert first.height != second.height
        assert (first.front != second.front).any()
        again = draw_camera(np.random.default_rng([0, 2, 1]), WORLD)
        assert again.height == first.height
        np.testing.assert_array_equal(again.ground, first.ground)

    def test_values_are_in_range(self):
        for number in range(1, 10):
            scene = get_camera(3, number, WORLD)
            assert 0 < scene.height < scene.distance[0] < scene.distance[1]
            assert scene.wall > 1.2
            assert np.sqrt((scene.light.sun**2).sum()) == pytest.approx(1, abs=1e-5)
            assert scene.light.sun[2] > 0
            assert (scene.lens.gain > 0).all()
            assert 80 <= scene.quality <= 95
            assert 0 <= scene.light.shade.min() <= scene.light.shade.max() <= 1

    @pytest.mark.parametrize(
        ("share", "kind"), [("indoor", "indoor"), ("night", "night"), ("overcast", "overcast")]
    )
    def test_shares_turn_lights_on_and_off(self, share, kind):
        def kinds(value):
            shares = {"indoor": 0.0, "night": 0.0, "overcast": 0.0, "rain": 0.0, "haze": 0.0}
            world = dataclasses.replace(WORLD, clutter=0.0, **{**shares, share: value})
            return {draw_camera(np.random.default_rng(n), world).light.kind for n in range(6)}

        assert kinds(1.0) == {kind}
        assert kinds(0.0) == {"sun"}

    def test_rain_is_known_to_who_dresses_people(self):
        world = dataclasses.replace(WORLD, indoor=0.0, rain=1.0, clutter=0.0)
        assert draw_camera(np.random.default_rng(0), world).rain
        assert not draw_camera(np.random.default_rng(0), dataclasses.replace(world, rain=0.0)).rain

    def test_no_clutter_is_one_colour(self):
        bare = draw_camera(np.random.default_rng(0), dataclasses.replace(WORLD, clutter=0.0))
        assert bare.objects == ()
        assert np.ptp(bare.ground, axis=(0, 1)).max() == 0
        assert np.ptp(bare.front, axis=(0, 1)).max() == 0

    def test_no_cast_is_no_cast(self):
        world = dataclasses.replace(WORLD, cast=0.0)
        lens = draw_lens(np.random.default_rng(0), world, WHITE)
        assert np.ptp(lens.gain) == 0
        assert (lens.contrast, lens.gamma, lens.saturation, lens.flicker) == (1, 1, 1, 0)

    def test_no_optics_leaves_a_picture_as_it_is(self):
        world = dataclasses.replace(WORLD, cast=0.0, optics=0.0)
        lens = draw_lens(np.random.default_rng(0), world, WHITE)
        lens = dataclasses.replace(lens, gain=np.ones(3, dtype=np.float32))
        pixels = np.random.default_rng(1).integers(0, 256, (20, 10, 3), dtype=np.uint8)
        kept = apply_lens(
            Image.fromarray(pixels), lens, ((20, 10), (20, 10)), 1.0, np.random.default_rng(2)
        )
        assert np.abs(np.asarray(kept, float) - pixels).max() <= 1


class TestPlaces:
    def test_every_place_can_be_drawn(self):
        for place in PLACES.values():
            rng = np.random.default_rng(0)
            assert draw_ground(place, rng).shape == (TEXELS, TEXELS, 3)
            assert draw_front(place, rng, 1.0).std() > 8
            assert set(place.objects) <= set(OBJECTS)
            assert set(place.floors + place.beside) <= set(MATERIALS)
            assert set(place.marks) <= set(MARKS)
        assert {place.indoor for place in PLACES.values()} == {True, False}

    @pytest.mark.parametrize("name", OBJECTS)
    def test_things_stand_on_their_bottom_row(self, name):
        item = draw_object(name, np.random.default_rng(1))
        alpha = np.asarray(item.picture)[..., 3]
        assert alpha[-3:].any()
        assert 0.04 < (alpha > 0).mean() <= 1
        ratio = item.picture.width / item.picture.height
        assert ratio == pytest.approx(item.width / item.height, rel=0.12)

    def test_things_pass_by_as_the_person_walks_on(self):
        scene = camera(wall=40.0)
        assert len(scene.objects) > 10
        here, there = objects_behind(scene, STILL), objects_behind(scene, np.array([2.0, 0.0]))
        assert {item.y for item in here} == {item.y for item in there}
        offset = {item.y: item.x for item in there}
        steps = np.array([(item.x - offset[item.y]) % LENGTH for item in here])
        np.testing.assert_allclose(steps, 2.0, atol=1e-6)
        assert [item.y for item in here] == sorted((item.y for item in here), reverse=True)


class TestBackgrounds:
    def test_the_front_stands_on_the_ground_below_the_sky(self):
        air = np.full(3, 120, dtype=np.float32)
        scene = camera(ground=flat(40), front=flat(200), wall=4.0, roof=6.0, air=air)
        steep = np.linspace(-1.5, 0.5, 81, dtype=np.float32)
        rays = np.stack([np.zeros(81, np.float32), np.ones(81, np.float32), steep], 1)
        red = seen(scene, rays)[:, 0]
        foot, top = -3 / 10, 3 / 10  # down 3 m, and up 3 m, over 10 m
        np.testing.assert_allclose(red[steep < foot - 0.01], 40)
        np.testing.assert_allclose(red[(steep > foot + 0.01) & (steep < top - 0.01)], 200)
        np.testing.assert_allclose(red[steep > top + 0.01], 120)

    def test_textures_are_interpolated_and_repeat(self):
        texture = flat(0)
        texture[:, 10] = 100  # a stripe one texel wide

        def at(texels):
            x = np.array(texels, dtype=np.float32) / METRE
            return sample_texture(texture, x, np.zeros_like(x))[:, 0]

        np.testing.assert_allclose(at([10, 10.5, 9.75, 11, 9]), [100, 50, 75, 0, 0], atol=0.1)
        np.testing.assert_allclose(at([10 + TEXELS, 10.5 - TEXELS]), [100, 50], atol=0.5)

    def test_a_step_aside_moves_the_scene(self):
        scene = camera(wall=50.0)
        ray = np.array([[0, 1, -0.5]], dtype=np.float32)  # meets the ground at (0, 0)
        aside = np.array([[1 / 6, 1, -0.5]], dtype=np.float32)  # at (1, 0)
        step = np.array([1.0, 0.0], dtype=np.float32)
        np.testing.assert_allclose(seen(scene, ray, step), seen(scene, aside), atol=1e-2)

    def test_horizontal_and_upward_rays_are_finite(self):
        rays = np.array([[0, 1, 0], [0, 0, -1], [0, 0, 1], [1, 0, 0], [0, -1, 0]], dtype=np.float32)
        for changes in ({}, {"gloss": 0.3}, {"haze": 0.05}):
            colors = seen(camera(**changes), rays)
            assert np.isfinite(colors).all()
            assert colors.min() >= 0
            assert colors.max() <= 256

    def test_haze_hides_what_is_far(self):
        air = np.full(3, 250, dtype=np.float32)
        scene = camera(ground=flat(0), front=flat(0), air=air, haze=0.05, wall=40.0)
        rays = np.array([[0, 1, -1], [0, 1, -0.2]], dtype=np.float32)
        near, far = seen(scene, rays)[:, 0]
        assert 0 < near < far < 250

    def test_shade_and_cast_shadows_keep_the_sun_off_the_ground(self):
        ray = np.array([[0, 1, -0.5]], dtype=np.float32)
        sunny = camera(ground=flat(100), light=DIRECT, wall=50.0)
        assert seen(sunny, ray)[0, 0] == pytest.approx(100)
        assert seen(sunny, ray, blocked=0.75)[0, 0] == pytest.approx(25)
        dark = dataclasses.replace(DIRECT, shade=np.ones((128, 128), dtype=np.float32))
        shady = camera(ground=flat(100), light=dark, wall=50.0)
        assert seen(shady, ray)[0, 0] == 0


class TestLight:
    def test_faces_are_lit_from_where_the_sun_is(self):
        normals = np.array([[0, 0, 1], [0, 0, -1], [1, 0, 0]], dtype=np.float32)
        light = DIRECT.irradiance(normals, np.ones(3, dtype=np.float32))
        np.testing.assert_allclose(light[:, 0], [1, 0, 0], atol=1e-6)

    def test_shade_reaches_up_along_the_light(self):
        """With the sun at 45 degrees in the east, the edge of a shade leans by 45 degrees."""
        shade = np.zeros((128, 128), dtype=np.float32)
        shade[:, :64] = 1  # west of x = 8 m
        slanted = np.array([1, 0, 1], dtype=np.float32) / np.float32(np.sqrt(2))
        light = dataclasses.replace(DIRECT, shade=shade, sun=slanted)
        points = np.array([[7.5, 0, 0], [8.5, 0, 0], [8.5, 0, 1], [9.5, 0, 1]], dtype=np.float32)
        np.testing.assert_allclose(light.sun_share(points), [0, 1, 0, 1])

    def test_the_share_of_shade_is_about_what_was_asked(self):
        def mean(share):
            world = dataclasses.replace(WORLD, shade=share)
            maps = [draw_light(np.random.default_rng(n), world, "sun").shade for n in range(40)]
            return np.mean(maps)

        assert mean(0.0) == 0
        assert 0.2 < mean(0.4) < 0.55
        assert mean(0.4) < mean(0.7)
