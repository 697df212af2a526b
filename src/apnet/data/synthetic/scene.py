"""Where a camera hangs, its light, and what it sees behind people: ground and street front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apnet.data.synthetic.body import Array
from apnet.data.synthetic.textures import METRE, TEXELS, Texture, ground, street_front
from apnet.data.synthetic.world import World


@dataclass(frozen=True, eq=False)
class Camera:
    """One camera of the town: its place, its light, and how its pictures come out."""

    height: float
    """Metres above the ground."""
    distance: tuple[float, float]
    """Least and greatest distance of people, metres."""
    heading: float
    """Direction in which most people walk, radians."""
    spread: float
    """Standard deviation around it, radians; large: any direction."""
    wall: float
    """Metres from the people to the street front behind."""
    sun: Array
    """(3,) unit vector towards the light."""
    ambient: float
    """Share of light that comes from everywhere."""
    gain: Array
    """(3,) factors of red, green and blue: exposure and colour cast."""
    flicker: float
    """Standard deviation of an image's gain around the camera's."""
    contrast: float
    """Factor of the distance from middle grey."""
    blur: float
    """Standard deviation in pixels of an image 256 pixels high."""
    noise: float
    """Standard deviation in grey levels."""
    quality: int
    """Of the JPEG."""
    obstacles: float
    """Share of images with street furniture in front."""
    passers_by: float
    """Share of images with another person."""
    ground: Texture
    front: Texture


def draw_camera(rng: np.random.Generator, world: World) -> Camera:
    """Draws a camera with its scene."""
    light = np.array([rng.uniform(-1, 1), rng.uniform(-1, 0.4), rng.uniform(0.5, 1.3)])
    near = float(rng.uniform(4, 8))
    warmth, tint = rng.normal(0, world.warmth), rng.normal(0, world.tint)
    gain = np.array([1 + warmth, 1 + tint, 1 - warmth]) * rng.uniform(*world.exposure)
    return Camera(
        height=float(rng.uniform(1.6, 4.5)),
        distance=(near, near + float(rng.uniform(2, 7))),
        heading=float(rng.uniform(0, 2 * np.pi)),
        spread=float(rng.choice([0.5, 1.0, 6.0])),
        wall=float(rng.uniform(2, 9)),
        sun=(light / np.sqrt((light**2).sum())).astype(np.float32),
        ambient=float(rng.uniform(*world.ambient)),
        gain=gain.astype(np.float32),
        flicker=world.flicker,
        contrast=float(rng.uniform(0.85, 1.1)),
        blur=float(rng.uniform(*world.blur)),
        noise=float(rng.uniform(*world.noise)),
        quality=int(rng.integers(70, 93)),
        obstacles=world.obstacles,
        passers_by=world.passers_by,
        ground=ground(rng),
        front=street_front(rng),
    )


def background(camera: Camera, rays: Array, eye: Array, offset: float) -> Array:
    """Returns the (P, 3) colours seen along rays.

    Args:
        camera: whose scene it is.
        rays: (P, 3) directions in the world, y away from the camera, z up.
        eye: (3,) the camera's place; people stand at the origin.
        offset: metres by which the scene is moved sideways.
    """
    to_front = (camera.wall - eye[1]) / np.maximum(rays[:, 1], 1e-3)
    front = eye + rays * to_front[:, None]
    standing = front[:, 2] > 0
    lying = on_ground(rays[~standing], eye)
    colors = np.empty_like(rays)
    colors[~standing] = _look_up(camera.ground, lying[:, 0] + offset, lying[:, 1] + offset)
    colors[standing] = _look_up(camera.front, front[standing, 0] + offset, -front[standing, 2])
    return colors


def on_ground(rays: Array, eye: Array) -> Array:
    """Returns the (P, 3) places where (P, 3) rays meet the ground."""
    return np.asarray(eye + rays * (-eye[2] / np.minimum(rays[:, 2], -1e-4))[:, None])


def shadow(camera: Camera, rays: Array, eye: Array, place: Array) -> Array:
    """Returns (P,) factors that darken the ground by a person who stands at ``place`` (2,)."""
    ground_points = on_ground(rays, eye)
    x, y = ground_points[:, 0] - place[0], ground_points[:, 1] - place[1]
    away = -camera.sun[:2] / max(float(camera.sun[2]), 0.25)
    reach = float(np.hypot(away[0], away[1]))
    axis = away / reach if reach > 1e-6 else np.array([0.0, 1.0])
    length = reach * 0.8 + 0.25
    along = x * axis[0] + y * axis[1] - length * 0.5
    across = x * axis[1] - y * axis[0]
    cast = np.exp(-((along / (length * 0.7)) ** 2) - (across / 0.25) ** 2)
    contact = np.exp(-(x**2 + y**2) / 0.08)
    strength = 0.5 * (1 - camera.ambient * 0.6) * cast + 0.35 * contact
    visible = (rays[:, 2] < 0) & (ground_points[:, 1] < camera.wall)
    darkened: Array = (1 - np.minimum(strength, 0.7) * visible).astype(np.float32)
    return darkened


def _look_up(texture: Texture, u: Array, v: Array) -> Array:
    """Returns (P, 3) colours of a repeating texture at (P,) metres, bilinearly."""
    u, v = u * METRE, v * METRE
    column, row = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
    right, low = (u - column)[:, None].astype(np.float32), (v - row)[:, None].astype(np.float32)
    column, row = column % TEXELS, row % TEXELS
    column_after, row_after = (column + 1) % TEXELS, (row + 1) % TEXELS
    above = texture[row, column] * (1 - right) + texture[row, column_after] * right
    below = texture[row_after, column] * (1 - right) + texture[row_after, column_after] * right
    mixed: Array = above * (1 - low) + below * low
    return mixed
