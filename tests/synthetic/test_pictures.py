import dataclasses
import json

import numpy as np
import pytest

from apnet.synthetic.people.draw_look import draw_look
from apnet.synthetic.people.figure import build_figure
from apnet.synthetic.render.image import render_image
from apnet.synthetic.render.jobs import get_camera
from apnet.synthetic.render.shading import REGIONS
from apnet.synthetic.scene.camera import draw_camera
from apnet.synthetic.scene.textures import TEXELS
from apnet.synthetic.world.settings import WORLD

SIZE = (64, 32)
BARE = dataclasses.replace(
    WORLD, clutter=0.0, optics=0.0, cast=0.0, shade=0.0, passers_by=0.0, occluders=0.0,
    detector=0.0, stretch=0.0, indoor=0.0, night=0.0, rain=0.0, haze=0.0, overcast=1.0,
)  # fmt: skip


def flat(color):
    return np.full((TEXELS, TEXELS, 3), color, dtype=np.uint8)


def red_figure():
    red = (220, 10, 10)
    worn = {
        "prop": "none", "skin": red,
        "hair": red, "headwear": "none", "hair_style": "short", "top": "sweater",
        "top_color": red, "sleeve": 2.0, "pattern": "plain", "logo": "none", "bag": "none",
        "bottom": "trousers", "bottom_color": red, "bottom_length": 2.05, "shoes": red,
    }  # fmt: skip
    return build_figure(dataclasses.replace(draw_look(np.random.default_rng(0), 0, WORLD), **worn))


@pytest.fixture(scope="module")
def figure():
    return red_figure()


def pictures(figure, count=12, crowd=(), size=SIZE, **changes):
    """Renders images of one person in one camera of a bare world with ``changes``."""
    camera = draw_camera(np.random.default_rng(5), dataclasses.replace(BARE, **changes))
    return [
        render_image(figure, camera, crowd, size, np.random.default_rng([8, seed]))
        for seed in range(count)
    ]


def red_share(image):
    pixels = np.asarray(image, dtype=float)
    return pixels[..., 0] > 1.6 * pixels[..., 1] + 8


class TestFacts:
    def test_they_are_in_range_and_vary(self, figure):
        cameras = [get_camera(0, number, WORLD) for number in (1, 2, 3)]
        taken = []
        for seed in range(60):
            rng = np.random.default_rng(seed)
            image, metadata = render_image(figure, cameras[seed % 3], (figure,), SIZE, rng)
            assert (image.height, image.width) == SIZE
            assert 0 <= metadata.yaw < 2 * np.pi
            assert 0 <= metadata.occlusion <= 1
            assert 0 <= metadata.truncation < 0.6
            assert WORLD.resolution[0] <= metadata.pixels <= WORLD.resolution[1]
            assert set(metadata.visible) <= set(REGIONS)
            assert all(0 < share <= 1 for share in metadata.visible.values())
            assert json.loads(json.dumps(dataclasses.asdict(metadata)))["place"] == metadata.place
            taken.append(metadata)
        assert 0 < sum(metadata.occlusion > 0 for metadata in taken) < 25
        assert 0 < sum(metadata.truncation > 0.05 for metadata in taken) < 20
        assert 15 < sum(metadata.others > 0 for metadata in taken) < 50
        assert len({metadata.pixels for metadata in taken}) > 20

    def test_what_is_hidden_is_not_visible(self, figure):
        free = [metadata for _, metadata in pictures(figure)]
        assert all(metadata.occlusion == 0 for metadata in free)
        assert all(metadata.visible["torso"] == metadata.visible["head"] == 1 for metadata in free)
        hidden = [metadata for _, metadata in pictures(figure, 40, occluders=1.0)]
        seen = [min(metadata.visible.get(name, 0) for name in REGIONS[:4]) for metadata in hidden]
        assert (
            max(
                share
                for share, metadata in zip(seen, hidden, strict=True)
                if metadata.occlusion > 0.3
            )
            < 0.9
        )

    def test_no_bag_no_region(self, figure):
        assert all("bag" not in metadata.visible for _, metadata in pictures(figure, 4))
        look = dataclasses.replace(figure.look, bag="backpack")
        assert any("bag" in metadata.visible for _, metadata in pictures(build_figure(look), 8))

    def test_light_is_named_after_what_reaches_the_person(self, figure):
        sunny = {"overcast": 0.0, "count": 8}
        assert {metadata.light for _, metadata in pictures(figure, shade=0.0, **sunny)} == {"sun"}
        assert {metadata.light for _, metadata in pictures(figure, shade=3.0, **sunny)} == {"shade"}
        assert {metadata.light for _, metadata in pictures(figure, 3, night=1.0)} == {"night"}
        assert {metadata.light for _, metadata in pictures(figure, 3, indoor=1.0)} == {"indoor"}


