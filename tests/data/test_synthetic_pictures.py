import dataclasses

import numpy as np
import pytest

from apnet.data.synthetic.figure import dressed
from apnet.data.synthetic.photograph import take_picture
from apnet.data.synthetic.rendering import town_camera
from apnet.data.synthetic.scene import background, draw_camera, shadow
from apnet.data.synthetic.textures import METRE, TEXELS
from apnet.data.synthetic.wardrobe import draw_look
from apnet.data.synthetic.world import WORLD

SIZE = (64, 32)
EYE = np.array([0, -6, 3], dtype=np.float32)


def camera(**changes):
    return dataclasses.replace(draw_camera(np.random.default_rng(0), WORLD), **changes)


def flat(color):
    return np.full((TEXELS, TEXELS, 3), color, dtype=np.uint8)


def red_figure():
    red = (220, 10, 10)
    worn = {
        "skin": red, "hair": red, "headwear": "none", "hair_style": "short", "top": "sweater",
        "top_color": red, "sleeve": 2.0, "pattern": "plain", "logo": "none", "bag": "none",
        "bottom": "trousers", "bottom_color": red, "bottom_length": 2.05, "shoes": red,
    }  # fmt: skip
    return dressed(dataclasses.replace(draw_look(np.random.default_rng(0), 0, WORLD), **worn))


class TestPictures:
    def test_facts_are_in_range_and_vary(self):
        figure = red_figure()
        taken = []
        for seed in range(60):
            rng = np.random.default_rng(seed)
            image, facts = take_picture(figure, draw_camera(rng, WORLD), (figure,), SIZE, rng)
            assert (image.height, image.width) == SIZE
            assert 0 <= facts.yaw < 2 * np.pi
            assert 0 <= facts.phase < 2 * np.pi
            assert 0 <= facts.occlusion <= 1
            assert 0 <= facts.truncation < 0.5
            taken.append(facts)
        assert 0 < sum(facts.occlusion > 0 for facts in taken) < 25
        assert 0 < sum(facts.truncation > 0.05 for facts in taken) < 20

    def test_the_person_is_in_the_middle(self):
        """In a red suit before grey, red pixels centre on the picture and fill its height."""
        grey = camera(
            ground=flat(120), front=flat(120), noise=0.0, blur=0.2, contrast=1.0, ambient=0.7,
            gain=np.ones(3, dtype=np.float32),
        )  # fmt: skip
        figure, taken = red_figure(), 0
        for seed in range(20):
            rng = np.random.default_rng(seed)
            image, facts = take_picture(figure, grey, (), SIZE, rng)
            if facts.occlusion or facts.truncation:
                continue
            pixels = np.asarray(image, dtype=float)
            mask = pixels[..., 0] > 1.6 * pixels[..., 1]
            rows, columns = np.nonzero(mask)
            assert abs(columns.mean() - 16) < 6
            assert np.ptp(rows) > 0.7 * SIZE[0]
            assert 0.08 < mask.mean() < 0.6
            taken += 1
        assert taken >= 5

    def test_sizes_show_the_same_moment(self):
        figure, town = red_figure(), camera()

        def pixels(size, seed):
            rng = np.random.default_rng(seed)
            image, _ = take_picture(figure, town, (), size, rng)
            return np.asarray(image.resize((32, 64)), dtype=float)

        large = pixels((256, 128), 4)
        same = np.abs(pixels((128, 64), 4) - large).mean()
        others = [np.abs(pixels((128, 64), seed) - large).mean() for seed in (5, 6, 7)]
        assert same < 0.5 * min(others)


class TestScenes:
    def test_cameras_differ_and_repeat(self):
        first, second = town_camera(0, 1, WORLD), town_camera(0, 2, WORLD)
        assert first.height != second.height
        assert (first.front != second.front).any()
        again = draw_camera(np.random.default_rng([0, 2, 1]), WORLD)
        assert again.height == first.height
        np.testing.assert_array_equal(again.ground, first.ground)

    def test_values_are_in_range(self):
        for seed in range(20):
            scene = draw_camera(np.random.default_rng(seed), WORLD)
            assert 0 < scene.distance[0] < scene.distance[1]
            assert scene.wall > 0
            assert np.sqrt((scene.sun**2).sum()) == pytest.approx(1, abs=1e-5)
            assert scene.sun[2] > 0
            assert 0 < scene.ambient < 1
            assert (scene.gain > 0).all()
            assert 1 <= scene.quality <= 95

    def test_the_front_stands_on_the_ground(self):
        scene = camera(ground=flat(40), front=flat(200), wall=4.0)
        steep = np.linspace(-1.5, 0.5, 81, dtype=np.float32)
        rays = np.stack([np.zeros(81, np.float32), np.ones(81, np.float32), steep], 1)
        seen = background(scene, rays, EYE, 0.0)[:, 0]
        foot = -3 / 10  # down 3 m over 10 m
        np.testing.assert_allclose(seen[steep < foot - 0.01], 40)
        np.testing.assert_allclose(seen[steep > foot + 0.01], 200)

    def test_textures_are_interpolated_and_repeat(self):
        texture = flat(0)
        texture[:, 10] = 100  # a stripe one texel wide
        scene = camera(ground=texture)

        def seen(texels):
            x = np.array(texels, dtype=np.float32) / METRE
            rays = np.stack([x / 2, np.full_like(x, 0.5), -np.ones_like(x)], 1)
            return background(scene, rays, np.array([0, 0, 2], dtype=np.float32), 0.0)[:, 0]

        np.testing.assert_allclose(seen([10, 10.5, 9.75, 11, 9]), [100, 50, 75, 0, 0], atol=0.1)
        np.testing.assert_allclose(seen([10 + TEXELS, 10.5 - TEXELS]), [100, 50], atol=0.5)

    def test_horizontal_and_upward_rays_are_finite(self):
        rays = np.array([[0, 1, 0], [0, 0, -1], [0, 0, 1], [1, 0, 0], [0, -1, 0]], dtype=np.float32)
        seen = background(camera(), rays, EYE, 3.0)
        assert np.isfinite(seen).all()
        assert seen.min() >= 0
        assert seen.max() <= 255
        dark = shadow(camera(), rays, EYE, np.zeros(2))
        assert np.isfinite(dark).all()

    def test_a_shadow_lies_at_the_feet_and_not_on_the_front(self):
        scene = camera(wall=4.0, sun=np.array([0, 0, 1], dtype=np.float32))
        toward = np.array([[0, 0, 0], [0, 3, 0], [5, 0, 0]], dtype=np.float32) - EYE
        feet, behind, beside = shadow(scene, toward, EYE, np.zeros(2))
        assert feet < 0.8
        assert min(behind, beside) > 0.95
        beyond = np.array([[0, 9, 0]], dtype=np.float32)  # metres behind the front
        assert shadow(scene, beyond - EYE, EYE, beyond[0, :2]) == 1
