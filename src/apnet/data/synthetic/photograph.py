"""One picture: a posed person before a camera's scene, among others, cut out by a detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from apnet.data.synthetic.body import Array
from apnet.data.synthetic.figure import Figure
from apnet.data.synthetic.lens import photographed
from apnet.data.synthetic.obstacles import draw_obstacle
from apnet.data.synthetic.pose import draw_pose
from apnet.data.synthetic.scene import Camera, background, shadow
from apnet.data.synthetic.shading import lit
from apnet.data.synthetic.view import View, framed

BACKGROUND_ROWS = 192
"""At most; people are rendered finer than what is behind them, which lenses blur anyway."""


@dataclass(frozen=True)
class Facts:
    """What is true of a picture."""

    yaw: float
    """0 faces the camera; radians, counter-clockwise seen from above."""
    phase: float
    """Of the gait cycle, radians."""
    occlusion: float
    """Share of the person's pixels that something in front hides."""
    truncation: float
    """Share of the person's height that the detector's box cuts off."""


@dataclass(frozen=True, eq=False)
class _Stander:
    """Another person in the picture: posed points, and whether they are in front."""

    figure: Figure
    points: Array
    place: Array
    in_front: bool


def take_picture(
    figure: Figure,
    camera: Camera,
    crowd: Sequence[Figure],
    size: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[Image.Image, Facts]:
    """Renders one image.

    Args:
        figure: whom the detector found.
        camera: who sees it.
        crowd: who else may pass by.
        size: height and width, pixels.
        rng: source of all randomness.
    """
    pose = draw_pose(rng)
    yaw = float((camera.heading + rng.normal(0, camera.spread)) % (2 * np.pi))
    points = figure.posed(pose) @ _turn(yaw).T
    fine = 2 if size[0] <= 160 else 1.5
    canvas = (round(size[0] * fine), round(size[1] * fine))
    placed = (camera.height, float(rng.uniform(*camera.distance)))
    view, truncation = framed(points, placed, canvas, rng)
    other = _passer_by(camera, crowd, rng)
    pixels = _backdrop(camera, view, other, rng)
    if other is not None and not other.in_front:
        _draw(pixels, other.figure, other.points, camera, view, rng)
    person = _draw(pixels, figure, points, camera, view, rng)
    hidden = np.zeros(len(pixels), dtype=bool)
    if other is not None and other.in_front:
        hidden[_draw(pixels, other.figure, other.points, camera, view, rng)] = True
    elif rng.random() < camera.obstacles:
        mask, colors = draw_obstacle(canvas, rng)
        hidden = mask.ravel()
        pixels[hidden] = colors[mask]
    occlusion = float(hidden[person].mean()) if len(person) else 1.0
    image = Image.fromarray(
        np.clip(pixels, 0, 255).astype(np.uint8).reshape(*canvas, 3)  # (H * W, 3) -> (H, W, 3)
    )
    facts = Facts(yaw, pose.phase, occlusion, truncation)
    return photographed(image, camera, size, rng), facts


def _turn(yaw: float) -> Array:
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], dtype=np.float32)


def _passer_by(
    camera: Camera, crowd: Sequence[Figure], rng: np.random.Generator
) -> _Stander | None:
    if rng.random() >= camera.passers_by or not crowd:
        return None
    figure = crowd[int(rng.integers(len(crowd)))]
    in_front = bool(rng.random() < 1 / 3)
    side = 1 if rng.random() < 0.5 else -1
    if in_front:
        place = np.array([side * rng.uniform(0.28, 0.6), -rng.uniform(0.5, 1.1)])
    else:
        place = np.array([side * rng.uniform(0.35, 1.1), rng.uniform(0.6, 3.0)])
    points = figure.posed(draw_pose(rng)) @ _turn(float(rng.uniform(0, 2 * np.pi))).T
    points[:, :2] += place.astype(np.float32)
    return _Stander(figure, points, place, in_front)


def _backdrop(
    camera: Camera, view: View, other: _Stander | None, rng: np.random.Generator
) -> Array:
    """Returns the (H * W, 3) scene with the shadows of those who stand in it."""
    rows = min(view.size[0], BACKGROUND_ROWS)
    coarse = (rows, round(view.size[1] * rows / view.size[0]))
    rays = view.rays(coarse)
    colors = background(camera, rays, view.eye, float(rng.uniform(0, 16)))
    colors *= shadow(camera, rays, view.eye, np.zeros(2))[:, None]
    if other is not None:
        colors *= shadow(camera, rays, view.eye, other.place)[:, None]
    picture = Image.fromarray(colors.astype(np.uint8).reshape(*coarse, 3))  # -> (h, w, 3)
    width_height = (view.size[1], view.size[0])
    finer = np.asarray(picture.resize(width_height, Image.Resampling.BICUBIC), dtype=np.float32)
    return finer.reshape(-1, 3)  # (H, W, 3) -> (H * W, 3)


def _draw(
    pixels: Array,
    figure: Figure,
    points: Array,
    camera: Camera,
    view: View,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Draws a figure over what is there; returns the pixels it covers."""
    covered, colors = lit(figure, points, camera, view, rng)
    pixels[covered] = colors
    return covered
