"""Where a camera hangs and what it sees behind people: ground, a wall or street front, light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from apnet.data.synthetic.body import Array

TEXELS = 256
"""Side of a texture, pixels; it covers ``SPAN`` metres and repeats."""

SPAN = 16.0


@dataclass(frozen=True, eq=False)
class Camera:
    """One camera of the town: its place, its light, and how its picture comes out."""

    height: float
    """Metres above the ground."""
    distance: tuple[float, float]
    """Least and greatest distance of people, metres."""
    heading: float
    """Direction in which most people walk, radians."""
    spread: float
    """Standard deviation around it; large: any direction."""
    wall: float
    """Metres from the people to the wall behind."""
    sun: Array
    """(3,) unit vector towards the light."""
    ambient: float
    """Share of light that comes from everywhere."""
    exposure: float
    cast: Array
    """(3,) factors of red, green, blue."""
    contrast: float
    blur: float
    """Standard deviation in pixels of a 256-pixel image."""
    noise: float
    """Standard deviation in grey levels."""
    quality: int
    """Of the JPEG."""
    ground_texture: NDArray[np.uint8]
    wall_texture: NDArray[np.uint8]


def draw_camera(rng: np.random.Generator) -> Camera:
    """Draws a camera with its scene."""
    light = np.array([rng.uniform(-1, 1), rng.uniform(-1, 0.4), rng.uniform(0.4, 1.2)])
    near = rng.uniform(4, 8)
    cast = 1 + rng.normal(0, 0.055, 3)
    return Camera(
        height=float(rng.uniform(1.6, 4.5)),
        distance=(float(near), float(near + rng.uniform(2, 7))),
        heading=float(rng.uniform(0, 2 * np.pi)),
        spread=float(rng.choice([0.5, 1.0, 6.0])),
        wall=float(rng.uniform(2, 9)),
        sun=(light / np.linalg.norm(light)).astype(np.float32),
        ambient=float(rng.uniform(0.42, 0.75)),
        exposure=float(rng.uniform(0.72, 1.25)),
        cast=(cast / cast.mean()).astype(np.float32),
        contrast=float(rng.uniform(0.8, 1.1)),
        blur=float(rng.uniform(0.2, 1.0)),
        noise=float(rng.uniform(1.5, 6)),
        quality=int(rng.integers(70, 93)),
        ground_texture=_ground(rng),
        wall_texture=_wall(rng),
    )


def background(
    camera: Camera,
    rays: Array,
    eye: Array,
    offset: float,
) -> Array:
    """Returns (P, 3) colours seen along (P, 3) rays from ``eye``.

    Args:
        camera: whose scene it is.
        rays: directions in the world, y away from the camera, z up.
        eye: (3,) the camera's place; people stand at the origin.
        offset: metres by which the scene is moved sideways.
    """
    to_wall = (camera.wall - eye[1]) / np.maximum(rays[:, 1], 1e-3)
    wall = eye + rays * to_wall[:, None]
    on_wall = wall[:, 2] > 0
    wall = wall[on_wall]
    falling = rays[~on_wall]
    ground = eye + falling * (-eye[2] / np.minimum(falling[:, 2], -1e-4))[:, None]
    colors = np.empty_like(rays)
    colors[on_wall] = _look_up(camera.wall_texture, wall[:, 0] + offset, -wall[:, 2] - SPAN)
    colors[~on_wall] = _look_up(camera.ground_texture, ground[:, 0] + offset, ground[:, 1] + offset)
    return colors


def _look_up(texture: NDArray[np.uint8], u: Array, v: Array) -> Array:
    """Returns (P, 3) colours at places in metres, between the four texels around each."""
    scale = TEXELS / SPAN
    column, row = u * scale - 0.5, v * scale - 0.5
    left, top = np.floor(column), np.floor(row)
    right_share, below_share = (column - left)[:, None], (row - top)[:, None]
    x, y = left.astype(np.int64) % TEXELS, top.astype(np.int64) % TEXELS
    next_x, next_y = (x + 1) % TEXELS, (y + 1) % TEXELS
    above = texture[y, x] * (1 - right_share) + texture[y, next_x] * right_share
    below = texture[next_y, x] * (1 - right_share) + texture[next_y, next_x] * right_share
    return np.asarray(above * (1 - below_share) + below * below_share, dtype=np.float32)


def _muted(rng: np.random.Generator, low: int, high: int) -> tuple[int, int, int]:
    values = np.clip(rng.uniform(low, high) * (1 + rng.normal(0, 0.03, 3)), 0, 255).astype(int)
    return (int(values[0]), int(values[1]), int(values[2]))


def _ground(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Paving, asphalt, grass verges, lines."""
    base = _muted(rng, 80, 170)
    image = Image.new("RGB", (TEXELS, TEXELS), base)
    draw = ImageDraw.Draw(image)
    joint = tuple(int(value * rng.uniform(0.75, 0.95)) for value in base)
    step = int(rng.choice([8, 12, 16, 32, 64]))
    for place in range(0, TEXELS, step):
        draw.line([(place, 0), (place, TEXELS)], fill=joint)
        draw.line([(0, place), (TEXELS, place)], fill=joint)
    for _ in range(int(rng.integers(2, 8))):
        x, y = rng.integers(0, TEXELS, 2)
        size = int(rng.integers(6, 60))
        color = tuple(int(np.clip(value + rng.normal(0, 18), 0, 255)) for value in base)
        draw.ellipse([x - size, y - size // 2, x + size, y + size // 2], fill=color)
    if rng.random() < 0.4:
        y = int(rng.integers(0, TEXELS))
        color = (74, 92, 58) if rng.random() < 0.5 else (205, 205, 200)
        draw.rectangle([0, y, TEXELS, y + int(rng.integers(4, 40))], fill=color)
    return _grained(rng, image, 7)


def _wall(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A street front: masonry, windows, doors, pillars, posters, hedges, parked things."""
    base = _muted(rng, 90, 200)
    image = Image.new("RGB", (TEXELS, TEXELS), base)
    draw = ImageDraw.Draw(image)
    metre = TEXELS / SPAN
    floor = TEXELS  # v = -z - SPAN: the bottom row touches the ground
    period = rng.uniform(1.6, 5)
    glass, frame = _muted(rng, 30, 90), _muted(rng, 50, 210)
    for place in np.arange(0, SPAN, period):
        left, right = place * metre, (place + period * rng.uniform(0.35, 0.7)) * metre
        sill = rng.choice([0.0, 0.9])
        box = [left, floor - 2.6 * metre, right, floor - sill * metre]
        draw.rectangle(box, fill=glass, outline=frame)
        if rng.random() < 0.4:
            draw.line([((left + right) / 2, box[1]), ((left + right) / 2, box[3])], fill=frame)
        if rng.random() < 0.35:
            draw.rectangle(
                [right + 2, floor - 3 * metre, right + 2 + 0.35 * metre, floor],
                fill=_muted(rng, 60, 190),
            )
    band = _muted(rng, 40, 180)
    draw.rectangle([0, floor - 0.3 * metre, TEXELS, floor], fill=band)
    for _ in range(int(rng.integers(0, 6))):
        x, width = rng.uniform(0, TEXELS), rng.uniform(0.3, 2.2) * metre
        height, lift = rng.uniform(0.4, 1.5) * metre, rng.choice([0, 0, 1.2]) * metre
        green = rng.random() < 0.4
        color = (int(rng.integers(40, 80)), int(rng.integers(66, 105)), 44)
        draw.rectangle(
            [x, floor - lift - height, x + width, floor - lift],
            fill=color if green else _muted(rng, 40, 200),
        )
    return _grained(rng, image.filter(ImageFilter.GaussianBlur(0.6)), 6)


def _grained(rng: np.random.Generator, image: Image.Image, strength: float) -> NDArray[np.uint8]:
    pixels = np.asarray(image, dtype=np.float32) + rng.normal(0, strength, (TEXELS, TEXELS, 1))
    return np.clip(pixels, 0, 255).astype(np.uint8)
