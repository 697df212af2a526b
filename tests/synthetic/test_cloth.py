import numpy as np
import pytest

from apnet.synthetic.people.anatomy import body_attributes
from apnet.synthetic.people.cloth import folds, pattern_colors, print_points, weave
from apnet.synthetic.people.tiles import CELLS, emblem_tile, pattern_tile
from apnet.synthetic.people.wardrobe import LOGOS, PATTERNS

TILED = [name for name in PATTERNS if name not in ("plain", "gradient")]
COLORS = np.array([[250, 0, 0], [0, 250, 0], [0, 0, 250]], dtype=np.float32)


@pytest.mark.parametrize("name", TILED)
class TestTiles:
    def test_show_two_colours_or_more_and_never_only_one(self, name):
        for seed in range(1, 30):
            tile = pattern_tile(name, seed)
            assert tile.shape == (CELLS, CELLS)
            assert tile.max() <= 5
            assert 1 < len(np.unique(tile)) <= 6

    def test_nearly_every_one_is_unique(self, name):
        tiles = {pattern_tile(name, seed).tobytes() for seed in range(1, 60)}
        assert len(tiles) > 30

    def test_are_the_same_for_the_same_seed(self, name):
        first = pattern_tile(name, 7).copy()
        pattern_tile.cache_clear()
        np.testing.assert_array_equal(first, pattern_tile(name, 7))


@pytest.mark.parametrize("name", [name for name in LOGOS if name != "none"])
def test_emblems_have_ink_and_leave_cloth(name):
    for seed in range(1, 20):
        tile = emblem_tile(name, seed)
        assert 0.03 < (tile > 0).mean() < 0.97
        assert tile.max() <= 2


def test_words_differ():
    assert len({emblem_tile("letters", seed).tobytes() for seed in range(20)}) == 20


def test_a_larger_scale_is_coarser():
    at = body_attributes()
    trunk = at[(at[:, 3] < 0) & (at[:, 1] < 0) & (np.abs(at[:, 0]) < 0.05) & (at[:, 2] < 1.45)]
    trunk = trunk[np.argsort(trunk[:, 2])]

    def changes(scale):
        colors = pattern_colors("stripes", 3, (scale, 0.0), COLORS, trunk)
        return int((np.diff(colors, axis=0) != 0).any(1).sum())

    assert changes(0.5) > 1.4 * changes(2.0)


def test_a_gradient_runs_from_hem_to_shoulder():
    at = np.zeros((3, 7), dtype=np.float32)
    at[:, 3], at[:, 2] = -0.25, (0.9, 1.175, 1.45)
    colors = pattern_colors("gradient", 1, (1.0, 0.0), COLORS, at)
    np.testing.assert_allclose(colors, [COLORS[1], COLORS[:2].mean(0), COLORS[0]], atol=1)


def test_prints_lie_where_they_are_placed():
    at = np.zeros((4, 7), dtype=np.float32)
    at[:, 0], at[:, 2] = (0.0, 0.075, -0.075, 0.0), (1.3, 1.3, 1.3, 1.1)
    place, _ = print_points("disc", 1, (0.03, 0.075), at)
    assert place.tolist() == [1]
    place, _ = print_points("disc", 1, (0.1, 0.0), at)
    assert place.tolist() == [0, 1, 2]


def test_weave_is_uneven_about_zero():
    grain = weave(body_attributes(), (200.0, 200.0))
    assert abs(grain.mean()) < 0.1
    assert 0.3 < grain.std() < 0.7
    assert np.corrcoef(grain, weave(body_attributes(), (60.0, 45.0), 4))[0, 1] < 0.2


def test_folds_are_deepest_at_the_joints():
    at = body_attributes()
    phases = np.array([1, 2, 3, 4], dtype=np.float32)
    depth = np.abs(folds(at, phases)[:, 2])
    knee, calf = np.abs(at[:, 4] - 1) < 0.08, np.abs(at[:, 4] - 1.45) < 0.12
    assert depth[knee].mean() > 2 * depth[calf].mean()


def test_armpits_and_the_crotch_are_shaded():
    at = body_attributes()
    assert at[:, 6].min() >= 0.4
    assert at[:, 6].max() == 1
    inner = (at[:, 4] > 0.1) & (at[:, 4] < 0.5) & (np.abs(at[:, 0]) < 0.06)
    outer = (at[:, 4] > 0.1) & (at[:, 4] < 0.5) & (np.abs(at[:, 0]) > 0.17)
    assert at[inner, 6].mean() < at[outer, 6].mean() - 0.2
