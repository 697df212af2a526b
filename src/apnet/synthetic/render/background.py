"""Renders what is behind a person: the scene, objects, other people and shadows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from apnet.synthetic.people.body import Array
from apnet.synthetic.people.figure import Figure
from apnet.synthetic.render.shading import shade_figure
from apnet.synthetic.scene.camera import Camera, PlacedObject
from apnet.synthetic.scene.objects import SceneObject
from apnet.synthetic.scene.surfaces import ground_points, objects_behind, surface_colors
from apnet.synthetic.scene.view import Rectangle, View

ROWS = 160
"""Largest height of a rendered background in pixels; it is then scaled up to the view."""


@dataclass(frozen=True, eq=False)
class PlacedFigure:
    """A person in an image: the figure and its (V, 3) posed points in the world."""

    figure: Figure
    points: Array

    @property
    def place(self) -> Array:
        """(2,) position on the ground in metres."""
        return np.asarray(self.points[:, :2].mean(0))

    @property
    def person_points(self) -> Array:
        """(V', 3) points without those of the prop, which the detector's box surrounds."""
        return self.points[: self.figure.person_points]


def render_background(
    camera: Camera,
    view: View,
    offset: Array,
    people: list[PlacedFigure],
    rng: np.random.Generator,
) -> Array:
    """Renders what is behind a person.

    Args:
        camera: whose scene is rendered.
        view: of the box.
        offset: (2,) position of the person in the place, metres.
        people: all people in the image, the person first; those behind are drawn, and all of them
            cast shadows.
        rng: random generator for folds.

    Returns:
        (H, W, 3) colours from 0 to 255.
    """
    coarse = view.at(min(round(0.75 * view.size[0]), ROWS))
    rays = coarse.rays(coarse.size)
    objects = [s for s in objects_behind(camera, offset) if _in_view(s, coarse)]
    blocked = cast_shadows(camera, coarse, rays, people, objects)
    colors = surface_colors(camera, rays, view.eye, offset, blocked)
    colors *= contact_shadow(rays, view.eye, people)[:, None]
    pixels = colors.reshape(*coarse.size, 3)  # (h * w, 3) -> (h, w, 3)
    behind = [other for other in people[1:] if other.place[1] > 0]
    items: list[tuple[float, PlacedObject | PlacedFigure]] = [(s.y, s) for s in objects]
    items += [(float(s.place[1]), s) for s in behind]
    for _, item in sorted(items, key=lambda pair: -pair[0]):
        if isinstance(item, PlacedObject):
            paste_object(
                pixels,
                item.object,
                _object_rectangle(item, coarse),
                _object_light(camera, item, offset),
            )
        else:
            draw_figure(pixels, item, camera, coarse, offset, rng)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    wide_high = (view.size[1], view.size[0])
    return np.asarray(image.resize(wide_high, Image.Resampling.BICUBIC), dtype=np.float32)


def draw_figure(
    pixels: Array,
    person: PlacedFigure,
    camera: Camera,
    view: View,
    offset: Array,
    rng: np.random.Generator,
) -> Array:
    """Draws a person over (H, W, 3) pixels, in place; returns the (H * W,) covered share."""
    seen = shade_figure(person.figure, person.points, camera.light, offset, view, rng)
    covered = np.zeros(view.size[0] * view.size[1], dtype=np.float32)
    covered[seen.pixels] = 1
    depth = np.full(len(seen.pixels), person.place[1] - view.eye[1], dtype=np.float32)
    pixels.reshape(-1, 3)[seen.pixels] = camera.hazed(seen.colors, depth)
    return covered


def paste_object(pixels: Array, item: SceneObject, where: Rectangle, level: Array) -> Array:
    """Draws an object over (H, W, 3) pixels, in place.

    Args:
        pixels: (H, W, 3) colours.
        item: the object.
        where: its rectangle in the image.
        level: (3,) light on it.

    Returns:
        (H * W,) share of each pixel that it covers.
    """
    height, width = pixels.shape[:2]
    covered = np.zeros((height, width), dtype=np.float32)
    left, top, wide, tall = where
    columns = (max(0, round(left)), min(width, round(left + wide)))
    rows = (max(0, round(top)), min(height, round(top + tall)))
    size = (columns[1] - columns[0], rows[1] - rows[0])
    if min(size) < 1 or min(wide, tall) < 1:
        return covered.ravel()
    across, down = item.picture.width / wide, item.picture.height / tall
    part = (
        max(0.0, (columns[0] - left) * across),
        max(0.0, (rows[0] - top) * down),
        min(item.picture.width, (columns[1] - left) * across),
        min(item.picture.height, (rows[1] - top) * down),
    )
    if part[2] - part[0] < 1e-3 or part[3] - part[1] < 1e-3:
        return covered.ravel()
    piece = item.picture.resize(size, Image.Resampling.BILINEAR, box=part)
    drawn = np.asarray(piece, dtype=np.float32)
    share = drawn[..., 3:] / 255
    region = (slice(*rows), slice(*columns))
    pixels[region] = pixels[region] * (1 - share) + drawn[..., :3] * level * share
    covered[region] = share[..., 0]
    return covered.ravel()


def cast_shadows(
    camera: Camera, view: View, rays: Array, people: list[PlacedFigure], objects: list[PlacedObject]
) -> Array:
    """Returns the (P,) share of direct light that people and objects block per pixel."""
    light, size = camera.light, view.size
    casting = [person.points[::2] for person in people] + [_outline(s) for s in objects]
    points = np.concatenate(casting)
    slope = light.sun[:2] / max(float(light.sun[2]), 0.25)
    fallen = points.copy()
    fallen[:, :2] -= points[:, 2:] * slope
    fallen[:, 2] = 0
    column, row, _ = (view.project(fallen) / 2).T  # at half the resolution
    half = (size[0] // 2 + 1, size[1] // 2 + 1)
    inside = (column >= 0) & (row >= 0) & (column < half[1]) & (row < half[0])
    cell = row[inside].astype(np.int64) * half[1] + column[inside].astype(np.int64)
    hit = np.zeros(half[0] * half[1], dtype=np.uint8)
    hit[cell] = 255
    image = Image.fromarray(hit.reshape(half)).filter(ImageFilter.MaxFilter(3))
    soft = image.filter(ImageFilter.BoxBlur(1)).resize((half[1] * 2, half[0] * 2))
    dark = np.asarray(soft, dtype=np.float32)[: size[0], : size[1]].ravel() / 255
    return np.asarray(dark * np.float32(light.shadows))


def contact_shadow(rays: Array, eye: Array, people: list[PlacedFigure]) -> Array:
    """Returns (P,) brightness factors: the ground is darker close to people."""
    ground = ground_points(rays, eye)
    factor = np.ones(len(rays), dtype=np.float32)
    for person in people:
        away = ((ground[:, :2] - person.place) ** 2).sum(1)
        factor *= 1 - 0.4 * np.exp(-away / 0.1).astype(np.float32)
    return np.where(rays[:, 2] < 0, factor, np.float32(1))


def _outline(placed: PlacedObject) -> Array:
    """Returns a dense grid of points on the rectangle of an object, for its shadow."""
    x, z = np.meshgrid(np.linspace(-0.45, 0.45, 14), np.linspace(0, 1, 14))
    item = placed.object
    points = np.stack(
        [
            placed.x + x.ravel() * item.width,
            np.full(x.size, placed.y),
            z.ravel() * item.height,
        ],
        axis=1,
    )
    return points.astype(np.float32)


def _object_rectangle(placed: PlacedObject, view: View) -> Rectangle:
    """Returns the rectangle of an object in the image; objects stay upright."""
    item, x, y = placed.object, placed.x, placed.y
    ends = np.array([[x, y, 0], [x, y, item.height]], dtype=np.float32)
    (column, foot, depth), (_, top, _) = view.project(ends)
    wide = view.focal * item.width / float(depth)
    return float(column) - wide / 2, float(top), wide, float(foot - top)


def _in_view(placed: PlacedObject, view: View) -> bool:
    left, top, wide, tall = _object_rectangle(placed, view)
    return left + wide > 0 and left < view.size[1] and top + tall > 0 and top < view.size[0]


def _object_light(camera: Camera, placed: PlacedObject, offset: Array) -> Array:
    """Returns the (3,) light on an object."""
    place = np.array([[placed.x + offset[0], placed.y + offset[1], 0.5]], dtype=np.float32)
    reached = camera.light.sun_share(place) * np.float32(0.9)
    toward = np.array([[0.0, -0.8, 0.6]], dtype=np.float32)
    return np.asarray(camera.light.irradiance(toward, reached)[0])
