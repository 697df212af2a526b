import numpy as np
import pytest

from apnet.synthetic.render.raster import rasterize

SIZE = (20, 24)


def naive(points, faces, size):
    """Returns face, depth and margin per pixel, from a loop over pixels and triangles."""
    height, width = size
    face = np.full((height, width), -1)
    depth = np.full((height, width), np.inf)
    margin = np.full((height, width), np.inf)  # least distance of a decision from its threshold
    for row in range(height):
        for column in range(width):
            for index, corners in enumerate(faces):
                a, b, c = points[corners].astype(np.float64)
                area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
                if area >= -1e-6:
                    continue
                shares = np.linalg.solve(
                    np.array([[a[0], b[0], c[0]], [a[1], b[1], c[1]], [1, 1, 1]]),
                    np.array([column + 0.5, row + 0.5, 1]),
                )
                margin[row, column] = min(margin[row, column], abs(shares.min()))
                if shares.min() < 0:
                    continue
                here = shares @ np.array([a[2], b[2], c[2]])
                margin[row, column] = min(margin[row, column], abs(here - depth[row, column]))
                if here < depth[row, column]:
                    face[row, column], depth[row, column] = index, here
    return face, depth, margin


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_a_loop_over_pixels(seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform((-4, -4, 1), (28, 24, 9), (24, 3)).astype(np.float32)
    faces = rng.permuted(np.tile(np.arange(24), (14, 1)), axis=1)[:, :3]
    face, depth, margin = naive(points, faces, SIZE)
    seen = rasterize(points, faces, SIZE)
    ours = np.full(SIZE, -1)
    ours.flat[seen.pixels] = seen.faces
    clear = margin > 1e-4
    assert clear.mean() > 0.9
    assert (face >= 0).mean() > 0.3
    np.testing.assert_array_equal(ours[clear], face[clear])
    z = np.full(SIZE, np.inf)
    z.flat[seen.pixels] = seen.interpolate(points, faces)[:, 2]
    np.testing.assert_allclose(z[clear], depth[clear], rtol=1e-4)


def test_backs_are_not_seen():
    points = np.array([[1, 1, 2], [3, 18, 5], [22, 4, 3]], dtype=np.float32)
    assert len(rasterize(points, np.array([[0, 1, 2]]), SIZE).pixels) > 50
    assert len(rasterize(points, np.array([[0, 2, 1]]), SIZE).pixels) == 0


def test_degenerate_triangles_are_left_out():
    points = np.array([[1, 1, 2], [9, 9, 2], [17, 17, 2], [1, 1, 2]], dtype=np.float32)
    seen = rasterize(points, np.array([[0, 1, 2], [0, 3, 1], [0, 0, 0]]), SIZE)
    assert len(seen.pixels) == 0


def test_nothing_in_the_picture():
    points = np.array([[41, 41, 2], [43, 58, 5], [62, 44, 3]], dtype=np.float32)
    seen = rasterize(points, np.array([[0, 1, 2]]), SIZE)
    assert len(seen.pixels) == 0
    assert seen.interpolate(points, np.array([[0, 1, 2]])).shape == (0, 3)


def test_a_surface_has_no_gaps_and_no_pixel_twice():
    rng = np.random.default_rng(0)
    across, down = np.meshgrid(np.linspace(-2, 26, 9), np.linspace(-2, 22, 9))
    points = np.stack([across, down, np.ones_like(down)], -1).reshape(-1, 3)
    points[:, :2] += rng.uniform(-0.4, 0.4, (81, 2))
    corner = (np.arange(8)[:, None] * 9 + np.arange(8)).ravel()
    faces = np.concatenate(
        [
            np.stack([corner, corner + 9, corner + 1], 1),
            np.stack([corner + 1, corner + 9, corner + 10], 1),
        ]
    )
    seen = rasterize(points.astype(np.float32), faces, SIZE)
    np.testing.assert_array_equal(seen.pixels, np.arange(20 * 24))