class TestPictures:
    def test_the_person_is_in_the_middle(self, figure):
        """The pixels of a person in red on grey are centred and fill the height of the image."""
        for image, metadata in pictures(figure):
            assert metadata.occlusion == 0
            assert metadata.truncation < 0.03
            mask = red_share(image)
            rows, columns = np.nonzero(mask)
            assert abs(columns.mean() - 16) < 4
            assert np.ptp(rows) > 0.85 * SIZE[0]
            assert 0.08 < mask.mean() < 0.6

    def test_stretched_boxes_are_filled_to_the_sides(self, figure):
        def wide(**changes):
            seen = [
                np.flatnonzero(red_share(image).any(0)) for image, _ in pictures(figure, **changes)
            ]
            return np.mean([np.ptp(columns) + 1 for columns in seen]) / SIZE[1]

        assert wide(stretch=1.0) > 0.86
        assert wide(stretch=0.0) < 0.8

    def test_a_detector_errs_more_than_a_hand(self, figure):
        def cut(strength):
            return np.mean([f.truncation for _, f in pictures(figure, 60, detector=strength)])

        assert cut(0.0) < 0.005
        assert cut(1.0) > 0.02

    def test_sizes_show_the_same_moment(self, figure):
        camera = get_camera(0, 1, WORLD)

        def pixels(size, seed):
            rng = np.random.default_rng(seed)
            image, _ = render_image(figure, camera, (), size, rng)
            return np.asarray(image.resize((32, 64)), dtype=float)

        large = pixels((256, 128), 4)
        same = np.abs(pixels((128, 64), 4) - large).mean()
        others = [np.abs(pixels((128, 64), seed) - large).mean() for seed in (5, 6, 7)]
        assert same < 0.5 * min(others)

    def test_obstacles_hide_about_what_they_are_meant_to(self, figure):
        def hidden(low, high):
            taken = pictures(figure, 60, occluders=1.0, occluder_size=(low, high))
            return np.mean([metadata.occlusion for _, metadata in taken])

        assert 0.02 < hidden(0.1, 0.2) < hidden(0.5, 0.6) < 0.75

    def test_a_shadow_falls_on_the_ground_and_can_be_turned_off(self, figure):
        def ground(strength):
            taken = pictures(figure, overcast=0.0, shadows=strength)
            rows = [np.asarray(image, dtype=float)[SIZE[0] * 3 // 4 :] for image, _ in taken]
            kept = [pixels[~red_share(pixels)].mean() for pixels in rows]
            return np.array(kept)

        assert (ground(1.0) < ground(0.0) - 2).mean() > 0.5

    def test_low_resolution_loses_detail(self, figure):
        def detail(low, high):
            taken = pictures(figure, 8, size=(128, 64), optics=0.05, resolution=(low, high))
            return np.mean(
                [np.abs(np.diff(np.asarray(image, float), axis=0)).mean() for image, _ in taken]
            )

        assert detail(30, 31) < 0.8 * detail(200, 250)
